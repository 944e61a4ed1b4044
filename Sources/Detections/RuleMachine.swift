import Patterns
import VigilModel

/// One rule's state: a pure function of the events it was given.
struct RuleMachine {
    let rule: Rule
    private let publicNetworks: Set<EventMatch.Network>
    private var windows = RecentTable<Group, Window>(limit: groupLimit, weightLimit: entryLimit) { $0.size }
    /// How far groups have come in a sequence.
    private var progress = RecentTable<Group, Progress>(limit: groupLimit / 4, weightLimit: entryLimit) {
        $0.window.size
    }
    /// What groups have shown, of a rule that learns.
    private var baseline = Baseline()
    /// The last event of each group, of a rule that waits for silence.
    private var silences = Silences()
    /// Time of the last alert by group.
    private var alerts = RecentTable<String, LogTime>(limit: groupLimit)

    /// No rule keeps more than twice as many groups, and events in them; the quietest go first.
    private static let groupLimit = 20_000
    private static let entryLimit = 40_000

    private struct Progress {
        /// How many of the steps behind the first have been seen.
        var steps: Int
        /// When the first event of it all was.
        var since: LogTime
        /// The events of the first step and of those seen.
        var window: Window
    }

    init(_ rule: Rule, publicNetworks: Set<EventMatch.Network>) {
        self.rule = rule
        self.publicNetworks = publicNetworks
    }

    var id: String { rule.about.id }

    /// Groups that something is held of.
    var entries: Int { windows.count + progress.count + alerts.count }

    /// Groups let go before their time.
    var evictions: Int { windows.evictions + progress.evictions + alerts.evictions }

    mutating func restore(_ group: String, _ time: LogTime) {
        alerts.change(group, at: time, window: max(rule.suppress, 1), fresh: .distantPast) { last in
            last = max(last, time)
        }
    }

    /// Takes an event. With `silently` only the state changes.
    mutating func take(
        _ event: DetectionEvent, silently: Bool, identity: (Int64) throws -> String
    ) rethrows -> Finding? {
        if let reset = rule.reset, reset.matches(event, publicNetworks: publicNetworks),
            let group = Group(event, by: rule.groupBy)
        {
            windows.remove(group)
            progress.remove(group)
        }
        if case .sequence(_, let within, let then) = rule.condition,
            let finding = try follow(event, within: within, then: then, silently: silently, identity: identity)
        {
            return finding
        }
        guard isMeant(event) else { return nil }
        let isPlain: Bool
        if case .match = rule.condition { isPlain = true } else { isPlain = false }
        guard let group = Group(event, by: rule.groupBy, partly: isPlain) else { return nil }
        switch rule.condition {
        case .match:
            guard !silently else { return nil }
            var window = Window()
            window.add(Window.Entry(event), window: 1, limit: 1)
            return try fire(event, group, window, identity: identity)
        case .firstSeen(let key, let count, let learn, let forget):
            // What was learnt is in the store, so filling windows must not learn it again.
            guard !silently, let value = event.value(of: key) else { return nil }
            let isNew = baseline.take(
                value, of: group.text, at: event.time, count: count, learn: learn, forget: forget)
            guard isNew else { return nil }
            var window = Window()
            window.add(Window.Entry(event), window: 1, limit: 1)
            return try fire(event, group, window, identity: identity)
        case .absence: silences.note(event, group)
        case .threshold, .distinct, .sequence:
            add(event, to: group)
            guard !silently, isReached(group, at: event.time), let window = windows[group] else { return nil }
            return try fire(event, group, window, identity: identity)
        }
        return nil
    }

    private func isMeant(_ event: DetectionEvent) -> Bool {
        rule.match.matches(event, publicNetworks: publicNetworks)
            && !rule.except.contains { $0.match.matches(event, publicNetworks: publicNetworks) }
    }

    // MARK: - Sequences

    /// A step behind the first.
    private mutating func follow(
        _ event: DetectionEvent, within: Int64, then: [EventMatch], silently: Bool, identity: (Int64) throws -> String
    ) rethrows -> Finding? {
        guard then.contains(where: { $0.matches(event, publicNetworks: publicNetworks) }),
            !rule.except.contains(where: { $0.match.matches(event, publicNetworks: publicNetworks) }),
            let group = Group(event, by: rule.groupBy)
        else { return nil }
        guard var state = state(of: group, at: event.time, within: within),
            then[state.steps].matches(event, publicNetworks: publicNetworks)
        else { return nil }
        let before = state.window.size
        state.window.add(Window.Entry(event), window: within, limit: 200)
        // The second try of a client that prefers TLS is no step of its own.
        state.steps += state.window.size > before ? 1 : 0
        guard state.steps == then.count else {
            progress.change(group, at: event.time, window: within, fresh: state) {
                $0 = state
            }
            return nil
        }
        progress.remove(group)
        return silently ? nil : try fire(event, group, state.window, identity: identity)
    }

    /// How far a group has come; nil when not even the first step is done.
    private mutating func state(of group: Group, at now: LogTime, within: Int64) -> Progress? {
        if let state = progress[group] {
            if now.milliseconds - state.since.milliseconds < within { return state }
            progress.remove(group)
        }
        guard var window = windows[group] else { return nil }
        window.expire(at: now, window: within)
        // The newest that suffice say when it began: what came long before them does not make it late.
        guard window.count >= rule.condition.count, let first = window.current.suffix(rule.condition.count).first
        else { return nil }
        return Progress(steps: 0, since: first.time, window: window)
    }

    // MARK: - Counting

    /// Events or values kept for a group: what the condition needs, and enough to show. Of what only has to have happened
    /// once, the last is enough.
    private var limit: Int {
        if case .sequence(1, _, _) = rule.condition { return 1 }
        return max(rule.condition.count, 100)
    }

    private mutating func add(_ event: DetectionEvent, to group: Group) {
        let entry = Window.Entry(event)
        let window = rule.condition.window
        let limit = limit
        var value: String?
        if case .distinct(let key, _, _) = rule.condition {
            value = event.value(of: key)
            if value == nil { return }
        }
        windows.change(group, at: event.time, window: window, fresh: Window()) { held in
            if let value {
                held.add(entry, value: value, window: window, limit: limit)
            } else {
                held.add(entry, window: window, limit: limit)
            }
        }
    }

    /// True when the condition holds for the group. What an earlier alert suppresses is not looked at.
    private mutating func isReached(_ group: Group, at now: LogTime) -> Bool {
        guard let window = windows[group] else { return false }
        switch rule.condition {
        case .match, .sequence, .firstSeen, .absence: return false
        case .threshold(let count, _): return window.count >= count && !isSuppressed(group.text, at: now)
        case .distinct(_, let count, let length):
            guard window.valueCount >= count, !isSuppressed(group.text, at: now) else { return false }
            windows.change(group, at: now, window: length, fresh: Window()) { held in
                held.prune(at: now, window: length)
            }
            return windows[group]?.valueCount ?? 0 >= count
        }
    }

    private func isSuppressed(_ group: String, at time: LogTime) -> Bool {
        alerts[group].map { time.milliseconds - $0.milliseconds < rule.suppress } ?? false
    }

    // MARK: - Silence

    /// Groups that have been silent for long enough at a moment.
    mutating func advance(
        to now: LogTime, silently: Bool, identity: (Int64) throws -> String
    ) rethrows -> [Finding] {
        guard case .absence(let length) = rule.condition else { return [] }
        var findings: [Finding] = []
        for (last, group) in silences.due(at: now, after: length) where !silently {
            var window = Window()
            window.add(Window.Entry(last), window: 1, limit: 1)
            let time = last.time.adding(milliseconds: length)
            if let finding = try fire(last, group, window, at: time, identity: identity) { findings.append(finding) }
        }
        return findings
    }

    // MARK: - What was learnt

    /// Takes what an earlier run learnt.
    mutating func restore(_ entries: [BaselineEntry]) { baseline.restore(entries) }

    /// What was learnt since the last time.
    mutating func takeLearnt() -> [BaselineEntry] { baseline.takeChanges(of: rule.about.id) }

    // MARK: - Alerts

    /// The alert, unless an earlier one about the group still suppresses it.
    private mutating func fire(
        _ event: DetectionEvent, _ group: Group, _ window: Window, at moment: LogTime? = nil,
        identity: (Int64) throws -> String
    ) rethrows -> Finding? {
        let key = group.text
        let time = moment ?? event.time
        guard !isSuppressed(key, at: time) else { return nil }
        let id = Fingerprint.sha256("\(rule.about.id)\0\(key)\0\(try identity(event.seq))".utf8).prefix(32)
        restore(key, time)
        let alert = AlertWriter(rule: rule, event: event, window: window).alert(id: String(id), at: time)
        return Finding(alert: alert, group: key, ban: rule.ban)
    }
}
