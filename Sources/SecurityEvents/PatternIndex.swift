import Patterns
import VigilModel

/// Finds the patterns that a record can match by its SQLSTATE, and for SQLSTATE 00000 by the first bytes of its message,
/// before anything else of the record is touched: most records end here.
struct PatternIndex {
    /// A message of SQLSTATE 00000 and the pattern that asks for it.
    struct Candidate: Sendable {
        /// Its first eight bytes, and which of them it has.
        var head, mask: UInt64
        var pattern: Int
        var template: MessageTemplate
        /// Of a message with a duration: bytes before the number, and the first eight behind it.
        var numberAt = 0
        var tail: UInt64 = 0
        var tailMask: UInt64 = 0
    }

    let patterns: [EventPattern]
    /// Candidates sorted by the hash of their first four bytes.
    let candidates: [Candidate]
    private let matcher: MessageMatcher
    /// Where the candidates of each hash start; one more at the end.
    private let starts: [UInt16]
    /// Pattern numbers by SQLSTATE (five bytes as a number), for the states seen so far.
    private var byState: [UInt64: [Int]] = [:]

    /// `00000` as `LogRecord.head` gives it.
    static let success = UInt64(0x30_3030_3030)
    private static let hashes = 4096
    private let scratch = Regex.Scratch()

    /// The number of a pattern, and that of the message it was found by.
    struct Match {
        var pattern: Int
        var candidate: Int?
    }

    init(_ patterns: [EventPattern]) {
        self.patterns = patterns
        var found: [(hash: Int, candidate: Candidate)] = []
        for (number, pattern) in patterns.enumerated() where pattern.condition.covers(state: "00000") {
            for template in pattern.condition.messages {
                let (head, mask) = PatternIndex.head(template.quotedPrefix)
                let hash = PatternIndex.hash(ofMessage: head)
                var candidate = Candidate(head: head, mask: mask, pattern: number, template: template)
                if template.startsWithNumber {
                    candidate.numberAt = template.quotedPrefix.count
                    (candidate.tail, candidate.tailMask) = PatternIndex.head(template.quotedTail)
                }
                found.append((hash, candidate))
            }
        }
        // Patterns keep their order under each hash: the first that fits decides.
        let sorted = found.enumerated().sorted { ($0.element.hash, $0.offset) < ($1.element.hash, $1.offset) }
        candidates = sorted.map(\.element.candidate)
        matcher = MessageMatcher(candidates.map(\.template))
        var starts = [UInt16](repeating: 0, count: PatternIndex.hashes + 1)
        for entry in found { starts[entry.hash + 1] += 1 }
        for hash in 0..<PatternIndex.hashes { starts[hash + 1] += starts[hash] }
        self.starts = starts
    }

    private static func head(_ prefix: [UInt8]) -> (head: UInt64, mask: UInt64) {
        let head = prefix.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << UInt64($1.offset * 8) }
        return (head, prefix.count >= 8 ? .max : (1 << UInt64(prefix.count * 8)) &- 1)
    }

    /// Two quotes, which stand in csvlog for the one that a message starts with when its first word is a name: such
    /// messages have no more bytes in common, and are few.
    private static let quotes: UInt64 = 0x2222

    /// The hash of the bytes that decide: four, or two quotes.
    @inline(__always)
    private static func hash(ofMessage head: UInt64) -> Int { hash(head & 0xFFFF == quotes ? quotes : head) }

    @inline(__always)
    private static func hash(_ head: UInt64) -> Int {
        Int(truncatingIfNeeded: (UInt32(truncatingIfNeeded: head) &* 0x9E37_79B1) >> 20)
    }

    /// True when a message of SQLSTATE 00000 that starts so is no pattern's: the usual end of a record's way.
    @inline(__always)
    func isUnknown(messageHead: UInt64) -> Bool {
        let hash = PatternIndex.hash(ofMessage: messageHead)
        return starts[hash] == starts[hash + 1]
    }

    /// The message that a match was found by.
    func template(of match: Match) -> MessageTemplate? { match.candidate.map { candidates[$0].template } }

    /// The first pattern that the record matches.
    mutating func match(_ record: LogRecord, state: UInt64) -> Match? {
        if state == PatternIndex.success { return match(record, head: record.head(.message)) }
        for number in numbers(state: state) where patterns[number].columnsHold(for: record) {
            if patterns[number].messageHolds(for: record), expressionsHold(number, record) {
                return Match(pattern: number)
            }
        }
        return nil
    }

    private func match(_ record: LogRecord, head: UInt64) -> Match? {
        var next = 0
        while let (number, _) = message(of: record, head: head, from: next) {
            let pattern = candidates[number].pattern
            if patterns[pattern].columnsHold(for: record), expressionsHold(pattern, record) {
                return Match(pattern: pattern, candidate: number)
            }
            next = number + 1
        }
        return nil
    }

    /// The match that a candidate stands for.
    func match(ofCandidate number: Int) -> Match { Match(pattern: candidates[number].pattern, candidate: number) }

    /// The next candidate whose message a record of SQLSTATE 00000 shows, and where the text behind its first words
    /// starts in the message as it stands in the log.
    @inline(__always)
    func message(of record: LogRecord, head: UInt64, from first: Int) -> (candidate: Int, textStart: Int)? {
        let hash = PatternIndex.hash(ofMessage: head)
        var number = (at: 0, tail: UInt64(0))
        var index = max(first, Int(starts[hash]))
        let end = Int(starts[hash + 1])
        while index < end {
            defer { index += 1 }
            guard head & candidates[index].mask == candidates[index].head else { continue }
            let numberAt = candidates[index].numberAt
            if numberAt > 0 {
                if number.at != numberAt { number = (numberAt, record.wordBehindNumber(.message, at: numberAt)) }
                guard number.tail & candidates[index].tailMask == candidates[index].tail else { continue }
            }
            if let start = record.withContent(.message, { matcher.textStart(index, in: $0) }) { return (index, start) }
        }
        return nil
    }

    /// Most patterns have none, and few records come so far.
    func expressionsHold(_ number: Int, _ record: LogRecord) -> Bool {
        !patterns[number].hasExpressions || patterns[number].condition.expressionsHold(for: record, scratch)
    }

    private mutating func numbers(state: UInt64) -> [Int] {
        if let known = byState[state] { return known }
        let text = String(
            decoding: (0..<5).map { UInt8(truncatingIfNeeded: state >> UInt64($0 * 8)) }, as: UTF8.self)
        let found = patterns.indices.filter { patterns[$0].condition.covers(state: text) }
        // PostgreSQL has some 260 states; garbage must not fill the table.
        if byState.count < 4096 { byState[state] = found }
        return found
    }
}
