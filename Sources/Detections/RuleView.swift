import Patterns
import VigilModel

/// What one rule makes of the events of one kind and actor, as far as those two decide it: found once, so that an event
/// asks only for what is its own. A class, since the same few serve most events.
final class RuleView {
    /// What is asked of an event.
    enum Verdict {
        case no, yes
        /// What kind and actor leave open.
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

    /// What must be asked of each event. Events of an actor mostly show the same program, command or SQLSTATE as the one
    /// before.
    final class Question {
        private let match: EventMatch
        /// The only key that it asks for, when its values are short.
        private let key: EventKey?
        private var last: (value: String?, holds: Bool)?

        init(_ match: EventMatch) {
            self.match = match
            let keys = Question.keys(of: match)
            key = keys.count == 1 ? keys.first.flatMap { NearDetails.holds($0) ? $0 : nil } : nil
        }

        private static func keys(of match: EventMatch) -> Set<EventKey> {
            (match.anyOf + match.noneOf).reduce(into: Set(match.tests.map(\.key))) { $0.formUnion(keys(of: $1)) }
        }

        func holds(for event: DetectionEvent) -> Bool {
            guard let key else { return match.matches(event) }
            let value = event.value(of: key)
            if let last, last.value == value { return last.holds }
            let holds = match.matches(event)
            last = (value, holds)
            return holds
        }
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
    /// The group of all events of the kind and actor; nil when each event has a say.
    private let fixed: Group?
    /// The last group, when only one key is each event's own.
    private let memo: Memo?

    private final class Memo {
        let key: EventKey
        var last: (value: String, group: Group)?

        init(_ key: EventKey) { self.key = key }
    }

    /// Nil when the rule does nothing with such events; `event` is one of them. `groups` are those of its actor that
    /// views have.
    init?(
        _ rule: Rule, _ event: DetectionEvent, publicNetworks: Set<EventMatch.Network>,
        _ groups: inout [[EventKey]: Group]
    ) {
        func verdict(_ match: EventMatch) -> Verdict {
            guard let rest = match.remainder(for: event.kind, event.actor, publicNetworks: publicNetworks) else {
                return .no
            }
            return rest.isAny ? .yes : .ask(Question(rest))
        }
        let exceptions = rule.except.compactMap {
            $0.match.remainder(for: event.kind, event.actor, publicNetworks: publicNetworks)
        }
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
        let own = rule.groupBy.filter { !$0.isOfActor && $0.place != .kind }
        memo = own.count == 1 ? Memo(own[0]) : nil
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

    /// The group of an event; nil when it lacks a key.
    func group(of event: DetectionEvent) -> Group? {
        if let fixed { return fixed }
        guard let memo, let value = event.value(of: memo.key) else {
            return Group(event, by: groupBy, partly: isPartly)
        }
        if let last = memo.last, last.value == value { return last.group }
        guard let group = Group(event, by: groupBy, partly: isPartly) else { return nil }
        memo.last = (value, group)
        return group
    }

    func isExcepted(_ event: DetectionEvent) -> Bool { exceptions.contains { $0.holds(for: event) } }
}
