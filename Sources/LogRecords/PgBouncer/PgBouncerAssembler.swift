import VigilModel

/// Puts the lines of PgBouncer's log file or standard error together: `2026-03-02 08:40:02.801 UTC [17219] LOG text`;
/// until 1.10 without zone and with a bare pid (`log_generic` in libusual's logging.c). A line break in a text is
/// followed by a TAB since 1.13; before, names with line breaks go on in column one.
struct PgBouncerAssembler: LineAssembler {
    /// What stands before the text of a line.
    private struct Head {
        var time: LogTime
        var pid: Range<Int>
        var level: Range<Int>
        var text: Int
    }

    private var times: PrintedTime
    /// The record that waits for more lines, if one does.
    private var entry = PgBouncerQueue.Entry()
    private var isOpen = false
    private var queue = PgBouncerQueue()

    /// PgBouncer writes at most 2048 bytes of text, some more where line breaks get a TAB.
    private static let longest = 8192

    init(_ about: ReadingFacts) { times = PrintedTime(about) }

    var held: Int64? { queue.held ?? (isOpen ? entry.offset : nil) }
    var unknownZones: Set<String> { times.unknownZones }

    /// True when the file's first line that starts with a time is one of PgBouncer's.
    static func recognises(_ head: UnsafeBufferPointer<UInt8>) -> Bool {
        var times = PrintedTime(ReadingFacts())
        for line in HeadLines(head) where PrintedTime.isTime(line) {
            return PgBouncerAssembler.head(line, &times) != nil
        }
        return false
    }

    /// True when the first lines, of which some may be PgBouncer's, are more likely a server's. What looks like a severity
    /// of PostgreSQL's is the server's in any line but one about a connection, where it may stand in a client's name.
    static func isServers(_ head: UnsafeBufferPointer<UInt8>) -> Bool {
        var times = PrintedTime(ReadingFacts())
        var (pooler, doubtful) = (0, 0)
        for line in HeadLines(head) where !line.isEmpty && line[0] != 9 && line[0] != 32 {
            let found = self.head(line, &times)
            guard StderrLabels.all.isAny(in: line, from: 0, before: line.count) else {
                pooler += found == nil ? 0 : 1
                continue
            }
            guard let found, line.has("C-0x", at: found.text) || line.has("S-0x", at: found.text) else { return true }
            let level = UnsafeBufferPointer(rebasing: line[found.level])
            if PgBouncerText.standing(record(line, from: found.text, in: head), level: level).isKnown {
                pooler += 1
            } else {
                doubtful += 1
            }
        }
        return doubtful > pooler
    }

    /// The text of a record with the lines that a TAB begins.
    private static func record(
        _ line: UnsafeBufferPointer<UInt8>, from start: Int, in head: UnsafeBufferPointer<UInt8>
    ) -> UnsafeBufferPointer<UInt8> {
        let first = line.startOffset(in: head) + start
        var end = first - start + line.count
        while end + 1 < head.count, end - first < longest, head[end] == 10, head[end + 1] == 9 {
            end = head[(end + 1)...].firstIndex(of: 10) ?? head.count
        }
        return UnsafeBufferPointer(rebasing: head[first..<end])
    }

    mutating func take(_ line: LogLine, into rows: inout RowBuffer) {
        if let head = PgBouncerAssembler.head(line.bytes, &times) {
            close(into: &rows)
            begin(line, head)
            return
        }
        guard isOpen, entry.bytes.count - entry.start + line.bytes.count < PgBouncerAssembler.longest,
            isContinued(by: line)
        else {
            if line.bytes.isEmpty { return rows.pass(line) }
            return rows.skip(line, reason: "no line of PgBouncer")
        }
        entry.bytes.append(10)
        entry.bytes.append(contentsOf: line.bytes.first == 9 ? line.bytes.dropFirst() : line.bytes[...])
    }

    /// Takes what stood behind a header of syslog: a whole line, or the bare text, whose time and process the header
    /// tells.
    mutating func take(
        _ line: LogLine, sentAt time: LogTime, by process: UnsafeBufferPointer<UInt8>, into rows: inout RowBuffer
    ) {
        if line.bytes.first == 9 || PgBouncerAssembler.head(line.bytes, &times) != nil {
            return take(line, into: &rows)
        }
        close(into: &rows)
        isOpen = true
        entry.offset = line.offset
        entry.time = time
        entry.bytes.removeAll(keepingCapacity: true)
        entry.bytes.append(contentsOf: process)
        entry.bytes.append(contentsOf: line.bytes)
        (entry.pid, entry.level, entry.start) = (0..<process.count, 0..<0, process.count)
    }

    mutating func finish(into rows: inout RowBuffer) {
        close(into: &rows)
        queue.finish(into: &rows)
    }

    private mutating func close(into rows: inout RowBuffer) {
        guard isOpen else { return }
        isOpen = false
        queue.take(entry, into: &rows)
    }

    private mutating func begin(_ line: LogLine, _ head: Head) {
        isOpen = true
        entry.offset = line.offset
        entry.time = head.time
        entry.bytes.removeAll(keepingCapacity: true)
        entry.bytes.append(contentsOf: line.bytes)
        (entry.pid, entry.level, entry.start) = (head.pid, head.level, min(head.text, line.bytes.count))
    }

    private func isContinued(by line: LogLine) -> Bool {
        if line.bytes.first == 9 { return true }
        return entry.with { text, level, _ in !PgBouncerText.standing(text, level: level).isFixed }
    }

    /// Time, pid and level of a line that starts a record.
    private static func head(_ line: UnsafeBufferPointer<UInt8>, _ times: inout PrintedTime) -> Head? {
        guard line.count > 24, let first = line.first, first.digit != nil else { return nil }
        var cursor = LineCursor(line)
        guard let time = times.read(&cursor, takesNames: true), cursor.skip(32) else { return nil }
        let isBracketed = cursor.skip(91)
        let pid = cursor.run { $0.digit != nil }
        guard (1...10).contains(pid.count), !isBracketed || cursor.skip(93), cursor.skip(32) else { return nil }
        let level = cursor.run { $0.isCapital }
        guard isLevel(UnsafeBufferPointer(rebasing: line[level])), cursor.skip(32) || cursor.isAtEnd else { return nil }
        return Head(time: time, pid: pid, level: level, text: cursor.at)
    }

    private static func isLevel(_ word: UnsafeBufferPointer<UInt8>) -> Bool {
        for level in [StaticString("LOG"), "WARNING", "ERROR", "FATAL", "DEBUG", "NOISE"]
        where word.count == level.utf8CodeUnitCount && word.has(level) {
            return true
        }
        return false
    }
}
