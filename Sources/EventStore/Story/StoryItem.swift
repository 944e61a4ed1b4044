import VigilModel

/// One thing of a story.
public enum StoryItem: Sendable {
    /// What somebody did.
    case event(StoryEvent)
    /// What a rule made of it.
    case alert(StoryAlert)
    /// What followed.
    case ban(Ban)

    /// When it happened.
    public var time: LogTime {
        switch self {
        case .event(let event): event.time
        case .alert(let alert): alert.time
        case .ban(let ban): ban.start
        }
    }
}

/// An event as a story needs it, in the words of the view `event`.
public struct StoryEvent: Sendable, Equatable {
    /// `event.id`.
    public var id: String
    /// When.
    public var time: LogTime
    /// `event.dataset`, `event.category`, `event.action`, `event.outcome`.
    public var dataset, category, action, outcome: String
    /// `event.reason`.
    public var reason: String?
    /// How much it matters.
    public var severity: Severity
    /// Like events that it stands for.
    public var count: Int64
    /// Words that apply.
    public var tags: [String] = []
    /// The server's message, or the statement.
    public var message: String?
    /// From where, as logged or as known behind a proxy.
    public var address: String?
    /// TCP port of the client.
    public var port: Int64?
    /// What the server saw, where a proxy stands between.
    public var proxy: String?
    /// Login user, role that was named, database.
    public var user, targetUser, database: String?
    /// Command tag, and what was touched.
    public var operation, object: String?
    /// The session's id.
    public var session: String?
    /// `application_name`.
    public var application: String?
    /// How the client proved who it is, and with which TLS.
    public var authMethod, tlsVersion: String?
    /// `service.name` and `service.node.name`.
    public var cluster, instance: String?

    /// Takes what every event has.
    public init(
        id: String, time: LogTime, dataset: String, category: String, action: String, outcome: String,
        severity: Severity, count: Int64 = 1
    ) {
        self.id = id
        self.time = time
        self.dataset = dataset
        self.category = category
        self.action = action
        self.outcome = outcome
        self.severity = severity
        self.count = count
    }
}

/// An alert as a story needs it.
public struct StoryAlert: Sendable, Equatable {
    /// `alert.id`.
    public var id: String
    /// When, in event time.
    public var time: LogTime
    /// `rule.id`.
    public var rule: String
    /// How much it matters.
    public var severity: Severity
    /// What a person reads first.
    public var message: String
    /// Events that counted.
    public var eventCount: Int64
    /// The session of the event that fired it.
    public var session: String?

    /// Takes all parts.
    public init(
        id: String, time: LogTime, rule: String, severity: Severity, message: String, eventCount: Int64,
        session: String?
    ) {
        self.id = id
        self.time = time
        self.rule = rule
        self.severity = severity
        self.message = message
        self.eventCount = eventCount
        self.session = session
    }
}
