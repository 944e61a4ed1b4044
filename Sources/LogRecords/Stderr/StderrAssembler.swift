import VigilModel

/// Puts the lines of a stderr log together: `<prefix>SEVERITY:  message`, lines that start with TAB and go on from the
/// one before, and parts with a prefix of their own (DETAIL, HINT, STATEMENT, …). `elog.c`, send_message_to_server_log.
struct StderrAssembler: LineAssembler {
    private(set) var prefix: LogLinePrefix
    var rows: StderrRows
    let labels = StderrLabels.all
    var lines = HeldLines()
    var reading = LineReading()
    /// The line that those starting with TAB go on from.
    var current: HeldLine?
    var stray: StrayRow?
    /// The start of a file that was short when it was opened, as long as its prefix may turn out to be another one.
    private(set) var learning: PrefixLearning?
    /// Where the records stand that a run took before it is sure of them.
    var runMarks: [RunMark] = []
    /// File offset behind the last line that a run left: lines before it are not for runs.
    var runFrom: Int64 = 0
    /// Lines end in CR LF.
    private let isWindows: Bool

    /// Bytes of the file that stand between the lines of a name and are not its own (headers of syslog).
    private let slack: Int64

    init(_ facts: ReadingFacts) {
        let prefix = facts.prefix.map(LogLinePrefix.init) ?? PrefixGuess(facts.head).best
        self.init(prefix ?? LogLinePrefix("%m [%p] %q%u@%d "), facts: facts, slack: 0)
        if facts.prefix == nil { learning = PrefixLearning(facts) }
    }

    init(_ prefix: LogLinePrefix, facts: ReadingFacts, slack: Int64) {
        self.prefix = prefix
        self.slack = slack
        rows = StderrRows(prefix: prefix, zones: PrefixGuess.zones(facts, prefix))
        let feed = facts.head.firstIndex(of: 10) ?? 0
        isWindows = feed > 0 && facts.head[feed - 1] == 13
    }

    var held: Int64? { stray?.offset ?? (lines.isEmpty ? nil : lines[0].offset) }

    var unknownZones: Set<String> { rows.clock.unknownZones }

    mutating func take(_ line: LogLine, into rows: inout RowBuffer) {
        learning?.take(line)
        if stray != nil {
            stray?.take(line)
            return endRow(ifWhole: true, into: &rows)
        }
        if line.bytes.first == 9 { return goOn(line, into: &rows) }
        settle()
        guard prefix.readHead(line.bytes, &reading) else {
            return learn(line, into: &rows) ? take(line, into: &rows) : hold(line, .loose, into: &rows)
        }
        guard prefix.readLabel(line.bytes, from: reading.headEnd, labels: labels, &reading) else {
            return learn(line, into: &rows) ? take(line, into: &rows) : hold(line, .unfinished, into: &rows)
        }
        if reading.label.isSeverity { begin(line, into: &rows) } else { join(line, into: &rows) }
    }

    mutating func finish(into rows: inout RowBuffer) {
        endRow(into: &rows)
        settle()
        while !lines.isEmpty { release(into: &rows) }
    }

    /// Looks whether the file has another prefix than its first lines showed; true when the line must be read again.
    private mutating func learn(_ line: LogLine, into rows: inout RowBuffer) -> Bool {
        guard let found = learning?.prefix(for: line, labels), found.text != prefix.text else { return false }
        while !lines.isEmpty { release(into: &rows) }
        prefix = found
        self.rows = self.rows.with(prefix: found)
        return true
    }

    /// True when a carriage return before the line feed is the text's own.
    private func hasReturn(_ line: LogLine) -> Bool {
        !isWindows && Int(line.end - line.offset) - (line.isTorn ? 0 : 1) == line.bytes.count + 1
    }

    // MARK: - Lines

    /// A line that starts with TAB.
    private mutating func goOn(_ line: LogLine, into rows: inout RowBuffer) {
        guard let current else { return rows.pass(line) }
        if current.kind == .record, !current.isSettled, line.offset <= current.nameEnd,
            labels.isAny(in: line.bytes, from: 0, before: line.bytes.count)
        {
            current.isDoubtful = true
        }
        current.extend(line, hasReturn: hasReturn(line), keepsBytes: prefix.span > 0)
    }

    /// A new record.
    private mutating func begin(_ line: LogLine, into rows: inout RowBuffer) {
        guard let time = self.rows.time(line.bytes, reading.fields) else { return hold(line, .loose, into: &rows) }
        release(before: line.offset, withLastRecord: true, into: &rows)
        let held = lines.add()
        held.begin(line, .record, hasReturn: hasReturn(line), keepsBytes: true)
        held.time = time
        held.column = .message
        self.rows.begin(&held.draft, line.bytes, reading, offset: line.offset, time: time)
        if prefix.span > 0 {
            held.nameEnd = line.offset + slack + Int64(reading.headEnd + prefix.span)
            held.isDoubtful = hasOtherLabel(line.bytes)
        }
        current = held
        swap(&held.reading, &reading)
    }

    /// True when another severity or label stands where a name could have put it.
    func hasOtherLabel(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let reach = min(bytes.count, reading.headEnd + prefix.reach + StderrLabels.longest)
        return reading.textStart < reach && labels.isAny(in: bytes, from: reading.textStart, before: reach)
            || !reading.isFirst && labels.isAny(in: bytes, from: reading.headEnd, before: reading.labelStart)
    }

    /// A part of the last record.
    private mutating func join(_ line: LogLine, into rows: inout RowBuffer) {
        if lines.count > 1, let owner = ownerOfPieces(line) {
            owner.hasReturn = hasReturn(line)
            current = owner
            return
        }
        guard let owner = lines.lastRecord(before: lines.count), let part = part(line.bytes, of: owner) else {
            return hold(line, prefix.span > 0 ? .unfinished : .loose, isPart: true, into: &rows)
        }
        if prefix.span > 0, !lines[owner].isHostile, hasOtherLabel(line.bytes) {
            if let other = adoptHeldPart(line.bytes, reading) { return add(line, other, to: lines[lines.count - 1]) }
            let others = severeReadings(line.bytes, reading)
            if !others.isEmpty {
                hold(line, .unfinished, isPart: true, into: &rows)
                lines[lines.count - 1].readings = others
                lines[lines.count - 1].isSettled = true
                return
            }
        }
        add(line, part, to: lines[owner])
    }

    private mutating func add(_ line: LogLine, _ part: LineReading, to owner: HeldLine) {
        owner.column = part.label.column
        owner.hasReturn = hasReturn(line)
        owner.end = line.end
        rows.add(part.label, line.bytes.from(part.textStart), to: &owner.draft)
        current = owner
    }

    /// How a line is read as a part of a record, by process and names; nil when it is another's.
    private mutating func part(_ bytes: UnsafeBufferPointer<UInt8>, of owner: Int) -> LineReading? {
        if !lines[owner].isHostile, lines[owner].readings.isEmpty {
            guard isSameProcess(bytes, reading, lines[owner].raw, lines[owner].reading) else { return nil }
            let isSure = prefix.span == 0 || !hasOtherLabel(bytes)
            return isSure || isSameClient(bytes, reading, lines[owner].raw, lines[owner].reading) ? reading : nil
        }
        var other = reading
        var from = other.headEnd
        while prefix.readLabel(bytes, from: from, labels: labels, &other) {
            if !other.label.isSeverity, adopt(owner, forPart: bytes, other) { return other }
            from = other.textStart
        }
        return nil
    }

    /// Keeps a line that may be a piece of another's prefix.
    private mutating func hold(
        _ line: LogLine, _ kind: HeldLine.Kind, isPart: Bool = false, into rows: inout RowBuffer
    ) {
        release(before: line.offset, withLastRecord: false, into: &rows)
        let isNear = (0..<lines.count).contains { line.offset <= lines[$0].nameEnd }
        guard kind == .unfinished && prefix.span > 0 || isNear else {
            // A record is written as a whole: another process's line ends it.
            while !lines.isEmpty { release(into: &rows) }
            current = nil
            return passOver(line, kind, into: &rows)
        }
        let held = lines.add()
        held.begin(line, kind, hasReturn: hasReturn(line), keepsBytes: true)
        held.isPart = isPart
        current = held
        guard kind == .unfinished else { return }
        held.nameEnd = line.offset + slack + Int64(reading.headEnd + prefix.span)
        held.time = self.rows.time(line.bytes, reading.fields) ?? .distantPast
        swap(&held.reading, &reading)
    }
}
