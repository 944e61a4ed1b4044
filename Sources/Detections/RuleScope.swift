import Patterns
import VigilModel

/// What rules need to see of the store: which kinds of events, how much of them, and how far back. Found once a kind.
public final class RuleScope {
    private let rules: [Rule]
    /// Some exception asks for the application of any event.
    private let needsApplication: Bool
    private var kinds: [EventKind: Scope] = [:]

    private struct Scope {
        var place: EventKey.Place?
        var lookback: Int64 = 0
    }

    /// Takes the rules and exceptions of a detector.
    public init(rules: [Rule], exceptions: [AlertException]) {
        self.rules = rules.filter(\.enabled)
        needsApplication = exceptions.contains { !$0.applications.isEmpty }
    }

    /// What must be known of events of a kind: nil when no rule looks at them.
    public func place(for kind: EventKind) -> EventKey.Place? { scope(of: kind).place }

    /// How far back events of a kind matter, in milliseconds.
    public func lookback(for kind: EventKind) -> Int64 { scope(of: kind).lookback }

    private func scope(of kind: EventKind) -> Scope {
        if let known = kinds[kind] { return known }
        var scope = Scope()
        for rule in rules where rule.mayLook(at: kind) {
            scope.lookback = max(scope.lookback, rule.condition.window)
            scope.place = max(scope.place ?? .kind, needsApplication ? .details : rule.place(for: kind))
        }
        kinds[kind] = scope
        return scope
    }
}

extension Rule {
    /// False when events of the kind are nothing to it.
    func mayLook(at kind: EventKind) -> Bool { matches.contains { $0.mayMatch(kind) } }

    /// What must be known of events of a kind for it.
    fileprivate func place(for kind: EventKind) -> EventKey.Place {
        // What an alert says when its rule has no words of its own: the statement, if there is one.
        if message == nil, kind.category != "authentication" { return .details }
        var places = matches.map(\.place) + except.map(\.match.place) + groupBy.map(\.place)
        places += (message?.keys ?? []).map(\.place)
        switch condition {
        case .distinct(let key, _, _), .firstSeen(let key, _, _, _): places.append(key.place)
        default: break
        }
        return places.max() ?? .kind
    }
}
