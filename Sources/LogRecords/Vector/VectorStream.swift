/// Where rows come from: one program of one instance. Whatever server or way they come over, they are of the same
/// stream.
public struct VectorStream: Hashable, Sendable {
    /// What its rows are.
    public enum Kind: String, Sendable, CaseIterable {
        /// csvlog of PostgreSQL, a field for each column.
        case postgres
        case pgbouncer, patroni, pgbackrest
        /// What another pgvigil found: an event each.
        case events
        /// Lines that are no rows.
        case unknown
    }

    /// What its rows are.
    public var kind: Kind
    /// Pigsty's `cls` and `ins`.
    public var cluster, instance: String?
    /// Of pgBackRest the file, without its suffix.
    public var topic: String?

    /// A stream with what is known of it.
    public init(kind: Kind, cluster: String? = nil, instance: String? = nil) {
        self.kind = kind
        self.cluster = cluster
        self.instance = instance
    }

    /// The name that the store and `log.file.path` know it by: `vector:postgres/pg-test-1`.
    public var path: String {
        "vector:\(kind.rawValue)/\(instance ?? cluster ?? "-")" + (topic.map { "/\($0)" } ?? "")
    }

    /// The word for its format.
    public var format: String {
        switch kind {
        case .postgres: LogFormat.csvlog.rawValue
        case .pgbouncer: LogFormat.pgbouncer.rawValue
        case .patroni: LogFormat.patroni.rawValue
        case .pgbackrest: LogFormat.pgbackrest.rawValue
        case .events: "events"
        case .unknown: "unknown"
        }
    }
}
