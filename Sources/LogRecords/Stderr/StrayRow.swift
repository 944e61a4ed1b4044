import VigilModel

/// A row of csvlog in a stderr log: the collector puts one there when its csv file is not open. It may span lines.
struct StrayRow {
    /// File offset of its first byte, and behind its last line.
    let offset: Int64
    private(set) var end: Int64
    private var bytes: [UInt8]
    private var isQuoted = false

    /// A longer one is damage.
    private static let longest = 1 << 20

    /// Begins with a line that starts as a row does.
    init?(_ line: LogLine) {
        let bytes = line.bytes
        guard bytes.count > 28, SoundRecord.isTimeStart(bytes, 0), bytes.prefix(36).contains(44) else { return nil }
        // Behind the zone: a comma, then a quoted name or nothing.
        guard let comma = bytes.prefix(36).firstIndex(of: 44), comma + 1 < bytes.count,
            bytes[comma + 1] == 34 || bytes[comma + 1] == 44
        else {
            return nil
        }
        offset = line.offset
        end = line.offset
        self.bytes = []
        take(line)
    }

    /// Takes another line.
    mutating func take(_ line: LogLine) {
        for byte in line.bytes where byte == 34 { isQuoted.toggle() }
        if bytes.count < StrayRow.longest { bytes += line.bytes }
        bytes.append(10)
        end = line.end
    }

    /// No more lines belong to it.
    var isOver: Bool { !isQuoted || bytes.count >= StrayRow.longest }

    /// The row's columns; nil when it is damaged.
    func draft(_ rows: inout StderrRows) -> DraftRecord? {
        bytes.withUnsafeBufferPointer { bytes in
            guard SoundRecord.read(bytes, from: 0) == .sound(end: bytes.count) else { return nil }
            var columns: [[UInt8]?] = []
            var at = 0
            while at < bytes.count, columns.count < LogColumn.allCases.count {
                var content: [UInt8] = []
                let isText = bytes[at] == 34
                if isText {
                    at += 1
                    while bytes[at] != 34 || bytes[at + 1] == 34 {
                        content.append(bytes[at])
                        at += bytes[at] == 34 ? 2 : 1
                    }
                    at += 1
                } else {
                    while bytes[at] != 44, bytes[at] != 10 {
                        content.append(bytes[at])
                        at += 1
                    }
                }
                columns.append(isText || !content.isEmpty ? content : nil)
                at += 1
            }
            let time = columns[0]?.withUnsafeBufferPointer { rows.time(ofRow: $0) }
            guard let time else { return nil }
            var draft = DraftRecord()
            draft.begin(offset: offset, time: time, dataset: .postgresql)
            for (column, content) in zip(LogColumn.allCases, columns) { if let content { draft.set(column, content) } }
            return draft
        }
    }
}

extension StderrRows {
    /// The time of a csvlog row: that of `%m`.
    mutating func time(ofRow text: UnsafeBufferPointer<UInt8>) -> LogTime? {
        clock.read(text, 0..<text.count) { _ in nil }
    }
}
