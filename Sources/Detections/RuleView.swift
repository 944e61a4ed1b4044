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
    /// The group of all such events; nil when each event has a say.
    private let fixed: Group?
    /// Makes the group of an event, by the number of how the rule groups.
    private let maker: GroupMaker
    private let grouping: Int
    /// The last group.
    private var last: Group?
    /// Of the group that was asked for last.
    var bookmarks = Bookmarks()
    /// The value that the rule looks for, when it is the same of all such events.
    let value: String?

    /// Nil when the rule does nothing with such events; `event` is one of them. With `anyActor` they are those of all
    /// actors whose address is of the same kind.
    init?(
        _ rule: Rule, _ event: DetectionEvent, publicNetworks: Set<EventMatch.Network>, _ maker: GroupMaker,
        anyActor: Bool
    ) {
        func remainder(_ match: EventMatch) -> EventMatch? {
            match.remainder(
                for: event.kind, event.actor, event.near, publicNetworks: publicNetworks, anyActor: anyActor)
        }
        func verdict(_ match: EventMatch) -> Verdict {
            guard let rest = remainder(match) else { return .no }
            return rest.isAny ? .yes : .ask(Question(rest))
        }
        func isShared(_ key: EventKey) -> Bool {
            (key.isOfActor && !anyActor) || key.place == .kind || (event.near != nil && NearDetails.holds(key))
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
        value = rule.condition.value.flatMap { isShared($0) ? event.value(of: $0) : nil }
        self.maker = maker
        grouping = maker.number(of: rule.grouping)
        let isFixed = rule.groupBy.allSatisfy(isShared)
        fixed = isFixed ? maker.group(grouping, of: event) : nil
        if counts.isNo && self.steps.isEmpty && resets.isNo { return nil }
        if isFixed && fixed == nil { return nil }
    }

    /// The group of the event that is looked at; nil when it lacks a key. The bookmarks are its.
    func group(of event: DetectionEvent) -> Group? {
        if let fixed { return fixed }
        guard let group = maker.group(grouping, of: event) else { return nil }
        if group != last {
            bookmarks = Bookmarks()
            last = group
        }
        return group
    }

    func isExcepted(_ event: DetectionEvent) -> Bool {
        !exceptions.isEmpty && exceptions.contains { $0.holds(for: event) }
    }
}
