/// How long to wait before a sink is tried again: twice as long each time, from a second to five minutes, and up to a
/// quarter more or less, so that many senders do not come back at once.
public struct Backoff: Sendable {
    /// Attempts that failed in a row.
    public private(set) var attempts = 0

    /// No failure yet.
    public init() {}

    /// Milliseconds to wait after another failure. A server's own wish counts, up to an hour.
    public mutating func next(retryAfter: Double? = nil) -> Int64 {
        attempts += 1
        let doubled = min(300_000, 1000 * (1 << Int64(min(attempts - 1, 9))))
        let wanted = retryAfter.map { Int64(min(3600, max(0, $0)) * 1000) } ?? 0
        return max(wanted, Int64(Double(doubled) * Double.random(in: 0.75...1.25)))
    }

    /// It went well.
    public mutating func reset() { attempts = 0 }
}
