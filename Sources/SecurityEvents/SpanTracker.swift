import VigilModel

/// What a log says in every loop, as long as it lasts: one event for each span of time.
struct SpanTracker {
    private struct Entry {
        var start: LogTime
        var end: LogTime
        var offset: Int64
        var clockBefore: LogTime
    }

    /// More things than that do not last at once; a made-up one must not fill the memory.
    private static let most = 1024
    private var known: [UInt64: Entry] = [:]

    /// What a record is the same as.
    static func key(_ record: LogRecord, name: String, columns: [LogColumn]) -> UInt64 {
        var digest = Digest64()
        digest.combine(name)
        for column in columns {
            digest.separate()
            record.withContent(column) { digest.combine($0) }
        }
        return digest.value
    }

    /// The oldest record that a reading must start with to decide alike, and the source's time before it.
    func held(at now: LogTime) -> (offset: Int64, clockBefore: LogTime)? {
        known.values.filter { SpanTracker.lasts($0, at: now) }.min { $0.offset < $1.offset }
            .map { ($0.offset, $0.clockBefore) }
    }

    /// True when a span of that key begins with the record; false when it lasts.
    mutating func begin(
        _ key: UInt64, lasting length: Int64, _ record: LogRecord, time: LogTime, clockBefore: LogTime
    ) -> Bool {
        if let entry = known[key], SpanTracker.lasts(entry, at: time) { return false }
        if known.count >= SpanTracker.most {
            known = known.filter { SpanTracker.lasts($0.value, at: time) }
            if known.count >= SpanTracker.most, let first = known.min(by: { $0.value.offset < $1.value.offset }) {
                known[first.key] = nil
            }
        }
        known[key] = Entry(
            start: time, end: time.adding(milliseconds: length), offset: record.offset, clockBefore: clockBefore)
        return true
    }

    /// A clock that was set back ends it.
    private static func lasts(_ entry: Entry, at now: LogTime) -> Bool { entry.start <= now && now < entry.end }
}
