/// A key of an event that rules can ask for, in the words of `pgvigil events --format jsonl`.
public enum EventKey: String, CaseIterable, Sendable {
    case dataset = "event.dataset"
    case category = "event.category"
    case action = "event.action"
    case outcome = "event.outcome"
    case reason = "event.reason"
    case severity = "event.severity"
    case tags
    case count = "event.count"
    case address = "source.address"
    case ip = "source.ip"
    /// The network of the address: IPv4 by its /24, IPv6 by its /64. No key of an event's row, but of rules.
    case network = "source.network"
    case port = "source.port"
    case user = "user.name"
    case targetUser = "user.target.name"
    case database = "db.namespace"
    case operation = "db.operation.name"
    case object = "db.object.name"
    case objectType = "db.object.type"
    case query = "db.query.text"
    case message
    case processID = "process.pid"
    case auditClass = "pgaudit.class"
    case authMethod = "postgresql.auth.method"
    case hbaRule = "postgresql.hba.rule"
    case tlsVersion = "tls.version"
    case secretFingerprint = "secret.fingerprint"
    case sqlState = "postgresql.log.sql_state_code"
    case session = "postgresql.log.session_id"
    case application = "postgresql.log.application_name"
    case cluster = "service.name"
    case instance = "service.node.name"
    case path = "log.file.path"

    /// Where the value stands: what all events of a kind share, what every event carries, what must be fetched.
    public enum Place: Sendable, Comparable { case kind, event, details }

    /// Where the value stands.
    public var place: Place {
        switch self {
        case .dataset, .category, .action, .outcome, .reason, .severity, .tags: .kind
        case .count, .address, .ip, .network, .user, .database: .event
        default: .details
        }
    }
}

extension EventKey {
    /// True when who acted says it.
    public var isOfActor: Bool {
        switch self {
        case .address, .ip, .network, .user, .database: true
        default: false
        }
    }
}

extension EventKind {
    /// The value of a key that all events of the kind share; of `tags`, all of them.
    public func values(of key: EventKey) -> [String] {
        switch key {
        case .dataset: [dataset]
        case .category: [category]
        case .action: [action]
        case .outcome: [outcome.rawValue]
        case .reason: reason.map { [$0] } ?? []
        case .severity: [severity.rawValue]
        case .tags: tags
        default: []
        }
    }
}
