import VigilModel

/// Says what a run of events means.
public struct Rule: Sendable {
    /// What an alert keeps of it.
    public let about: AlertRule
    /// For people.
    public let description: String
    /// File and line.
    public let place: String
    /// How much its alerts matter.
    public var severity: Severity
    /// Which events it looks at.
    public let match: EventMatch
    /// What events must share to be counted together. Empty: all events are one run.
    public let groupBy: [GroupKey]
    /// When it fires.
    public var condition: RuleCondition
    /// After an alert, no other one about the same group for so long, in milliseconds.
    public let suppress: Int64
    /// Whether an address is banned, and for how long at first, in milliseconds.
    public let ban: Int64?
    /// Whether the rule is used.
    public var enabled = true
    /// Runs of events and the number of alerts they must give.
    public let examples: [RuleExample]
    /// What reads as nothing to worry about.
    public let falsePositives: [String]

    /// All that it looks at: what it counts, and what may follow.
    public var matches: [EventMatch] {
        guard case .sequence(_, _, let then) = condition else { return [match] }
        return [match, then]
    }
}

/// What events must share.
public enum GroupKey: String, Sendable, CaseIterable {
    /// The address; IPv6 by its /64.
    case sourceIP = "source.ip"
    /// The login user.
    case user = "user.name"
    /// The database.
    case database = "db.namespace"
}

/// When a rule fires.
public enum RuleCondition: Sendable {
    /// That many events within a window of milliseconds.
    case threshold(count: Int, within: Int64)
    /// That many different values of a key within a window.
    case distinct(key: GroupKey, count: Int, within: Int64)
    /// After that many events within a window, one that matches `then`, itself within the window of the last of them.
    case sequence(count: Int, within: Int64, then: EventMatch)

    /// Its window in milliseconds.
    public var window: Int64 {
        switch self {
        case .threshold(_, let within), .distinct(_, _, let within), .sequence(_, let within, _): return within
        }
    }

    /// Its number of events or values.
    public var count: Int {
        switch self {
        case .threshold(let count, _), .distinct(_, let count, _), .sequence(let count, _, _): return count
        }
    }

    /// The same with other numbers.
    public func tuned(count: Int?, within: Int64?) -> RuleCondition {
        switch self {
        case .threshold(let c, let w): return .threshold(count: count ?? c, within: within ?? w)
        case .distinct(let key, let c, let w): return .distinct(key: key, count: count ?? c, within: within ?? w)
        case .sequence(let c, let w, let then): return .sequence(count: count ?? c, within: within ?? w, then: then)
        }
    }
}

/// Which events are meant: for each key given, one of its values.
public struct EventMatch: Sendable, Hashable {
    /// `event.action`. Never empty.
    public var actions: Set<String> = []
    /// `event.reason`. Empty: any.
    public var reasons: Set<String> = []
    /// Kinds of address. Empty: any.
    public var networks: Set<Network> = []

    /// Kinds of address.
    public enum Network: String, Sendable, CaseIterable {
        /// Reachable from outside.
        case `public`
        /// RFC 1918 and its like.
        case `private`
        /// 127.0.0.0/8 and ::1.
        case loopback
    }

    /// True when the event is meant. Addresses of `publicNetworks` count as public ones.
    public func matches(
        action: String, reason: String?, ip: IPAddress?, publicNetworks: Set<Network> = []
    ) -> Bool {
        guard actions.contains(action) else { return false }
        guard reasons.isEmpty || reason.map(reasons.contains) ?? false else { return false }
        guard !networks.isEmpty else { return true }
        guard let ip else { return false }
        let network: Network = ip.isLoopback ? .loopback : ip.isPrivate ? .private : .public
        return networks.contains(publicNetworks.contains(network) ? .public : network)
    }
}

/// A run of events and how many alerts it must give.
public struct RuleExample: Sendable {
    /// What the run is.
    public let name: String
    /// File and line.
    public let place: String
    /// The events in order.
    public let events: [RuleExampleEvent]
    /// How many alerts of the rule they must give.
    public let alerts: Int
}

/// Like events in steady order.
public struct RuleExampleEvent: Sendable {
    /// Key values; `{n}` in one stands for the number of the repetition, from 1.
    public let action, reason, ip, user: String
    /// When the first one happens, milliseconds after the start of the run.
    public let at: Int64
    /// How many, and how far apart in milliseconds.
    public let times: Int
    /// Milliseconds between them.
    public let every: Int64
}
