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
        var best = PrefixGuess.best(
            of: needsTime ? UsualPrefixes.all : UsualPrefixes.all + UsualPrefixes.timeless, lines)
        if best.score < lines.count * 9 {
            let made = PrefixInference.prefixes(lines).map { ($0, LogLinePrefix($0)) }
            let other = PrefixGuess.best(of: made.filter { $0.1.hasTime || !needsTime }, lines)
            if other.score > best.score { best = other }
        }
        if best.fits * 2 < lines.count {
            let other = PrefixGuess.best(
                of: needsTime ? UsualPrefixes.fallbacks : [("%~", LogLinePrefix("%~"))], lines)
            if other.fits > best.fits { best = other }
        }
        if best.fits * 2 >= lines.count { self.best = best.prefix }
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

    private static func best(
        of prefixes: [(String, LogLinePrefix)], _ lines: [Bytes]
    ) -> (prefix: LogLinePrefix?, fits: Int, score: Int) {
        var best: (prefix: LogLinePrefix?, fits: Int, score: Int) = (nil, 0, 0)
        for (_, prefix) in prefixes {
            let found = score(prefix, lines)
            if found.score > best.score { best = (prefix, found.fits, found.score) }
        }
        return best
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
            for field in [PrefixField.user, .database] where !isLikelyName(line, reading.fields[field]) { score -= 8 }
            // A client's line says nothing of the client: that prefix would.
            let isAnonymous = prefix.tellsClients && (reading.stops || names.isBackground(reading))
            if reading.label == .statement, isAnonymous { score -= 11 }
            let text = ArraySlice(line[reading.textStart...])
            guard reading.label.isSeverity, let number = known.find(text, reading.label) else { continue }
            if isAnonymous { score -= 11 }
            guard known.isNaming(number), prefix.has(.user) || prefix.has(.database) else { continue }
            score += known.agrees(number, text, with: names.names(line, reading)) ? 5 : -5
        }
        return (fits, score)
    }

    private static func isLikelyName(_ line: Bytes, _ range: Range<Int>) -> Bool {
        let name = line[range]
        return !name.contains { [32, 40, 41, 44, 61, 91, 93].contains($0) }
            || known.unknownNames.contains { name.elementsEqual($0) }
    }

    /// What the first lines prove of zones: a session's start and id in one line, or the id of a session in the line that
    /// it begins with.
    static func zones(_ facts: ReadingFacts, _ prefix: LogLinePrefix) -> TimeZoneTable {
        var zones = TimeZoneTable(timezone: facts.timezone)
        guard prefix.has(.session), prefix.has(.time) || prefix.has(.milliseconds) else { return zones }
        facts.head.withUnsafeBufferPointer { head in
            var reading = LineReading()
            for line in lines(head) {
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
        }
        return zones
    }

    private static func offset(_ line: Bytes, _ reading: LineReading, _ time: Bytes) -> Int64? {
        if let proven = StderrRows.provenOffset(line, reading.fields, time) { return proven }
        let text = ArraySlice(line[reading.textStart...])
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
