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
    private var alerts = RecentTable<Group, LogTime>(limit: groupLimit)

    /// No rule keeps more than twice as many groups, and events in them; the quietest go first.
    private static let groupLimit = 20_000
    private static let entryLimit = 40_000

    /// The condition in plain values: what holds references costs with each event.
    private enum Form {
        case match, threshold, absence, sequence
        case distinct(EventKey)
        case firstSeen(EventKey, learn: Int64, forget: Int64)
    }

    private let form: Form
    /// Of the condition: events, values or steps.
    private let count: Int
    private let steps: Int
    /// Milliseconds of its window, and without another alert.
    private let window, suppress: Int64
    /// Events or values kept for a group: what the condition needs, and enough to show. Of what only has to have happened
    /// once, the last is enough.
    private let limit: Int

    struct Progress {
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
        count = rule.condition.count
        window = rule.condition.window
        suppress = rule.suppress
        var limit = max(rule.condition.count, 100)
        var steps = 0
        switch rule.condition {
        case .match: form = .match
        case .threshold: form = .threshold
        case .absence: form = .absence
        case .distinct(let key, _, _): form = .distinct(key)
        case .firstSeen(let key, _, let learn, let forget): form = .firstSeen(key, learn: learn, forget: forget)
        case .sequence(let count, _, let then):
            form = .sequence
            steps = then.count
            if count == 1 { limit = 1 }
        }
        self.limit = limit
        self.steps = steps
    }

    var id: String { rule.about.id }

    /// Groups that something is held of.
    var entries: Int { windows.count + progress.count + alerts.count }

    /// Groups let go before their time.
    var evictions: Int { windows.evictions + progress.evictions + alerts.evictions }

    mutating func restore(_ group: String, _ time: LogTime) { note(alertAbout: Group(text: group), time) }

    private mutating func note(alertAbout group: Group, _ time: LogTime) {
        alerts.change(group, at: time, window: max(suppress, 1), fresh: .distantPast) { last in
            last = max(last, time)
        }
    }

    /// What it makes of events of one kind and actor with the same near details, of which `event` is one; nil: nothing.
    /// With `anyActor` of all actors whose address is of the same kind.
    func view(of event: DetectionEvent, _ maker: GroupMaker, anyActor: Bool) -> RuleView? {
        RuleView(rule, event, publicNetworks: publicNetworks, maker, anyActor: anyActor)
    }

    /// Takes an event, with what it makes of such. With `silently` only the state changes.
    mutating func take(
        _ event: DetectionEvent, _ view: RuleView, silently: Bool, identity: (Int64) throws -> String
    ) rethrows -> Finding? {
        var resets = view.resets.holds(for: event)
        if resets, !windows.isEmpty || !progress.isEmpty, let group = view.group(of: event) {
            progress.remove(group, &view.bookmarks.progress)
            // What counts from here on begins anew in place.
            if !view.steps.isEmpty || view.counts.isNo {
                windows.remove(group, &view.bookmarks.window)
                resets = false
            }
        }
        if !view.steps.isEmpty, let finding = try follow(event, view, silently: silently, identity: identity) {
            return finding
        }
        guard view.counts.holds(for: event), !view.isExcepted(event), let group = view.group(of: event) else {
            if resets, let group = view.group(of: event) { windows.remove(group, &view.bookmarks.window) }
            return nil
        }
        switch form {
        case .match:
            guard !silently, !isSuppressed(group, view, at: event.time) else { return nil }
            var window = Window()
            window.add(Window.Entry(event), window: 1, limit: 1)
            return try fire(event, group, window, identity: identity)
        case .firstSeen(let key, let learn, let forget):
            // What was learnt is in the store, so filling windows must not learn it again.
            guard !silently, let value = view.value ?? event.value(of: key) else { return nil }
            if view.value == nil { view.bookmarks.baseline = Baseline.Bookmark() }
            let isNew = baseline.take(
                value, of: rule.grouping.text(of: event) ?? "", &view.bookmarks.baseline, at: event.time,
                count: count, learn: learn, forget: forget)
            guard isNew else { return nil }
            var window = Window()
            window.add(Window.Entry(event), window: 1, limit: 1)
            return try fire(event, group, window, identity: identity)
        case .absence: silences.note(event, group)
        case .threshold, .distinct, .sequence:
            let isReached = add(event, to: group, view, anew: resets)
            guard !silently, isReached, !isSuppressed(group, view, at: event.time),
                isStillReached(group, at: event.time),
                let window = windows[group]
            else { return nil }
            return try fire(event, group, window, identity: identity)
        }
        return nil
    }

    // MARK: - Sequences

    /// A step behind the first.
    private mutating func follow(
        _ event: DetectionEvent, _ view: RuleView, silently: Bool, identity: (Int64) throws -> String
    ) rethrows -> Finding? {
        guard !windows.isEmpty || !progress.isEmpty,
            view.steps.contains(where: { $0.holds(for: event) }), !view.isExcepted(event),
            let group = view.group(of: event)
        else { return nil }
        guard var state = state(of: group, view, at: event.time, within: window),
            view.steps[state.steps].holds(for: event)
        else { return nil }
        let before = state.window.size
        state.window.add(Window.Entry(event), window: window, limit: 200)
        // The second try of a client that prefers TLS is no step of its own.
        state.steps += state.window.size > before ? 1 : 0
        guard state.steps == steps else {
            progress.change(group, &view.bookmarks.progress, at: event.time, window: window, fresh: state) {
                $0 = state
            }
            return nil
        }
        progress.remove(group, &view.bookmarks.progress)
        return silently ? nil : try fire(event, group, state.window, identity: identity)
    }

    /// How far a group has come; nil when not even the first step is done.
    private mutating func state(of group: Group, _ view: RuleView, at now: LogTime, within: Int64) -> Progress? {
        if let state = progress.value(of: group, &view.bookmarks.progress) {
            if now.milliseconds - state.since.milliseconds < within { return state }
            progress.remove(group, &view.bookmarks.progress)
        }
        guard var window = windows.value(of: group, &view.bookmarks.window) else { return nil }
        window.expire(at: now, window: within)
        // The newest that suffice say when it began: what came long before them does not make it late.
        guard window.count >= count, let first = window.current.suffix(count).first
        else { return nil }
        return Progress(steps: 0, since: first.time, window: window)
    }

    // MARK: - Counting

    /// Keeps an event for its group; true when the condition may hold for that now.
    private mutating func add(_ event: DetectionEvent, to group: Group, _ view: RuleView, anew: Bool) -> Bool {
        let entry = Window.Entry(event)
        let (length, limit, count) = (window, limit, count)
        var isReached = false
        switch form {
        case .distinct(let key):
            guard let value = view.value ?? event.value(of: key) else {
                if anew { windows.remove(group, &view.bookmarks.window) }
                return false
            }
            windows.change(
                group, &view.bookmarks.window, at: event.time, window: length, fresh: Window()
            ) { held in
                if anew { held.clear() }
                held.add(entry, value: value, window: length, limit: limit)
                isReached = held.valueCount >= count
            }
        case .threshold:
            windows.change(
                group, &view.bookmarks.window, at: event.time, window: length, fresh: Window()
            ) { held in
                if anew { held.clear() }
                held.add(entry, window: length, limit: limit)
                isReached = held.count >= count
            }
        default:
            windows.change(
                group, &view.bookmarks.window, at: event.time, window: length, fresh: Window()
            ) { held in
                if anew { held.clear() }
                held.add(entry, window: length, limit: limit)
            }
        }
        return isReached
    }

    /// True when the condition holds for the group without the values that have gone from the window.
    private mutating func isStillReached(_ group: Group, at now: LogTime) -> Bool {
        guard case .distinct = form else { return true }
        let length = window
        windows.change(group, at: now, window: length, fresh: Window()) { held in
            held.prune(at: now, window: length)
        }
        return windows[group]?.valueCount ?? 0 >= count
    }

    private func isSuppressed(_ group: Group, _ view: RuleView, at time: LogTime) -> Bool {
        isSuppressed(by: alerts.value(of: group, &view.bookmarks.alert), at: time)
    }

    private func isSuppressed(by last: LogTime?, at time: LogTime) -> Bool {
        last.map { time.milliseconds - $0.milliseconds < suppress } ?? false
    }

    // MARK: - Silence

    /// Groups that have been silent for long enough at a moment.
    mutating func advance(
        to now: LogTime, silently: Bool, identity: (Int64) throws -> String
    ) rethrows -> [Finding] {
        guard case .absence = form, silences.mayBeDue(at: now) else { return [] }
        var findings: [Finding] = []
        for (last, group) in silences.due(at: now, after: self.window) where !silently {
            var window = Window()
            window.add(Window.Entry(last), window: 1, limit: 1)
            let time = last.time.adding(milliseconds: self.window)
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
        let time = moment ?? event.time
        guard !isSuppressed(by: alerts[group], at: time) else { return nil }
        let text = rule.grouping.text(of: event) ?? ""
        let id = Fingerprint.sha256("\(rule.about.id)\0\(text)\0\(try identity(event.seq))".utf8).prefix(32)
        note(alertAbout: group, time)
        let alert = AlertWriter(rule: rule, event: event, window: window).alert(id: String(id), at: time)
        return Finding(alert: alert, group: text, ban: rule.ban)
    }
}

extension Rule {
    /// How it groups events: an alert about one event is about whatever that has.
    var grouping: Grouping {
        var isPartly = false
        if case .match = condition { isPartly = true }
        return Grouping(keys: groupBy, isPartly: isPartly)
    }
}
