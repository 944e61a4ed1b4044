/// The nine raw columns behind the message of a row: detail, hint, internal query and position, context, query and
/// position, location, application name. The server's own records have a detail at most (and a location where it logs
/// verbosely); what more there is comes from a statement, is not told apart, and counts as context.
struct PGAuditTail {
    private(set) var detail = 0..<0
    private(set) var context = 0..<0
    private(set) var location = 0..<0
    private(set) var application = 0..<0
    /// Nothing of the client's but an application name.
    var isClean: Bool { detail.isEmpty && context.isEmpty }

    /// Commas between detail and location when all in between is empty.
    private static let empty = 7

    /// `end` is the comma behind the message; nil when there is none.
    init?(_ bytes: UnsafeBufferPointer<UInt8>, from end: Int) {
        guard end < bytes.count, bytes[end] == 44 else { return nil }
        let first = end + 1
        guard let run = PGAuditTail.run(bytes, from: first), run == first || bytes[first] != 44 else {
            readContext(bytes, from: first)
            return
        }
        detail = first..<run
        let rest = run + PGAuditTail.empty
        if rest < bytes.count, bytes[rest] == 44 {
            application = rest + 1..<bytes.count
        } else if let locationEnd = PGAuditTail.locationEnd(bytes, from: rest) {
            location = rest..<locationEnd
            application = locationEnd + 1..<bytes.count
        } else {
            context = rest..<bytes.count
        }
    }

    /// Takes what does not look like the server's own columns. Where query and its position, and the location, are
    /// empty, the rest is told apart.
    private mutating func readContext(_ bytes: UnsafeBufferPointer<UInt8>, from first: Int) {
        context = first..<bytes.count
        // Where nothing was said but commas are missing, nothing is context.
        if bytes[context].allSatisfy({ $0 == 44 }) { context = 0..<0 }
        let start = first + 4
        guard start < bytes.count, bytes[first..<start].allSatisfy({ $0 == 44 }), bytes[start] != 44,
            let last = bytes.lastIndex(of: 44), last - 3 > start, bytes[last - 3..<last].allSatisfy({ $0 == 44 })
        else { return }
        context = start..<last - 3
        application = last + 1..<bytes.count
    }

    /// The first of seven commas in a row.
    private static func run(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var at = start
        var count = 0
        while at < bytes.count {
            count = bytes[at] == 44 ? count + 1 : 0
            at += 1
            if count == empty { return at - empty }
        }
        return nil
    }

    /// The comma behind `func, file:123`.
    private static func locationEnd(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        let text = bytes[start...].prefix(256)
        guard let colon = text.firstIndex(of: 58) else { return nil }
        let digits = bytes[(colon + 1)...].prefix { PGAuditTime.isDigit($0) }
        guard !digits.isEmpty, digits.endIndex < bytes.count, bytes[digits.endIndex] == 44 else { return nil }
        return digits.endIndex
    }
}
