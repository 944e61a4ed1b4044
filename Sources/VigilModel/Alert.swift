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

/// What an alert keeps of its rule.
public struct AlertRule: Hashable, Sendable {
    /// `rule.id`, `rule.name`, `rule.family` of the rule file, and a hash of its text as `rule.version`.
    public var id, name, family, version: String
    /// MITRE ATT&CK technique, SOC 2 criteria and MLPS (GB/T 22239) clauses.
    public var techniques, soc2, mlps: [String]
    /// `threat.framework`: name and version of the framework that the techniques are of.
    public var framework: String?

    /// Takes all parts.
    public init(
        id: String, name: String, family: String, version: String, techniques: [String], soc2: [String],
        mlps: [String], framework: String? = nil
    ) {
        self.id = id
        self.name = name
        self.family = family
        self.version = version
        self.techniques = techniques
        self.soc2 = soc2
        self.mlps = mlps
        self.framework = framework
    }
}
