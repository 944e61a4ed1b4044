import VigilModel

/// When a rule fires.
public enum RuleCondition: Sendable {
    /// At each event that is meant.
    case match
    /// At that many events within a window of milliseconds.
    case threshold(count: Int, within: Int64)
    /// At that many different values of a key within a window.
    case distinct(key: EventKey, count: Int, within: Int64)
    /// After that many events, at one that matches the last of `then`, those before it having come in their order; all
    /// of it within the window.
    case sequence(count: Int, within: Int64, then: [EventMatch])
    /// At a value of a key that the group has not shown for `forget` milliseconds, once the group itself has been known
    /// for `learn` milliseconds and `count` events.
    case firstSeen(key: EventKey, count: Int, learn: Int64, forget: Int64)
    /// When the group has shown no event for so many milliseconds, after one.
    case absence(Int64)

    /// How far back events matter, in milliseconds. What a rule has learnt is kept apart.
    public var window: Int64 {
        switch self {
        case .match, .firstSeen: 0
        case .threshold(_, let within), .distinct(_, _, let within), .sequence(_, let within, _): within
        case .absence(let silence): silence
        }
    }

    /// The key whose values it counts or learns; nil when it looks at none.
    public var value: EventKey? {
        switch self {
        case .match, .threshold, .sequence, .absence: nil
        case .distinct(let key, _, _), .firstSeen(let key, _, _, _): key
        }
    }

    /// Its number of events or values.
    public var count: Int {
        switch self {
        case .match, .absence: 1
        case .threshold(let count, _), .distinct(_, let count, _), .sequence(let count, _, _): count
        case .firstSeen(_, let count, _, _): count
        }
    }

    /// The same with other numbers: `within` is the window, the time of learning, or that of silence.
    public func tuned(count: Int?, within: Int64?) -> RuleCondition {
        switch self {
        case .match: .match
        case .threshold(let c, let w): .threshold(count: count ?? c, within: within ?? w)
        case .distinct(let key, let c, let w): .distinct(key: key, count: count ?? c, within: within ?? w)
        case .sequence(let c, let w, let then): .sequence(count: count ?? c, within: within ?? w, then: then)
        case .firstSeen(let key, let c, let learn, let forget):
            .firstSeen(key: key, count: count ?? c, learn: within ?? learn, forget: forget)
        case .absence(let silence): .absence(within ?? silence)
        }
    }
}
