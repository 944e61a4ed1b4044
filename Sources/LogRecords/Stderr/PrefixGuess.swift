import VigilModel

/// Finds the `log_line_prefix` of a file by its first lines: of the prefixes that are in use, or made up from what a line
/// shows, the one that fits most lines and makes the messages name whom the prefix names.
struct PrefixGuess {
    typealias Bytes = UnsafeBufferPointer<UInt8>

    /// The prefix; nil when the file is no stderr log.
    private(set) var best: LogLinePrefix?

    /// As many lines are looked at.
    private static let mostLines = 300
    private static let labels = StderrLabels.all
    private static let known = KnownMessages.all

    /// `needsTime` is false where something else tells the time.
    init(_ head: [UInt8], needsTime: Bool = true) {
        self = head.withUnsafeBufferPointer { PrefixGuess($0, needsTime: needsTime) }
    }

    /// The same.
    init(_ head: Bytes, needsTime: Bool = true) {
        let lines = PrefixGuess.lines(head)
        guard !lines.isEmpty else { return }
        let found = PrefixGuess.search(lines, needsTime: needsTime)
        guard needsTime, found.first.map({ $0.fits * 10 < lines.count * 9 }) ?? true else {
            if let found = found.first, found.fits * 2 >= lines.count { best = found.prefix }
            return
        }
        // Lines that fit nothing may be pieces of names: clients must not hide the prefix behind them. The prefix is the
        // one that leaves the least unexplained when the lines are read by it.
        let timed = lines.filter(PrefixGuess.startsWithTime)
        let made = PrefixInference.prefixes(timed).map(LogLinePrefix.init).filter(\.hasTime)
        var candidates = Array(found.prefix(2))
        for (prefixes, count) in [(UsualPrefixes.all, 6), (made, 4), (UsualPrefixes.fallbacks, 1)] {
            candidates += PrefixGuess.score(prefixes, timed).prefix(count)
        }
        let trials = candidates.map { ($0.prefix, PrefixTrial.unexplained(head, by: $0.prefix)) }
        guard let least = trials.min(by: { $0.1 < $1.1 }), least.1 * 10 < head.count * 7 else { return }
        best = least.0
    }

    private static func startsWithTime(_ line: Bytes) -> Bool {
        let start = line.prefix(3).firstIndex { $0 &- 48 < 10 } ?? 0
        return PrefixShape.end(.time, line, start, line.count) != nil
            || PrefixShape.end(.milliseconds, line, start, line.count) != nil
            || PrefixShape.end(.epoch, line, start, line.count) != nil
    }

    private typealias Found = (prefix: LogLinePrefix, fits: Int, score: Int)

    /// Prefixes that fit some of the lines, best first.
    private static func search(_ lines: [Bytes], needsTime: Bool) -> [Found] {
        var found = score(needsTime ? UsualPrefixes.all : UsualPrefixes.all + UsualPrefixes.timeless, lines)
        if (found.first?.score ?? 0) < lines.count * 9 {
            found += score(
                PrefixInference.prefixes(lines).map(LogLinePrefix.init).filter { $0.hasTime || !needsTime }, lines)
        }
        if (found.map(\.fits).max() ?? 0) * 2 < lines.count {
            found += score(needsTime ? UsualPrefixes.fallbacks : [LogLinePrefix("%~")], lines)
        }
        return found.enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }
            .map(\.element)
    }

    private static func score(_ prefixes: [LogLinePrefix], _ lines: [Bytes]) -> [Found] {
        prefixes.map { prefix in
            let (fits, score) = score(prefix, lines)
            return (prefix, fits, score)
        }.filter { $0.score > 0 }.enumerated()
            .sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }.map(\.element)
    }

    /// Lines with a severity or label in them, whole, without those that go on from another.
    private static func lines(_ head: Bytes) -> [Bytes] {
        var lines: [Bytes] = []
        var rest = head[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        while lines.count < mostLines, !rest.isEmpty {
            let end = rest.firstIndex(of: 10) ?? rest.endIndex
            var line = Bytes(rebasing: rest[..<end])
            rest = rest[min(end + 1, rest.endIndex)...]
            if line.last == 13 { line = Bytes(rebasing: line.dropLast()) }
            guard line.count > 5, line[0] != 9, labels.isAny(in: line, from: 0, before: min(line.count, 600)) else {
                continue
            }
            lines.append(line)
        }
        return lines
    }

    /// How many lines fit, and that with what speaks for and against the prefix.
    static func score(_ prefix: LogLinePrefix, _ lines: [Bytes]) -> (fits: Int, score: Int) {
        let names = StderrRows(prefix: prefix, zones: TimeZoneTable())
        var reading = LineReading()
        var (fits, score) = (0, 0)
        for line in lines {
            guard prefix.readHead(line, &reading),
                prefix.readLabel(line, from: reading.headEnd, labels: labels, &reading)
            else { continue }
            fits += 1
            score += 10
            // A name could look so, but hardly any does.
            for field in prefix.tailFields where !isLikely(field, line, reading.fields[field]) { score -= 8 }
            // A client's line says nothing of the client: that prefix would.
            let isAnonymous = prefix.tellsClients && (reading.stops || names.isBackground(reading))
            if reading.label == .statement, isAnonymous { score -= 11 }
            let text = line.from(reading.textStart)
            guard reading.label.isSeverity, let number = known.find(text, reading.label) else { continue }
            if isAnonymous { score -= 11 }
            guard known.isNaming(number), prefix.has(.user) || prefix.has(.database) else { continue }
            score += known.agrees(number, text, with: names.names(line, reading)) ? 5 : -5
        }
        return (fits, score)
    }

    private static func isLikely(_ field: PrefixField, _ line: Bytes, _ range: Range<Int>) -> Bool {
        let text = line[range]
        switch field {
        case .user, .database:
            return !text.contains { [32, 40, 41, 44, 61, 91, 93].contains($0) }
                || known.unknownNames.contains { text.elementsEqual($0) }
        case .backendType: return text.allSatisfy { $0 == 32 || $0 == 45 || (97...122).contains($0 | 32) }
        default: return true
        }
    }

    /// What the first lines prove of zones: a session's start and id in one line, or the id of a session in the line that
    /// it begins with.
    static func zones(_ facts: ReadingFacts, _ prefix: LogLinePrefix) -> TimeZoneTable {
        var zones = TimeZoneTable(timezone: facts.timezone)
        guard prefix.has(.time) || prefix.has(.milliseconds) else { return zones }
        facts.head.withUnsafeBufferPointer { head in
            var reading = LineReading()
            let lines = lines(head)
            for line in lines where prefix.has(.session) {
                guard prefix.readHead(line, &reading),
                    prefix.readLabel(line, from: reading.headEnd, labels: labels, &reading)
                else { continue }
                let range = reading.fields[prefix.has(.milliseconds) ? .milliseconds : .time]
                guard range.count > 20 else { continue }
                let time = Bytes(rebasing: line[range])
                let zone = String(decoding: time[(time[19] == 46 ? 24 : 20)...], as: UTF8.self)
                guard let offset = offset(line, reading, time) else { continue }
                _ = zones.offset(of: zone) { offset }
            }
            if facts.timezone == nil { ZoneByLanguage.learn(lines, prefix, into: &zones) }
        }
        return zones
    }

    private static func offset(_ line: Bytes, _ reading: LineReading, _ time: Bytes) -> Int64? {
        if let proven = StderrRows.provenOffset(line, reading.fields, time) { return proven }
        let text = line.from(reading.textStart)
        guard let number = known.find(text, reading.label), known.kind(number).names == ["connection_received"],
            let local = TimestampReader.second(time),
            let epoch = TimestampReader.epoch(ofSession: Bytes(rebasing: line[reading.fields[.session]]))
        else { return nil }
        // Offsets are quarters of an hour; the line is written within seconds of the session's start.
        let quarter: Int64 = 900_000
        let offset = local - epoch
        let rest = ((offset % quarter) + quarter) % quarter
        return rest < 30_000 && abs(offset) <= 16 * 3_600_000 ? offset - rest : nil
    }
}
