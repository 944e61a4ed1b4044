import VigilModel

/// How long rows are kept, and how much room they may take.
public struct RetentionLimits: Sendable, Equatable {
    /// Milliseconds of event time that events are kept, and the counters of the hour.
    public var events: Int64 = 200 * 86_400_000
    /// The same for alerts with the events they rest on, bans and acts.
    public var alerts: Int64 = 400 * 86_400_000
    /// Bytes that the store may take; nil for no limit. Only ordinary events go for it.
    public var size: Int64? = 20_000_000_000

    /// The defaults.
    public init() {}
}

/// Rows that went, by table.
public struct RetentionResult: Sendable {
    /// How many went of each table.
    public internal(set) var rows: [String: Int] = [:]
    /// There is no room, and nothing more that may go.
    public internal(set) var isOverfull = false
    /// The store is larger than it may be by more than a hundredth: what goes must go faster than what comes.
    public internal(set) var isPressing = false

    /// Nothing went.
    public init() {}

    /// All of them.
    public var count: Int { rows.values.reduce(0, +) }

    mutating func add(_ count: Int, of table: String) { if count > 0 { rows[table, default: 0] += count } }

    /// Adds what went later.
    public mutating func add(_ other: RetentionResult) {
        rows.merge(other.rows, uniquingKeysWith: +)
        isOverfull = isOverfull || other.isOverfull
        isPressing = other.isPressing
    }
}
