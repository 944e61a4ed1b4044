import VigilModel

/// The events of one group that are in a rule's window.
///
/// A rule that counts events keeps each; one that counts different values keeps the last event of each value, so that
/// noise about one value cannot push out the others.
struct Window {
    /// One event that counts, or the last of several with the same value.
    struct Entry {
        var time: LogTime
        var seq: Int64
        var count: Int64
        var actor: DetectionActor
        /// True for a failed login, which may be tried again at once.
        var isFailure: Bool
        /// True when a retry of it was counted with it.
        var hasRetry = false

        var ip: IPAddress? { actor.ip }
        var user: String? { actor.user }
        var database: String? { actor.database }

        init(_ event: DetectionEvent) {
            time = event.time
            seq = event.seq
            count = event.count
            actor = event.actor
            isFailure = event.kind.action == "auth.failure"
        }
    }

    /// A client that prefers TLS tries again without it at once: two failures within so many milliseconds are one.
    private static let retry: Int64 = 100

    private var entries: [Entry] = []
    private var front = 0
    private var total: Int64 = 0
    private var byValue: [String: Entry] = [:]
    private(set) var lastTime = LogTime.distantPast

    /// Takes an event and lets those go that are a whole window old; keeps at most `limit`.
    mutating func add(_ entry: Entry, window: Int64, limit: Int) {
        expire(at: entry.time, window: window)
        lastTime = max(lastTime, entry.time)
        if let last = entries.indices.last, last >= front, isRetry(entry, of: entries[last]) {
            entries[last].hasRetry = true
            return
        }
        entries.append(entry)
        total += entry.count
        if entries.count - front > limit { dropFirst() }
        compact()
    }

    /// Takes an event of a rule that counts different values.
    mutating func add(_ entry: Entry, value: String, window: Int64, limit: Int) {
        lastTime = max(lastTime, entry.time)
        var entry = entry
        entry.count += byValue[value]?.count ?? 0
        if byValue[value] == nil, byValue.count >= limit {
            prune(at: entry.time, window: window)
            if byValue.count >= limit { forgetOldest() }
        }
        byValue[value] = entry
    }

    /// Lets the oldest quarter of the values go: a flood of new ones then costs little for each.
    private mutating func forgetOldest() {
        let times = byValue.values.map(\.time).sorted()
        let last = times[times.count / 4]
        byValue = byValue.filter { $0.value.time > last }
    }

    /// Begins anew, in the memory it has.
    mutating func clear() {
        entries.removeAll(keepingCapacity: true)
        byValue.removeAll(keepingCapacity: true)
        (front, total, lastTime) = (0, 0, .distantPast)
    }

    private func isRetry(_ entry: Entry, of last: Entry) -> Bool {
        entry.isFailure && last.isFailure && !last.hasRetry
            && entry.time.milliseconds - last.time.milliseconds <= Window.retry
            && (entry.actor === last.actor
                || (entry.ip == last.ip && entry.user == last.user && entry.database == last.database))
    }

    /// Lets events go that are a whole window old.
    mutating func expire(at now: LogTime, window: Int64) {
        while front < entries.count, now.milliseconds - entries[front].time.milliseconds >= window { dropFirst() }
        compact()
    }

    /// Lets values go whose last event is a whole window old.
    mutating func prune(at now: LogTime, window: Int64) {
        byValue = byValue.filter { now.milliseconds - $0.value.time.milliseconds < window }
    }

    private mutating func dropFirst() {
        total -= entries[front].count
        front += 1
    }

    private mutating func compact() {
        guard front * 2 > entries.count else { return }
        entries.removeSubrange(..<front)
        front = 0
    }

    /// Those in the window, oldest first.
    var current: [Entry] {
        byValue.isEmpty ? Array(entries[front...]) : byValue.values.sorted { ($0.time, $0.seq) < ($1.time, $1.seq) }
    }

    /// How many events they stand for.
    var count: Int64 { byValue.isEmpty ? total : byValue.values.reduce(0) { $0 + $1.count } }

    /// Entries kept.
    var size: Int { entries.count - front + byValue.count }

    /// How many different values they have, some of them perhaps gone from the window.
    var valueCount: Int { byValue.count }
}
