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
    /// What the server must log for it to fire, in the words of `docs/patterns.md`.
    public let needs: [String]
    /// Which events it looks at.
    public var match: EventMatch
    /// Events that are meant and yet nothing to worry about, each with why.
    public let except: [RuleExcept]
    /// What events must share to be counted together. Empty: all events are one run.
    public let groupBy: [EventKey]
    /// When it fires.
    public var condition: RuleCondition
    /// Events that make it begin to count anew for their group.
    public let reset: EventMatch?
    /// After an alert, no other one about the same group for so long, in milliseconds.
    public let suppress: Int64
    /// Whether an address is banned, and for how long at first, in milliseconds.
    public let ban: Int64?
    /// What an alert says; nil: the rule's name and who it is about.
    public let message: MessageForm?
    /// Whether the rule is used.
    public var enabled = true
    /// Runs of events and the number of alerts they must give.
    public let examples: [RuleExample]
    /// What reads as nothing to worry about.
    public let falsePositives: [String]

    /// All that it looks at: what it counts, what may follow, what ends the counting.
    public var matches: [EventMatch] {
        guard case .sequence(_, _, let then) = condition else { return [match] + (reset.map { [$0] } ?? []) }
        return [match] + then + (reset.map { [$0] } ?? [])
    }
}

/// Events that a rule leaves out.
public struct RuleExcept: Sendable {
    /// Which.
    public var match: EventMatch
    /// Why.
    public let reason: String
}

/// A run of events and how many alerts it must give.
public struct RuleExample: Sendable {
    /// What the run is.
    public let name: String
    /// File and line.
    public let place: String
    /// The events in order, or the records they are read from.
    public let steps: [Step]
    /// How many alerts of the rule they must give.
    public let alerts: Int
    /// Keys of the first alert and their values.
    public let gives: [String: String]

    /// Like events or records in steady order.
    public struct Step: Sendable {
        /// What happens.
        public let what: What
        /// When the first one happens, milliseconds after the start of the run.
        public let at: Int64
        /// How many, and how far apart in milliseconds.
        public let times: Int
        /// Milliseconds between them.
        public let every: Int64
    }

    /// An event by its keys, or rows of a log. `{n}` in a value stands for the number of the repetition, from 1.
    public enum What: Sendable {
        /// Values by key; `tags` and others of several words with blanks between them.
        case event([EventKey: String])
        /// Lines of a log, with `{time}`, `{session}` and `{n}` where those differ.
        case record(String)
    }
}
