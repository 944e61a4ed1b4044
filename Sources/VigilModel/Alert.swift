/// A rule fired.
public struct Alert: Sendable, Equatable {
    /// SHA-256 over rule, key and firing event, first 32 hexadecimal digits: the same alert wherever it is found.
    public var id: String
    /// When, in event time: that of the event that fired it.
    public var time: LogTime
    /// The rule that fired.
    public var rule: AlertRule
    /// How much it matters.
    public var severity: Severity
    /// The address it is about.
    public var sourceIP: IPAddress?
    /// The user it is about, when the rule groups by user or all events agree.
    public var user: String?
    /// The database, when all events agree.
    public var database: String?
    /// Events that counted.
    public var eventCount: Int64
    /// Time of the first and last event that counted.
    public var firstSeen, lastSeen: LogTime
    /// Sequence numbers of the events in the store, oldest first, at most 100.
    public var evidence: [Int64]
    /// What a person reads first.
    public var message: String

    /// Takes all parts.
    public init(
        id: String, time: LogTime, rule: AlertRule, severity: Severity, sourceIP: IPAddress?, user: String?,
        database: String?, eventCount: Int64, firstSeen: LogTime, lastSeen: LogTime, evidence: [Int64],
        message: String
    ) {
        self.id = id
        self.time = time
        self.rule = rule
        self.severity = severity
        self.sourceIP = sourceIP
        self.user = user
        self.database = database
        self.eventCount = eventCount
        self.firstSeen = firstSeen
        self.lastSeen = lastSeen
        self.evidence = evidence
        self.message = message
    }
}

/// What an alert keeps of its rule. Its words are shared: a flood raises very many alerts of one rule.
public struct AlertRule: Hashable, Sendable {
    private struct Words: Hashable, Sendable {
        let id, name, family, version: String
        let techniques, soc2, mlps: [String]
        let framework: String?
    }

    private final class Shared: Sendable {
        let words: Words

        init(_ words: Words) { self.words = words }
    }

    private let shared: Shared

    /// `rule.id` of the rule file.
    public var id: String { shared.words.id }
    /// `rule.name`.
    public var name: String { shared.words.name }
    /// `rule.family`.
    public var family: String { shared.words.family }
    /// `rule.version`: a hash of its text.
    public var version: String { shared.words.version }
    /// MITRE ATT&CK techniques.
    public var techniques: [String] { shared.words.techniques }
    /// SOC 2 criteria.
    public var soc2: [String] { shared.words.soc2 }
    /// MLPS (GB/T 22239) clauses.
    public var mlps: [String] { shared.words.mlps }
    /// `threat.framework`: name and version of the framework that the techniques are of.
    public var framework: String? { shared.words.framework }

    /// Takes all parts.
    public init(
        id: String, name: String, family: String, version: String, techniques: [String], soc2: [String],
        mlps: [String], framework: String? = nil
    ) {
        shared = Shared(
            Words(
                id: id, name: name, family: family, version: version, techniques: techniques, soc2: soc2, mlps: mlps,
                framework: framework))
    }

    /// True when all words are the same.
    public static func == (left: AlertRule, right: AlertRule) -> Bool {
        left.shared === right.shared || left.shared.words == right.shared.words
    }

    /// Hashes the words.
    public func hash(into hasher: inout Hasher) { hasher.combine(shared.words) }
}
