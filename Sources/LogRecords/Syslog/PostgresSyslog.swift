import VigilModel

/// PostgreSQL's lines in syslog (`elog.c`, write_syslog): a record goes out in parts of at most 900 bytes, cut at line
/// feeds and blanks, with the number of the message and of the part before each. Parts of several processes are mixed.
/// Without numbers lines are read as those of a stderr log.
struct PostgresSyslog: SyslogProgram {
    /// A record that is coming in.
    private struct Message {
        var key: UInt64
        var number: Int
        var time: LogTime
        var process: [UInt8]
        var text: [UInt8] = []
        /// Length of the last part.
        var lastPart = 0
        /// The lines it came in.
        var spans: [TextLine] = []
    }

    /// Most bytes of a part (PG_SYSLOG_LIMIT).
    private static let partLimit = 900
    /// A record of more bytes is cut.
    private static let longest = 4 << 20
    /// At most so many records come in at a time.
    private static let mostOpen = 128
    /// Milliseconds within which the parts of a record follow each other.
    private static let patience: Int64 = 5000
    /// Headers of the lines among which a name with line feeds may be spread.
    private static let headerLength: Int64 = 4096

    private let names: Set<[UInt8]>
    private let isNumbered: Bool
    private var records: StderrAssembler
    private var open: [Message] = []

    init(_ facts: ReadingFacts, _ head: SyslogHead) {
        names = head.names
        isNumbered = head.isNumbered
        let prefix = head.prefix ?? LogLinePrefix("%m [%p] %q%u@%d ")
        records = StderrAssembler(
            prefix, facts: ReadingFacts(timezone: facts.timezone),
            slack: head.isNumbered ? 0 : PostgresSyslog.headerLength)
    }

    var held: Int64? { [records.held, open.compactMap(\.spans.first?.offset).min()].compactMap { $0 }.min() }

    var unknownZones: Set<String> { records.unknownZones }

    func isNamed(_ name: UnsafeBufferPointer<UInt8>) -> Bool { names.contains(Array(name)) }

    mutating func take(_ line: SyslogLine, into rows: inout RowBuffer) {
        guard isNumbered else { return takePlain(line, into: &rows) }
        while let first = open.first,
            first.time.adding(milliseconds: PostgresSyslog.patience) < line.time || open.count > PostgresSyslog.mostOpen
        {
            end(0, into: &rows)
        }
        let span = TextLine(offset: line.line.offset, length: line.line.end - line.line.offset)
        let known = open.firstIndex { $0.key == line.key }
        guard let number = SyslogText.number(line.text) else {
            // The rest of a text whose line feed nothing escaped.
            guard let known, line.text.first == 9 else { return rows.pass(line.line) }
            return add(line.text, feed: true, span, to: known)
        }
        let text = UnsafeBufferPointer(rebasing: line.text[number.text...])
        if let part = number.part, part > 1, let known, open[known].number == number.message {
            return add(text, feed: isFeed(before: text, behind: open[known].lastPart), span, to: known)
        }
        if let known { end(known, into: &rows) }
        if let part = number.part, part > 1 { return rows.pass(line.line) }
        open.append(
            Message(key: line.key, number: number.message, time: line.time, process: Array(line.process)))
        add(text, feed: false, span, to: open.count - 1)
        if number.part == nil { end(open.count - 1, into: &rows) }
    }

    mutating func finish(into rows: inout RowBuffer) {
        while !open.isEmpty { end(0, into: &rows) }
        records.finish(into: &rows)
    }

    /// True when a line feed stood between two parts. Else the record was cut before a blank, where the next word had no
    /// room, or in a word that fills a part by itself. Behind a line feed of a text stands a TAB, which may be a blank
    /// too: only a word of usual length tells.
    private func isFeed(before text: UnsafeBufferPointer<UInt8>, behind length: Int) -> Bool {
        guard let first = text.first else { return true }
        guard [9, 11, 12, 13, 32].contains(first) else { return length < PostgresSyslog.partLimit - 4 }
        let word = text.dropFirst().prefix { ![9, 10, 11, 12, 13, 32].contains($0) }.count + 1
        return length + word <= PostgresSyslog.partLimit || (first == 9 && word > PostgresSyslog.partLimit / 2)
    }

    private mutating func add(_ text: UnsafeBufferPointer<UInt8>, feed: Bool, _ span: TextLine, to index: Int) {
        open[index].lastPart = text.count
        open[index].spans.append(span)
        guard open[index].text.count < PostgresSyslog.longest else { return }
        if feed { open[index].text.append(10) }
        open[index].text += text
    }

    /// Reads a record that is whole.
    private mutating func end(_ index: Int, into rows: inout RowBuffer) {
        let message = open.remove(at: index)
        let mark = rows.mark
        let start = message.spans[0].offset
        records.rows.outer = (records.prefix.hasTime ? nil : message.time, message.process)
        message.text.withUnsafeBufferPointer { text in
            var at = 0
            while at < text.count {
                let feed = text[at...].firstIndex(of: 10) ?? text.count
                // Offsets within the text: lines of other processes stand between the parts.
                records.take(
                    LogLine(
                        bytes: UnsafeBufferPointer(rebasing: text[at..<feed]), offset: start + Int64(at),
                        end: start + Int64(feed) + 1, isTorn: false), into: &rows)
                at = feed + 1
            }
        }
        records.finish(into: &rows)
        rows.account(for: message.spans, since: mark)
    }

    /// A line without a number.
    private mutating func takePlain(_ line: SyslogLine, into rows: inout RowBuffer) {
        records.rows.outer = (records.prefix.hasTime ? nil : line.time, Array(line.process))
        var text = line.text
        var reading = LineReading()
        if let number = SyslogText.number(text), !records.prefix.readHead(text, &reading) {
            text = UnsafeBufferPointer(rebasing: text[number.text...])
        }
        records.take(
            LogLine(bytes: text, offset: line.line.offset, end: line.line.end, isTorn: line.line.isTorn), into: &rows)
    }
}
