import Patterns
import VigilModel

/// Finds the patterns that a record can match by its SQLSTATE, and for SQLSTATE 00000 by the first four bytes of its
/// message, before anything else of the record is touched: most records end here.
struct PatternIndex: Sendable {
    private let patterns: [EventPattern]
    /// Pattern numbers by the first four bytes of their messages.
    private let byHead: [UInt32: [Int]]
    /// One bit for each hash of four bytes that some message starts with.
    private let heads: [UInt64]
    /// Pattern numbers by SQLSTATE (five bytes as a number), for the states seen so far.
    private var byState: [UInt64: [Int]] = [:]

    /// `00000` as `LogRecord.head` gives it.
    static let success = UInt64(0x30_3030_3030)

    init(_ patterns: [EventPattern]) {
        self.patterns = patterns
        var byHead: [UInt32: [Int]] = [:]
        var heads = [UInt64](repeating: 0, count: 64)
        for (number, pattern) in patterns.enumerated() where pattern.condition.covers(state: "00000") {
            for head in Set(pattern.condition.messages.map { PatternIndex.head($0.quotedPrefix) }) {
                byHead[head, default: []].append(number)
                let bit = PatternIndex.bit(head)
                heads[bit >> 6] |= 1 << UInt64(bit & 63)
            }
        }
        self.byHead = byHead
        self.heads = heads
    }

    private static func head(_ prefix: [UInt8]) -> UInt32 {
        prefix.prefix(4).enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << UInt32($1.offset * 8) }
    }

    @inline(__always)
    private static func bit(_ head: UInt32) -> Int { Int(truncatingIfNeeded: (head &* 0x9E37_79B1) >> 20) }

    /// True when a message of SQLSTATE 00000 that starts so is no pattern's: the usual end of a record's way.
    @inline(__always)
    func isUnknown(messageHead: UInt64) -> Bool {
        let bit = PatternIndex.bit(UInt32(truncatingIfNeeded: messageHead))
        return heads[bit >> 6] & (1 << UInt64(bit & 63)) == 0
    }

    /// The first pattern that the record matches.
    mutating func match(_ record: LogRecord, state: UInt64) -> EventPattern? {
        let candidates: [Int]
        if state == PatternIndex.success {
            candidates = byHead[UInt32(truncatingIfNeeded: record.head(.message))] ?? []
        } else {
            candidates = numbers(state: state)
        }
        for number in candidates where patterns[number].condition.holds(for: record) { return patterns[number] }
        return nil
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
