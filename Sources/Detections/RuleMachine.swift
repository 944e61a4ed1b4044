import Patterns
import VigilModel

/// One rule's state.
struct RuleMachine {
    private let rule: Rule
    private let publicNetworks: Set<EventMatch.Network>
    private var windows: [Group: Window] = [:]
    /// Time of the last alert by group.
    private var alerts: [String: LogTime] = [:]
    private var sweepAt = 4096
    /// Groups let go before their time.
    private(set) var evictions = 0

    /// No rule keeps more groups; the quietest go first.
    private static let groupLimit = 100_000

    init(_ rule: Rule, publicNetworks: Set<EventMatch.Network>) {
        self.rule = rule
        self.publicNetworks = publicNetworks
    }

    var id: String { rule.about.id }
    var about: AlertRule { rule.about }
    var window: Int64 { rule.condition.window }
    var suppress: Int64 { rule.suppress }

    var actions: Set<String> {
        guard case .sequence(_, _, let then) = rule.condition else { return rule.match.actions }
        return rule.match.actions.union(then.actions)
    }

    mutating func restore(_ group: String, _ time: LogTime) {
        alerts[group] = max(alerts[group] ?? .distantPast, time)
    }

    mutating func take(
        _ event: DetectionEvent, silently: Bool, identity: (Int64) throws -> String
    ) rethrows -> Finding? {
        if case .sequence(let count, let within, let then) = rule.condition, matches(then, event) {
            return try end(event, count: count, within: within, silently: silently, identity: identity)
        }
        guard matches(rule.match, event), let group = Group(event, by: rule.groupBy) else { return nil }
        add(event, to: group)
        sweep(at: event.time)
        guard !silently, isReached(group, at: event.time), let window = windows[group] else { return nil }
        return try fire(event, group, window, identity: identity)
    }

    /// The success that may follow a run of failures.
    private func end(
        _ event: DetectionEvent, count: Int, within: Int64, silently: Bool, identity: (Int64) throws -> String
    ) rethrows -> Finding? {
        guard !silently, let group = Group(event, by: rule.groupBy), var window = windows[group] else { return nil }
        window.expire(at: event.time, window: within)
        guard window.count >= count else { return nil }
        window.add(
            Window.Entry(
                time: event.time, seq: event.seq, count: 1, ip: event.ip, user: event.user, database: event.database),
            window: within, limit: limit)
        return try fire(event, group, window, identity: identity)
    }

    private func matches(_ match: EventMatch, _ event: DetectionEvent) -> Bool {
        match.matches(action: event.action, reason: event.reason, ip: event.ip, publicNetworks: publicNetworks)
    }

    /// Events or values kept for a group: what the condition needs, and enough to show.
    private var limit: Int { max(rule.condition.count, 1000) }

    private mutating func add(_ event: DetectionEvent, to group: Group) {
        let entry = Window.Entry(
            time: event.time, seq: event.seq, count: event.count, ip: event.ip, user: event.user,
            database: event.database)
        let window = rule.condition.window
        guard case .distinct(let key, _, _) = rule.condition else {
            windows[group, default: Window()].add(entry, window: window, limit: limit)
            return
        }
        guard let value = entry.value(of: key) else { return }
        windows[group, default: Window()].add(entry, value: value, window: window, limit: limit)
    }

    /// True when the condition holds for the group. What an earlier alert suppresses is not looked at.
    private mutating func isReached(_ group: Group, at now: LogTime) -> Bool {
        guard let window = windows[group] else { return false }
        switch rule.condition {
        case .sequence: return false
        case .threshold(let count, _): return window.count >= count && !isSuppressed(group.text, at: now)
        case .distinct(_, let count, let length):
            guard window.valueCount >= count, !isSuppressed(group.text, at: now) else { return false }
            windows[group]?.prune(at: now, window: length)
            return windows[group]?.valueCount ?? 0 >= count
        }
    }

    private func isSuppressed(_ group: String, at time: LogTime) -> Bool {
        alerts[group].map { time.milliseconds - $0.milliseconds < rule.suppress } ?? false
    }

    /// The alert, unless an earlier one about the group still suppresses it.
    private func fire(
        _ event: DetectionEvent, _ group: Group, _ window: Window, identity: (Int64) throws -> String
    ) rethrows -> Finding? {
        let key = group.text
        guard !isSuppressed(key, at: event.time) else { return nil }
        let entries = window.current
        func common<Value: Hashable>(_ value: (Window.Entry) -> Value?) -> Value? {
            let all = Set(entries.map(value))
            return all.count == 1 ? all.first.flatMap { $0 } : nil
        }
        let id = Fingerprint.sha256("\(rule.about.id)\0\(key)\0\(try identity(event.seq))".utf8).prefix(32)
        let ip = rule.groupBy.contains(.sourceIP) ? event.ip : common(\.ip)
        let alert = Alert(
            id: String(id), time: event.time, rule: rule.about, severity: rule.severity, sourceIP: ip,
            user: group.user ?? common(\.user), database: common(\.database), eventCount: window.count,
            firstSeen: entries.first?.time ?? event.time, lastSeen: event.time,
            evidence: entries.suffix(100).map(\.seq), message: message(group, window, event))
        return Finding(alert: alert, group: key, ban: rule.ban)
    }

    /// Remembers that an alert was given.
    mutating func note(_ finding: Finding) { restore(finding.group, finding.alert.time) }

    /// What a person reads first. Names are shown with control characters escaped.
    private func message(_ group: Group, _ window: Window, _ event: DetectionEvent) -> String {
        let first = window.current.first?.time ?? event.time
        let span = Shown.duration(event.time.milliseconds - first.milliseconds)
        let about = [
            group.ip.map { "from \($0)\($0.isV4 ? "" : "/64")" }, group.user.map { "as user \(Shown.quoted($0))" },
        ]
        .compactMap { $0 }.joined(separator: " ")
        switch rule.condition {
        case .threshold: return "\(window.count) failed logins \(about) in \(span)"
        case .sequence:
            let who = event.user.map { " as user \(Shown.quoted($0))" } ?? ""
            return "a login \(about)\(who) after \(window.count - 1) failures in \(span)"
        case .distinct(let key, _, _):
            let number = window.valueCount
            let what = key == .user ? "users" : key == .sourceIP ? "addresses" : "databases"
            return "failed logins \(about) with \(number) different \(what) in \(span)"
        }
    }

    /// Lets groups go whose events have all left the window, and the quietest when there are too many.
    private mutating func sweep(at now: LogTime) {
        guard windows.count >= sweepAt else { return }
        let length = rule.condition.window
        windows = windows.filter { now.milliseconds - $0.value.lastTime.milliseconds < length }
        if windows.count > RuleMachine.groupLimit {
            let order = windows.values.map(\.lastTime).sorted()
            let oldest = order[windows.count / 4]
            let before = windows.count
            windows = windows.filter { $0.value.lastTime > oldest }
            evictions += before - windows.count
        }
        let suppress = rule.suppress
        alerts = alerts.filter { now.milliseconds - $0.value.milliseconds < suppress }
        sweepAt = max(4096, min(windows.count * 2, RuleMachine.groupLimit + 1))
    }
}
