import VigilModel

/// The events of one group that are in a rule's window.
///
/// A rule that counts events keeps each; one that counts different values keeps the last event of each value, so that
/// noise about one value cannot push out the others.
struct Window {
    /// One event that counts, or the last of several with the same value. Plain numbers: a flood fills windows with very
    /// many, and nothing is counted with them.
    struct Entry {
        var time: LogTime
        var seq: Int64
        var count: Int64
        /// Hashes of who did it.
        let marks: DetectionActor.Marks
        /// True for a failed login, which may be tried again at once.
        let isFailure: Bool
        /// True when a retry of it was counted with it.
        var hasRetry = false

        init(_ event: DetectionEvent) {
            time = event.time
            seq = event.seq
            count = event.count
            marks = event.actor.marks
            isFailure = event.kind.action == "auth.failure"
        }
    }

    /// A client that prefers TLS tries again without it at once: two failures within so many milliseconds are one.
    private static let retry: Int64 = 100

    private var entries: [Entry] = []
    private var front = 0
    private var total: Int64 = 0
    /// Hashes of the values that the entries are of, of a rule that counts these. Gone over one by one: there are some
    /// hundred at most.
    private var values: [Int] = []
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
        let hash = value.hashValue
        if let known = values.firstIndex(of: hash) {
            let count = entries[known].count
            entries[known] = entry
            entries[known].count += count
            return
        }
        if values.count >= limit {
            prune(at: entry.time, window: window)
            if values.count >= limit { forgetOldest() }
        }
        values.append(hash)
        entries.append(entry)
    }

    /// Lets the oldest quarter of the values go: a flood of new ones then costs little for each.
    private mutating func forgetOldest() {
        let times = entries.map(\.time).sorted()
        let last = times[times.count / 4]
        keepValues { $0.time > last }
    }

    private mutating func keepValues(where isKept: (Entry) -> Bool) {
        var kept = 0
        for place in entries.indices where isKept(entries[place]) {
            entries[kept] = entries[place]
            values[kept] = values[place]
            kept += 1
        }
        entries.removeLast(entries.count - kept)
        values.removeLast(values.count - kept)
    }

    /// Begins anew, in the memory it has.
    mutating func clear() {
        entries.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        (front, total, lastTime) = (0, 0, .distantPast)
    }

    private func isRetry(_ entry: Entry, of last: Entry) -> Bool {
        entry.isFailure && last.isFailure && !last.hasRetry
            && entry.time.milliseconds - last.time.milliseconds <= Window.retry
            && entry.marks == last.marks
    }

    /// Lets events go that are a whole window old.
    mutating func expire(at now: LogTime, window: Int64) {
        while front < entries.count, now.milliseconds - entries[front].time.milliseconds >= window { dropFirst() }
        compact()
    }

    /// Lets values go whose last event is a whole window old.
    mutating func prune(at now: LogTime, window: Int64) {
        keepValues { now.milliseconds - $0.time.milliseconds < window }
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
        values.isEmpty ? Array(entries[front...]) : entries.sorted { ($0.time, $0.seq) < ($1.time, $1.seq) }
    }

    /// How many events they stand for.
    var count: Int64 { values.isEmpty ? total : entries.reduce(0) { $0 + $1.count } }

    /// Entries kept.
    var size: Int { entries.count - front }

    /// How many different values they have, some of them perhaps gone from the window.
    var valueCount: Int { values.count }
}
