/// The values of one line's object, by the names of a table. The first value of a name counts: what a client manages to
/// add behind it changes nothing.
struct JSONFields {
    enum Outcome: Equatable {
        /// The object closes before that offset.
        case whole(end: Int)
        /// The bytes end before the object does.
        case open
        /// The bytes end within what a client wrote raw.
        case openPath
        /// No object, seen at that offset.
        case broken(at: Int)
    }

    private let table: JSONKeyTable
    private let rawPort: RawPort?
    private var values: [JSONValue]
    private var present: UInt64 = 0

    /// Takes the names, and which of them a client may have written raw.
    init(_ table: JSONKeyTable, rawPort: RawPort? = nil) {
        self.table = table
        self.rawPort = rawPort
        values = Array(repeating: JSONValue(), count: table.count)
    }

    /// The value of a name; nil when the object has none that can be used.
    @inline(__always)
    subscript(index: Int) -> JSONValue? { present & 1 << UInt64(index) != 0 ? values[index] : nil }

    /// Reads the object that starts at `start`. After `.open` the values before the end can be used, the cut one too.
    mutating func read(_ line: UnsafeBufferPointer<UInt8>, from start: Int) -> Outcome {
        present = 0
        guard let bytes = line.baseAddress, start < line.count, line[start] == 123 else { return .broken(at: start) }
        var scanner = JSONScanner(bytes: bytes, end: line.count, at: start + 1)
        var next = 0
        var name = JSONValue()
        var value = JSONValue()
        if scanner.next() == 125 { return .whole(end: scanner.at + 1) }
        while true {
            guard let quote = scanner.next() else { return .open }
            guard quote == 34 else { return .broken(at: scanner.at) }
            if case .open = scanner.string(&name) { return .open }
            guard let colon = scanner.next() else { return .open }
            guard colon == 58 else { return .broken(at: scanner.at) }
            scanner.at += 1
            let index = table.index(of: bytes + name.start, count: name.end - name.start, next: next)
            var step: JSONScanner.Step
            if let index, let rawPort, index == rawPort.port, scanner.next() != 34, mayBeRaw(line) {
                switch rawPort.read(line, at: &scanner.at, process: self[rawPort.process], &value) {
                case .found: step = .done
                case .open: return .openPath
                case .none: step = scanner.value(&value)
                }
            } else {
                step = scanner.value(&value)
            }
            if case .broken = step { return .broken(at: scanner.at) }
            if let index {
                next = index + 1
                if present & 1 << UInt64(index) == 0, value.kind != .other {
                    values[index] = value
                    present |= 1 << UInt64(index)
                }
            }
            if case .open = step { return .open }
            guard let mark = scanner.next() else { return .open }
            scanner.at += 1
            if mark == 125 { return .whole(end: scanner.at) }
            guard mark == 44 else { return .broken(at: scanner.at - 1) }
        }
    }

    /// True when the client came over a unix socket, and the server's own order of names holds so far.
    private func mayBeRaw(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let rawPort, let host = self[rawPort.host], self[rawPort.session] == nil else { return false }
        return line[host.range].elementsEqual("[local]".utf8)
    }
}
