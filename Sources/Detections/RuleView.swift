import Patterns
import VigilModel

/// What one rule makes of the events of one kind and actor with the same near details, as far as those decide it: found
/// once, so that an event asks only for what is its own. A class, since the same few serve most events.
final class RuleView {
    /// What is asked of an event.
    enum Verdict {
        case no, yes
        /// What they leave open.
        case ask(Question)

        func holds(for event: DetectionEvent) -> Bool {
            switch self {
            case .no: false
            case .yes: true
            case .ask(let question): question.holds(for: event)
            }
        }

        var isNo: Bool { if case .no = self { true } else { false } }
    }

    /// What must be asked of each event.
    final class Question {
        private let match: EventMatch

        init(_ match: EventMatch) { self.match = match }

        func holds(for event: DetectionEvent) -> Bool { match.matches(event) }
    }

    /// Where the rule's state of the last group was found.
    struct Bookmarks {
        var window = RecentTable<Group, Window>.Bookmark()
        var progress = RecentTable<Group, RuleMachine.Progress>.Bookmark()
        var alert = RecentTable<Group, LogTime>.Bookmark()
        var baseline = Baseline.Bookmark()
    }

    /// Whether the group begins to count anew.
    let resets: Verdict
    /// Whether the event counts.
    let counts: Verdict
    /// Whether it is a step behind the first, each of them.
    let steps: [Verdict]
    /// What it must not be, to count or to be a step.
    private let exceptions: [Question]
    private let groupBy: [EventKey]
    private let isPartly: Bool
    /// The group of all such events; nil when each event has a say.
    private let fixed: Group?
    /// The key that is each event's own, when there is only one, and its last value with the group.
    private let ownKey: EventKey?
    private var last: (value: String, group: Group)?
    /// Of the group that was asked for last.
    var bookmarks = Bookmarks()
    /// The value that the rule looks for, when it is the same of all such events.
    let value: String?

    /// Nil when the rule does nothing with such events; `event` is one of them. `groups` are those that views of such
    /// events have.
    init?(
        _ rule: Rule, _ event: DetectionEvent, publicNetworks: Set<EventMatch.Network>,
        _ groups: inout [[EventKey]: Group]
    ) {
        func remainder(_ match: EventMatch) -> EventMatch? {
            match.remainder(for: event.kind, event.actor, event.near, publicNetworks: publicNetworks)
        }
        func verdict(_ match: EventMatch) -> Verdict {
            guard let rest = remainder(match) else { return .no }
            return rest.isAny ? .yes : .ask(Question(rest))
        }
        func isShared(_ key: EventKey) -> Bool {
            key.isOfActor || key.place == .kind || (event.near != nil && NearDetails.holds(key))
        }
        let exceptions = rule.except.compactMap { remainder($0.match) }
        self.exceptions = exceptions.map(Question.init)
        let isExcepted = exceptions.contains(where: \.isAny)
        counts = isExcepted ? .no : verdict(rule.match)
        var steps: [Verdict] = []
        var keepsWindows = true
        switch rule.condition {
        case .match, .firstSeen, .absence: keepsWindows = false
        case .sequence(_, _, let then) where !isExcepted: steps = then.map(verdict)
        case .sequence, .threshold, .distinct: break
        }
        // What is counted by address has no group of an address that never counts.
        let isStranger =
            rule.groupBy.contains(.ip) && event.ip?.isV4 == true && !rule.match.isFrom(event.actor, publicNetworks)
        self.steps = steps.contains { !$0.isNo } && !isStranger ? steps : []
        resets = keepsWindows && !isStranger ? rule.reset.map(verdict) ?? .no : .no
        groupBy = rule.groupBy
        if case .match = rule.condition { isPartly = true } else { isPartly = false }
        let own = rule.groupBy.filter { !isShared($0) }
        ownKey = own.count == 1 ? own[0] : nil
        value = rule.condition.value.flatMap { isShared($0) ? event.value(of: $0) : nil }
        if counts.isNo && self.steps.isEmpty && resets.isNo {
            fixed = nil
            return nil
        }
        guard own.isEmpty else {
            fixed = nil
            return
        }
        fixed = groups[rule.groupBy] ?? Group(event, by: rule.groupBy, partly: isPartly)
        if fixed == nil { return nil }
        groups[rule.groupBy] = fixed
    }

    /// The group of an event; nil when it lacks a key. The bookmarks are its.
    func group(of event: DetectionEvent) -> Group? {
        if let fixed { return fixed }
        let value = ownKey.flatMap { event.value(of: $0) }
        if let value, let last, last.value == value { return last.group }
        bookmarks = Bookmarks()
        last = nil
        guard let group = Group(event, by: groupBy, partly: isPartly) else { return nil }
        if let value { last = (value, group) }
        return group
    }

    func isExcepted(_ event: DetectionEvent) -> Bool {
        !exceptions.isEmpty && exceptions.contains { $0.holds(for: event) }
    }
}
