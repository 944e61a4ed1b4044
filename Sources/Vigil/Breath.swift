/// How long `watch` waits from one reading to the next: what a server writes in many small pieces is read and committed a
/// few at a time. Where little comes, that is as short as a person may want it; the more comes, the more goes into one
/// transaction, which is most of what following a busy log costs.
struct Breath {
    /// Bytes a second, as they came of late.
    private var rate = 0.0

    /// The shortest and the longest, in seconds.
    static let range = 0.004...0.020
    /// Bytes a second up to which it is the shortest: some 1,000 records.
    private static let calm = 320_000.0
    /// Seconds over which the rate is taken.
    private static let memory = 0.25

    /// How long the next one is, from the beginning of a turn, in seconds.
    var length: Double {
        min(max(Breath.range.lowerBound * rate / Breath.calm, Breath.range.lowerBound), Breath.range.upperBound)
    }

    /// Says what a turn of that many seconds brought.
    mutating func note(bytes: Int64, in seconds: Double) {
        guard seconds > 0 else { return }
        let weight = min(seconds / Breath.memory, 1)
        rate += (Double(bytes) / seconds - rate) * weight
    }
}
