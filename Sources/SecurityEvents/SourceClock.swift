import VigilModel

/// The time of one source: never runs backwards by the small steps that processes make when they write at once, follows
/// a step back of more than ten minutes (a clock that was set), and counts those.
struct SourceClock: Sendable {
    /// A step back of more than this many milliseconds is believed.
    static let tolerance: Int64 = 600_000

    /// The time of the last record, clamped.
    private(set) var now: LogTime
    /// How often the clock was set back.
    private(set) var rebased = 0

    init(now: LogTime) { self.now = now }

    /// Takes a record's printed time and gives its event time.
    @inline(__always)
    mutating func advance(to time: LogTime) -> LogTime {
        if time >= now {
            now = time
        } else if now.milliseconds &- time.milliseconds > SourceClock.tolerance {
            now = time
            rebased += 1
        }
        return now
    }
}
