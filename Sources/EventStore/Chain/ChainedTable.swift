import VigilModel

/// A table whose rows are chained: each holds the hash of itself and of the hash before it, in the order of `seq`.
///
/// What a row refers to is in it by what that says, not by its number: the words of its kind, its actor and its rule by
/// their hash, cluster and instance of its source as they are.
enum ChainedTable: String, CaseIterable, Sendable {
    case events, records, hops, alerts, bans, acts

    /// What the first row of the table follows.
    var origin: ChainHash { ChainHash(of: "pgvigil chain 1 \(rawValue)") }

    /// The number of a row.
    var key: String { self == .hops ? "id" : "seq" }

    /// The rows with all that is chained, number and hash first. Whoever writes a row encodes the same values in the same
    /// order. A condition may follow.
    var select: String { "SELECT t.\(key), t.chain, \(values) FROM \(rawValue) t \(joins)" }

    private var values: String {
        switch self {
        case .events:
            """
            t.origin, t.line, t.mark, t.content, t.time, k.digest, a.digest, s.cluster, s.instance, t.offset, t.count,
            t.port, t.pid, t.sqlstate, t.session, t.session_line, t.application, t.message, t.target_user, t.operation,
            t.object, t.object_type, t.query, t.auth_method, t.hba_rule, t.tls_version, t.audit_class, t.secret
            """
        case .records:
            """
            t.event, t.origin, t.line, t.mark, k.digest, t.time, s.cluster, s.instance, t.offset, t.audit_class, t.object,
            t.object_type, t.count
            """
        case .hops: "t.address, t.port, t.start, t.\"end\", t.client, t.client_ip, t.client_port, t.exact"
        case .alerts:
            """
            t.id, t.time, r.digest, t.group_key, t.severity, t.ip, t.user, t.database, t.events, t.first, t.last, t.message,
            (SELECT group_concat(event, ' ') FROM (SELECT event FROM evidence WHERE alert = t.seq ORDER BY event))
            """
        case .bans:
            "t.alert, t.cidr, t.ip, t.start, t.\"end\", t.rule, t.reason, t.events, t.mode, t.by"
        case .acts:
            "t.act, t.time, t.written, t.cidr, t.by, t.reason, t.through, t.item, t.rows, t.total"
        }
    }

    // Outer joins: a row whose kind is gone is still looked at.
    private var joins: String {
        switch self {
        case .events:
            """
            LEFT JOIN kinds k ON k.id = t.kind LEFT JOIN actors a ON a.id = t.actor
            LEFT JOIN sources s ON s.id = t.source
            """
        case .records: "LEFT JOIN kinds k ON k.id = t.kind LEFT JOIN sources s ON s.id = t.source"
        case .alerts: "LEFT JOIN rules r ON r.id = t.rule"
        case .hops, .bans, .acts: ""
        }
    }
}

/// A table of what many rows share: each row holds the hash of its words.
enum WordTable: String, CaseIterable {
    case kinds, actors, rules

    /// The columns that are hashed, in order.
    var words: [String] {
        switch self {
        case .kinds: ["dataset", "category", "action", "outcome", "reason", "severity", "tags"]
        case .actors: ["address", "user", "database", "ip"]
        case .rules: ["rule", "version", "name", "family", "techniques", "soc2", "mlps", "framework"]
        }
    }
}
