import VigilModel

/// What the first lines of a syslog file tell of all: PostgreSQL's names, its prefix, and the year.
struct SyslogHead {
    /// Programs that write as PostgreSQL does.
    private(set) var names: Set<[UInt8]> = ["postgres", "postgresql"].reduce(into: []) { $0.insert(Array($1.utf8)) }
    /// The prefix inside; nil when none fits.
    private(set) var prefix: LogLinePrefix?
    /// Texts carry numbers (`[5-1] `).
    private(set) var isNumbered = false
    private(set) var clock: SyslogClock
    /// How many of the lines have a header, and how many were looked at.
    private(set) var headers = 0, lines = 0

    /// Lines of PgBouncer or Patroni are among them.
    private(set) var hasOthers = false

    private static let mostLines = 500

    init(_ facts: ReadingFacts) {
        clock = SyslogClock(timezone: facts.timezone, start: nil, newest: facts.newest)
        facts.head.withUnsafeBufferPointer { read($0, facts) }
    }

    private mutating func read(_ head: UnsafeBufferPointer<UInt8>, _ facts: ReadingFacts) {
        var texts: [UInt8] = []
        var scratch: [UInt8] = []
        var (numbered, total) = (0, 0)
        var rest = head[...]
        while lines < SyslogHead.mostLines, let feed = rest.firstIndex(of: 10) {
            let line = UnsafeBufferPointer(rebasing: rest[..<feed])
            rest = rest[(feed + 1)...]
            if line.isEmpty || line[0] == 9 { continue }
            lines += 1
            guard let envelope = SyslogEnvelope(line) else { continue }
            headers += 1
            SyslogText.undo(UnsafeBufferPointer(rebasing: line[envelope.text...]), into: &scratch)
            scratch.withUnsafeBufferPointer { text in
                let number = SyslogText.number(text)
                let from = number?.text ?? 0
                let name = Array(line[envelope.program])
                if name == PgBouncerSyslog.name || name == PatroniSyslog.name { hasOthers = true }
                if StderrLabels.all.isAny(in: text, from: from, before: min(text.count, 600)) { names.insert(name) }
                guard names.contains(name) else { return }
                total += 1
                let isProcess = line[envelope.process].elementsEqual(text.dropFirst().prefix { $0 != 93 })
                if let number, number.part != nil || !isProcess { numbered += 1 }
                guard number?.part ?? 1 == 1 else { return }
                texts += number != nil && !isProcess ? text[from...] : text[...]
                texts.append(10)
            }
        }
        isNumbered = numbered * 2 > total
        prefix = facts.prefix.map(LogLinePrefix.init) ?? PrefixGuess(texts, needsTime: false).best
        let start = facts.clock > .distantPast ? facts.clock : innerTime(texts, facts)
        clock = SyslogClock(timezone: facts.timezone, start: start, newest: facts.newest)
    }

    /// The first time with a year inside a text.
    private func innerTime(_ texts: [UInt8], _ facts: ReadingFacts) -> LogTime? {
        guard let prefix, prefix.hasTime else { return nil }
        var rows = StderrRows(prefix: prefix, zones: TimeZoneTable(timezone: facts.timezone))
        var reading = LineReading()
        for text in texts.split(separator: 10) {
            let time: LogTime? = text.withUnsafeBufferPointer { line in
                guard prefix.readHead(line, &reading),
                    prefix.readLabel(line, from: reading.headEnd, labels: .all, &reading)
                else { return nil }
                return rows.time(line, reading.fields)
            }
            if let time { return time }
        }
        return nil
    }

    /// True when a file with that start is a syslog with lines of PostgreSQL, PgBouncer or Patroni.
    static func recognises(_ head: UnsafeBufferPointer<UInt8>) -> Bool {
        // Cheap first: most files have no header in any of the first lines.
        guard
            head.prefix(4096).split(separator: 10).prefix(5).contains(where: {
                SyslogEnvelope(UnsafeBufferPointer(rebasing: $0)) != nil
            })
        else { return false }
        let found = SyslogHead(ReadingFacts(timezone: nil, head: Array(head)))
        return found.headers * 5 >= found.lines * 4 && (found.prefix != nil || found.hasOthers)
    }
}
