import VigilModel

/// Puts Patroni's lines together: `2026-03-02 08:40:02,801 INFO: text` (log.py), in whatever `log.dateformat`, or JSON
/// (`log.type: json`, since 3.3). What follows a line without a time belongs to it when it can: tracebacks, the output
/// of pg_controldata and pg_rewind. Lines of child processes, which share standard error, are no records.
struct PatroniAssembler: LineAssembler {
    /// What stands before the text of a line.
    struct Head {
        var time: LogTime
        var level: Range<Int>
        var text: Int
    }

    private var times: PrintedTime
    private var draft = DraftRecord()
    /// Where the record starts that waits for more lines.
    private var offset: Int64?
    /// Whether lines that could be anybody's belong to it.
    private var takesAll = false
    private var length = 0

    private static let longest = 1 << 20

    init(_ about: ReadingFacts) { times = PrintedTime(about) }

    var held: Int64? { offset }
    var unknownZones: Set<String> { times.unknownZones }

    /// True when the first of the head's lines that start with a time is Patroni's.
    static func recognises(_ head: UnsafeBufferPointer<UInt8>) -> Bool {
        var times = PrintedTime(ReadingFacts())
        for line in HeadLines(head) {
            if line.first == 123 { return PatroniJSON(line)?.isComplete == true }
            guard PrintedTime.isTime(line) else { continue }
            // The first line with a time decides: in a server's log, a client can write any other, in a name.
            return PatroniAssembler.head(line, &times, isStrict: true) != nil
        }
        return false
    }

    mutating func take(_ line: LogLine, into rows: inout RowBuffer) {
        if line.bytes.first == 123, let json = PatroniJSON(line.bytes), json.isComplete, let time = time(of: json) {
            finish(into: &rows)
            draft.begin(offset: line.offset, time: time, dataset: .patroni)
            draft.set(.severity, json.level)
            draft.set(.message, json.message)
            if !json.exception.isEmpty {
                draft.append(.message, CollectionOfOne(10))
                draft.append(.message, json.exception)
            }
            rows.append(draft)
            return
        }
        if let head = PatroniAssembler.head(line.bytes, &times, isStrict: false) {
            finish(into: &rows)
            begin(line, head)
            return
        }
        guard offset != nil, isContinued(by: line.bytes), length + line.bytes.count < PatroniAssembler.longest else {
            return rows.pass(line)
        }
        length += line.bytes.count + 1
        draft.append(.message, CollectionOfOne(10))
        draft.append(.message, line.bytes)
    }

    mutating func finish(into rows: inout RowBuffer) {
        guard offset != nil else { return }
        rows.append(draft)
        offset = nil
    }

    private mutating func begin(_ line: LogLine, _ head: Head) {
        draft.begin(offset: line.offset, time: head.time, dataset: .patroni)
        draft.set(.severity, line.bytes[head.level])
        let text = UnsafeBufferPointer(rebasing: line.bytes[min(head.text, line.bytes.count)...])
        draft.set(.message, text)
        offset = line.offset
        length = line.bytes.count
        takesAll = !line.bytes.has("INFO", at: head.level.lowerBound) || PatroniAssembler.isFirstOfMany(text)
    }

    /// Lines of the program itself that go on: blank ones, indented ones, tracebacks.
    private func isContinued(by line: UnsafeBufferPointer<UInt8>) -> Bool {
        if PrintedTime.isTime(line) { return false }
        if takesAll { return !PatroniAssembler.isChild(line) }
        return line.first == 32 || line.first == 9 || line.has("Traceback (")
    }

    /// Messages that Patroni writes with line breaks in them.
    private static func isFirstOfMany(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        text.last == 58 || text.last == 61 || text.has(" stdout=") || text.has(" stderr=")
            || text.find("history=") != nil
    }

    /// What pg_isready, pg_ctl and initdb say, whose output is not Patroni's.
    private static func isChild(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        for end in [
            StaticString(" - accepting connections"), " - rejecting connections", " - no response",
        ] where line.find(end) != nil {
            return true
        }
        return line.has("server promoting") || line.has("server signaled") || line.has("waiting for server")
    }

    private mutating func time(of json: PatroniJSON) -> LogTime? {
        json.time.withUnsafeBufferPointer { text in
            var cursor = LineCursor(text)
            return times.read(&cursor, takesNames: true)
        }
    }

    /// Time and level of a line that starts a record. `isStrict` asks for Patroni's default format, which no other
    /// program's lines fit: one blank behind the colon, where PostgreSQL has two.
    static func head(
        _ line: UnsafeBufferPointer<UInt8>, _ times: inout PrintedTime, isStrict: Bool
    ) -> Head? {
        guard let first = line.first, first.digit != nil else { return nil }
        var cursor = LineCursor(line)
        guard PrintedTime.isTime(line), let time = times.read(&cursor, takesNames: true) else { return nil }
        if !isStrict {
            _ = cursor.run { $0 == 32 || $0 == 45 || $0 == 124 || $0 == 91 }
        } else {
            guard cursor.skip(32) else { return nil }
        }
        let level = cursor.run { $0.isCapital }
        guard isLevel(UnsafeBufferPointer(rebasing: line[level])) else { return nil }
        if isStrict {
            guard cursor.skip(": "), cursor.next != 32 else { return nil }
        } else {
            _ = cursor.skip(93)
            _ = cursor.skip(58) || cursor.skip(" -") || cursor.skip(" |")
            guard cursor.skip(32) || cursor.isAtEnd else { return nil }
        }
        return Head(time: time, level: level, text: cursor.at)
    }

    private static func isLevel(_ word: UnsafeBufferPointer<UInt8>) -> Bool {
        for level in [StaticString("INFO"), "WARNING", "ERROR", "CRITICAL", "DEBUG"]
        where word.count == level.utf8CodeUnitCount && word.has(level) {
            return true
        }
        return false
    }
}
