import VigilModel

/// Puts the lines of pgBackRest together: `2026-03-02 11:32:01.195 P00   INFO: text` in its files and on standard output
/// (`logPost` in common/log.c); with `log-timestamp=n`, and before the options are read, without the time; on standard
/// error `ERROR: [082]: text`. Lines that go on are indented. A line without a time is given the source's time.
struct PgBackRestAssembler: LineAssembler {
    private struct Head {
        var time: LogTime
        var process: Range<Int>
        var level: Range<Int>
        var text: Int
    }

    /// A line that starts a process's part of a file; never on the console.
    private static let banner = StaticString("-------------------PROCESS START-------------------")
    private static let longest = 1 << 20

    private var times: PrintedTime
    private var draft = DraftRecord()
    /// Where the record starts that waits for more lines.
    private var offset: Int64?
    private var length = 0
    private var isError = false
    /// One of pgBackRest's own files, which hold one command of one stanza: its name is in the first `command begin`.
    private let isFile: Bool
    private var command: [UInt8] = []
    private var stanza: [UInt8] = []

    init(_ about: ReadingFacts) {
        times = PrintedTime(about)
        (isFile, command, stanza) = about.head.withUnsafeBufferPointer(PgBackRestAssembler.facts)
    }

    var held: Int64? { offset }
    var unknownZones: Set<String> { times.unknownZones }

    /// True when the head's first line that is neither blank nor a banner is one of pgBackRest's with its process, or a
    /// banner came before.
    static func recognises(_ head: UnsafeBufferPointer<UInt8>) -> Bool {
        var times = PrintedTime(ReadingFacts())
        for line in HeadLines(head) where !line.isEmpty {
            if line.has(banner) { return true }
            if let head = PgBackRestAssembler.head(line, &times) {
                return !head.process.isEmpty || isCode(UnsafeBufferPointer(rebasing: line[head.text...]))
            }
            if PrintedTime.isTime(line) { return false }
        }
        return false
    }

    mutating func take(_ line: LogLine, into rows: inout RowBuffer) {
        if let head = PgBackRestAssembler.head(line.bytes, &times) {
            if isError, offset != nil { end(with: line, head) }
            finish(into: &rows)
            begin(line, head)
            return
        }
        if offset != nil, line.bytes.first == 32 || line.bytes.first == 9 {
            guard length + line.bytes.count < PgBackRestAssembler.longest else {
                return rows.skip(line, reason: "a longer record than pgBackRest writes")
            }
            length += line.bytes.count + 1
            draft.append(.message, CollectionOfOne(10))
            draft.append(.message, line.bytes.drop { $0 == 32 })
            return
        }
        finish(into: &rows)
        if line.bytes.isEmpty || line.bytes.has(PgBackRestAssembler.banner) || !isFile { return rows.pass(line) }
        rows.skip(line, reason: "no line of pgBackRest")
    }

    mutating func finish(into rows: inout RowBuffer) {
        guard offset != nil else { return }
        rows.append(draft)
        offset = nil
    }

    /// An error that comes right before the end of its command is that command's and of that time.
    private mutating func end(with line: LogLine, _ head: Head) {
        let text = UnsafeBufferPointer(rebasing: line.bytes[min(head.text, line.bytes.count)...])
        guard let command = PgBackRestAssembler.command(text), text.find(" command end: ") != nil else { return }
        if draft.time == .distantPast { draft.time = head.time }
        draft.set(.commandTag, text[command])
    }

    private mutating func begin(_ line: LogLine, _ head: Head) {
        draft.begin(offset: line.offset, time: head.time, dataset: .pgbackrest)
        draft.set(.severity, line.bytes[head.level])
        // On standard error the process is not printed: it is the main one.
        if head.process.isEmpty {
            draft.set(.processID, "00")
        } else {
            draft.set(.processID, line.bytes[head.process])
        }
        isError =
            line.bytes.has("ERROR", at: head.level.lowerBound) || line.bytes.has("ASSERT", at: head.level.lowerBound)
        let text = UnsafeBufferPointer(rebasing: line.bytes[min(head.text, line.bytes.count)...])
        draft.set(.message, text)
        // A line that names its command says more than the file does.
        if let own = PgBackRestAssembler.command(text) {
            draft.set(.commandTag, text[own])
            if let stanza = PgBackRestAssembler.stanza(text) { draft.set(.databaseName, text[stanza]) }
        } else if !command.isEmpty {
            draft.set(.commandTag, command)
        }
        if !draft.has(.databaseName), !stanza.isEmpty { draft.set(.databaseName, stanza) }
        offset = line.offset
        length = line.bytes.count
    }

    /// What the file's head says of the whole file. The first `command begin` decides, and only behind a banner: it is
    /// the same however far the file has grown.
    private static func facts(_ head: UnsafeBufferPointer<UInt8>) -> (Bool, [UInt8], [UInt8]) {
        var times = PrintedTime(ReadingFacts())
        var isFile = false
        for line in HeadLines(head) where !line.isEmpty {
            if line.has(banner) {
                isFile = true
                continue
            }
            guard isFile, let first = PgBackRestAssembler.head(line, &times) else { return (isFile, [], []) }
            let text = UnsafeBufferPointer(rebasing: line[min(first.text, line.count)...])
            guard let command = command(text) else { return (isFile, [], []) }
            return (isFile, Array(text[command]), stanza(text).map { Array(text[$0]) } ?? [])
        }
        return (isFile, [], [])
    }

    /// `backup` in `backup command begin 2.55.1: …`, `archive-push` in `archive-push:async command end: …`.
    private static func command(_ text: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        var cursor = LineCursor(text)
        _ = cursor.skip("[DRY-RUN] ")
        let name = cursor.run { ($0 >= 97 && $0 <= 122) || $0 == 45 }
        if cursor.skip(58) { _ = cursor.run { $0 >= 97 && $0 <= 122 } }
        guard !name.isEmpty, cursor.skip(" command begin ") || cursor.skip(" command end: ") else { return nil }
        return name
    }

    /// The name behind `--stanza=`.
    private static func stanza(_ text: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        guard let start = text.find(" --stanza=") else { return nil }
        var cursor = LineCursor(text, at: start + 10)
        if cursor.skip(34) { return cursor.run { $0 != 34 } }
        return cursor.run { $0 != 32 }
    }

    /// Time, process and level of a line that starts a record.
    private static func head(_ line: UnsafeBufferPointer<UInt8>, _ times: inout PrintedTime) -> Head? {
        var cursor = LineCursor(line)
        var time: LogTime?
        if PrintedTime.isTime(line) {
            guard line.count > 24 else { return nil }
            // The process stands where another program's zone would: it is no zone.
            time = times.read(&cursor, takesNames: false)
            guard cursor.skip(32) else { return nil }
        }
        var process = cursor.at..<cursor.at
        if cursor.skip(80) {
            process = cursor.run { $0.digit != nil }
            guard (2...6).contains(process.count), cursor.skip(32) else { return nil }
        } else if time != nil {
            return nil
        }
        if !process.isEmpty { _ = cursor.run { $0 == 32 } }
        let level = cursor.run { $0.isCapital }
        guard isLevel(UnsafeBufferPointer(rebasing: line[level])), cursor.skip(58) else { return nil }
        guard cursor.skip(32) || cursor.isAtEnd else { return nil }
        return Head(time: time ?? .distantPast, process: process, level: level, text: cursor.at)
    }

    /// True when an error's number stands there: `[082]: `.
    private static func isCode(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var cursor = LineCursor(text)
        return cursor.skip(91) && cursor.run { $0.digit != nil }.count == 3 && cursor.skip("]: ")
    }

    private static func isLevel(_ word: UnsafeBufferPointer<UInt8>) -> Bool {
        for level in [StaticString("INFO"), "WARN", "ERROR", "DETAIL", "DEBUG", "TRACE", "ASSERT"]
        where word.count == level.utf8CodeUnitCount && word.has(level) {
            return true
        }
        return false
    }
}
