import VigilModel

/// Reads jsonlog (PostgreSQL 15 and later): one object a line. Its records come out as the rows that csvlog has of
/// them, so that both give the same events under the same identity.
public struct JSONLogAssembler: LineAssembler {
    private var fields = JSONFields(JSONLogKey.table, rawPort: JSONLogKey.rawPort)
    private var times: TimestampReader
    /// Lines that a raw line feed cut off a record (see `RawPort`).
    private var waiting: [KeptLine] = []

    /// `timezone` is the source's configured zone.
    public init(timezone: String?) { times = TimestampReader(zones: TimeZoneTable(timezone: timezone)) }

    /// Where the oldest line that waits starts.
    public var held: Int64? { waiting.first?.offset }

    /// Zone abbreviations that nothing explains.
    public var unknownZones: Set<String> { times.unknownZones }

    /// Takes a line.
    public mutating func take(_ line: LogLine, into rows: inout RowBuffer) {
        if !waiting.isEmpty, continueWaiting(line, into: &rows) { return }
        var rest: LogLine? = line
        while let line = rest { rest = takeObject(line, into: &rows, mayWait: true) }
    }

    /// No more lines will come.
    public mutating func finish(into rows: inout RowBuffer) {
        for line in waiting { line.with { rows.skip($0, reason: Reason.open) } }
        // A torn line is read again with what follows; else the lines stay here.
        if waiting.last?.isTorn == true { waiting = [] }
    }

    /// No lines have come for a while: a cut record still waits.
    public mutating func settle(into rows: inout RowBuffer) {}

    // MARK: - One line

    private enum Reason {
        static let open = "the last record is torn: its end is missing"
        static let torn = "a torn record: its end is missing"
        static let none = "no JSON object"
        static let broken = "a damaged JSON object"
        static let behind = "bytes behind a record"
    }

    /// Takes the object at a line's start; gives what is left of the line, where another record may start.
    @inline(__always)
    private mutating func takeObject(_ line: LogLine, into rows: inout RowBuffer, mayWait: Bool) -> LogLine? {
        var start = 0
        while start < line.bytes.count, line.bytes[start] <= 32, line.bytes[start] > 0 { start += 1 }
        switch fields.read(line.bytes, from: start) {
        case .whole(let end):
            deliver(line, into: &rows)
            return end == line.bytes.count ? nil : behind(line.part(from: end), into: &rows)
        case .open where line.isCut:
            deliver(line, into: &rows)
            return nil
        case .openPath where mayWait && !line.isTorn:
            keep(line)
            return nil
        case .open, .openPath:
            return skip(line, line.isTorn ? Reason.open : Reason.torn, upToStartAfter: start + 1, into: &rows)
        case .broken where start == line.bytes.count:
            rows.pass(line)
            return nil
        case .broken(let at):
            let isNone = at == start
            return skip(
                line, isNone ? Reason.none : Reason.broken, upToStartAfter: isNone ? start : start + 1, into: &rows)
        }
    }

    /// What stands behind an object on its line: blanks, or the next record when a line feed is missing.
    private mutating func behind(_ line: LogLine, into rows: inout RowBuffer) -> LogLine? {
        if line.bytes.allSatisfy({ $0 <= 32 && $0 > 0 }) { return nil }
        return skip(line, Reason.behind, upToStartAfter: 0, into: &rows)
    }

    /// Goes on at the next place in the line where a record starts: a server that crashed in the middle of a record
    /// appends the next one to it. In a sound line no text can look so, since quotes in a string are escaped.
    private mutating func skip(
        _ line: LogLine, _ reason: String, upToStartAfter after: Int, into rows: inout RowBuffer
    ) -> LogLine? {
        guard let start = JSONLogAssembler.recordStart(line.bytes, from: after) else {
            rows.skip(line, reason: reason)
            return nil
        }
        if start > 0 { rows.skip(line.part(to: start), reason: reason == Reason.open ? Reason.torn : reason) }
        return line.part(from: start)
    }

    private static let opening = Array("{\"timestamp\":\"".utf8)

    /// The next offset at which the server begins a record.
    private static func recordStart(_ bytes: UnsafeBufferPointer<UInt8>, from: Int) -> Int? {
        var at = from
        while at + opening.count <= bytes.count {
            guard let brace = bytes[at...].firstIndex(of: 123) else { return nil }
            if bytes[brace...].starts(with: opening) { return brace }
            at = brace + 1
        }
        return nil
    }

    // MARK: - Records

    @inline(__always)
    private mutating func deliver(_ line: LogLine, into rows: inout RowBuffer) {
        if let missing { return rows.skip(line, reason: missing) }
        guard let time = time(line.bytes) else { return rows.skip(line, reason: "no log time") }
        JSONRow(line: line.bytes, fields: fields).write(to: &rows, offset: line.offset, time: time)
    }

    /// What a record cannot be without.
    private var missing: String? {
        if fields[.timestamp] == nil { return "no timestamp in the object" }
        if fields[.severity] == nil { return "no error_severity in the object" }
        if fields[.message] == nil { return "no message in the object" }
        if fields[.process] == nil { return "no pid in the object" }
        return nil
    }

    private mutating func time(_ line: UnsafeBufferPointer<UInt8>) -> LogTime? {
        guard let stamp = fields[.timestamp], let bytes = line.baseAddress else { return nil }
        let start = fields[.sessionStart]?.range ?? 0..<0
        let id = fields[.sessionID]?.range ?? 0..<0
        // The reader of times looks at eight bytes behind the zone.
        if stamp.range.count >= 25, stamp.end + 8 <= line.count,
            let time = times.read(bytes, stamp.range, row: { $0 == .sessionStart ? start : id })
        {
            return time
        }
        // Not as the server writes it: re-emitted by another program.
        return LogTime(parsing: String(decoding: line[stamp.range], as: UTF8.self))
    }

    // MARK: - Lines cut by a raw line feed

    private mutating func keep(_ line: LogLine) {
        waiting.append(KeptLine(line))
    }

    /// Puts a line behind those that wait; false when it does not belong there.
    private mutating func continueWaiting(_ line: LogLine, into rows: inout RowBuffer) -> Bool {
        guard let first = waiting.first else { return false }
        keep(line)
        var joined: [UInt8] = []
        for (index, kept) in waiting.enumerated() {
            joined += kept.bytes
            guard index < waiting.count - 1 else { break }
            // The line reader took a carriage return with the line feed.
            if kept.end - kept.offset == Int64(kept.bytes.count) + 2 { joined.append(13) }
            joined.append(10)
        }
        let record = KeptLine(bytes: joined, offset: first.offset, end: line.end, isTorn: line.isTorn)
        switch record.with({ fields.read($0.bytes, from: 0) }) {
        case .whole:
            waiting = []
            record.with { record in
                var rest: LogLine? = record
                while let line = rest { rest = takeObject(line, into: &rows, mayWait: false) }
            }
            return true
        case .openPath where !line.isTorn: return true
        default:
            waiting.removeLast()
            giveUp(into: &rows)
            return false
        }
    }

    /// The lines that wait are no record together.
    private mutating func giveUp(into rows: inout RowBuffer) {
        let lines = waiting
        waiting = []
        for (index, line) in lines.enumerated() {
            line.with { line in
                if index == 0 { return rows.skip(line, reason: Reason.broken) }
                var rest: LogLine? = line
                while let line = rest { rest = takeObject(line, into: &rows, mayWait: false) }
            }
        }
    }
}
