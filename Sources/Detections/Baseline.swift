import VigilModel

/// The values that groups have shown, with a limit: of too many, those seen longest ago are forgotten.
struct Baseline {
    private struct Key: Hashable {
        var group: String
        /// Empty for the group itself.
        var value: String
    }

    /// A class, so that who has found it once need not search for it again.
    fileprivate final class Seen {
        let first: LogTime
        var last: LogTime
        var count: Int64
        /// Not told of since it changed.
        var isChanged: Bool
        var isForgotten = false

        init(first: LogTime, last: LogTime, count: Int64, isChanged: Bool = true) {
            self.first = first
            self.last = last
            self.count = count
            self.isChanged = isChanged
        }
    }

    /// What a group and a value of it were found to have; the next look for the same two is spared.
    struct Bookmark {
        fileprivate var group, value: Seen?
    }

    private var seen: [Key: Seen] = [:]
    private var changed: [Key] = []

    private static let limit = 200_000

    /// Takes a value; true when it is new to a group that is known well enough.
    mutating func take(
        _ value: String, of group: @autoclosure () -> String, _ bookmark: inout Bookmark, at time: LogTime,
        count: Int, learn: Int64, forget: Int64
    ) -> Bool {
        let known = note(Key(group: group(), value: ""), &bookmark.group, at: time, limit: count)
        let before = note(Key(group: group(), value: value), &bookmark.value, at: time, limit: 1)
        if seen.count > Baseline.limit { forgetOldest() }
        guard let known, known.count >= count, time.milliseconds - known.first.milliseconds >= learn else {
            return false
        }
        return before.map { time.milliseconds - $0.last.milliseconds >= forget } ?? true
    }

    /// Notes that something was seen; gives what was known of it before.
    private mutating func note(
        _ key: @autoclosure () -> Key, _ bookmark: inout Seen?, at time: LogTime, limit: Int
    ) -> (first: LogTime, last: LogTime, count: Int64)? {
        if bookmark?.isForgotten ?? true { bookmark = seen[key()] }
        guard let known = bookmark else {
            let key = key()
            let new = Seen(first: time, last: time, count: 1)
            seen[key] = new
            changed.append(key)
            bookmark = new
            return nil
        }
        let before = (known.first, known.last, known.count)
        known.last = max(known.last, time)
        known.count = min(known.count + 1, Int64(limit))
        if !known.isChanged { changed.append(key()) }
        known.isChanged = true
        return before
    }

    private mutating func forgetOldest() {
        let times = seen.values.map(\.last).sorted()
        let last = times[times.count / 4]
        seen = seen.filter { entry in
            entry.value.isForgotten = entry.value.last <= last
            return !entry.value.isForgotten
        }
    }

    mutating func restore(_ entries: [BaselineEntry]) {
        for entry in entries {
            let key = Key(group: entry.group, value: entry.value)
            seen[key]?.isForgotten = true
            seen[key] = Seen(
                first: entry.first, last: entry.last, count: entry.count, isChanged: false)
        }
    }

    mutating func takeChanges(of rule: String) -> [BaselineEntry] {
        defer { changed = [] }
        return changed.compactMap { key in
            // What was forgotten and came again is named twice.
            guard let entry = seen[key], entry.isChanged else { return nil }
            entry.isChanged = false
            return BaselineEntry(
                rule: rule, group: key.group, value: key.value, first: entry.first, last: entry.last,
                count: entry.count)
        }
    }
}

/// When groups were last heard of.
struct Silences {
    private var last: [Group: DetectionEvent] = [:]
    /// Before this no group can be due.
    private var next = LogTime.distantFuture

    private static let limit = 10_000

    mutating func note(_ event: DetectionEvent, _ group: Group) {
        guard last[group] != nil || last.count < Silences.limit else { return }
        last[group] = event.settled
        next = .distantPast
    }

    /// False when surely no group is due.
    func mayBeDue(at now: LogTime) -> Bool { now >= next }

    /// Groups that have been silent for so long, each told once, in the order of their last events.
    mutating func due(at now: LogTime, after length: Int64) -> [(DetectionEvent, Group)] {
        guard now >= next else { return [] }
        func isDue(_ event: DetectionEvent) -> Bool { now.milliseconds - event.time.milliseconds >= length }
        let due = last.filter { isDue($0.value) }
        for group in due.keys { last[group] = nil }
        next = last.values.map(\.time).min()?.adding(milliseconds: length) ?? .distantFuture
        return due.map { ($0.value, $0.key) }.sorted { ($0.0.time, $0.0.seq) < ($1.0.time, $1.0.seq) }
    }
}
