import Patterns
import VigilModel

/// The names under which Pigsty's Vector ships a log's columns.
enum RawColumns {
    static func field(_ column: LogColumn, of dataset: LogDataset) throws(NotExpressible) -> String {
        guard dataset == .postgresql else {
            if column == .message { return "_msg" }
            throw NotExpressible("\(column.name) of \(dataset.name) has no field of its own")
        }
        switch column {
        case .message: return "msg"
        case .detail: return "detail"
        case .hint: return "hint"
        case .context: return "ctx"
        case .query: return "q"
        case .internalQuery: return "iq"
        case .userName: return "user"
        case .databaseName: return "db"
        case .connectionFrom: return "addr"
        case .applicationName: return "app"
        case .commandTag: return "cmd"
        case .sessionID: return "sid"
        case .location: return "loc"
        case .severity: return "lv"
        case .sqlState: return "code"
        case .backendType: return "btype"
        case .processID: return "pid"
        default: throw NotExpressible("\(column.name) is not shipped")
        }
    }

    /// The field with an event's value, when it stands in a column of its own.
    static func field(_ key: EventKey, of dataset: LogDataset) throws(NotExpressible) -> String {
        switch (key, dataset) {
        case (.cluster, _): return "cls"
        case (.instance, _): return "ins"
        case (.ip, .postgresql), (.ip, .pgbouncer): return "client"
        case (.address, .postgresql), (.address, .pgbouncer): return "peer"
        case (.port, .postgresql), (.port, .pgbouncer): return "port"
        case (.user, .postgresql), (.user, .pgbouncer): return "user"
        case (.database, .postgresql), (.database, .pgbouncer): return "db"
        // A stanza has the name of its cluster.
        case (.database, .pgbackrest): return "cls"
        case (.message, .postgresql): return "msg"
        case (.message, _): return "_msg"
        case (.application, .postgresql): return "app"
        case (.session, .postgresql): return "sid"
        case (.sqlState, .postgresql): return "code"
        case (.processID, _): return "pid"
        default: throw NotExpressible("\(key.rawValue) is no field of \(dataset.name): pgvigil reads it out of a text")
        }
    }

    /// The value of `job` that rows of a log have; nil when Pigsty ships none.
    static func job(of dataset: LogDataset) -> String? {
        switch dataset {
        case .postgresql: "postgres"
        case .pgbouncer: "syslog"
        case .patroni: "patroni"
        case .pgbackrest: "pgbackrest"
        case .pgaudit, .haproxy: nil
        }
    }

    /// Leaves alone what a row already has. Without it VictoriaLogs 1.1x forgets what earlier pipes of the same field read.
    static let keeping = " skip_empty_results"

    /// Takes the client out of `addr`, which has its port behind it.
    static let serverPipes = [
        DerivedPipe(
            makes: ["client"],
            text: #"extract_regexp "^(?:::ffff:)?(?P<client>[0-9]+(?:\\.[0-9]+){3}|[0-9a-fA-F:]+)(?:%[^:]+)?:[0-9]+$" "#
                + "from addr" + keeping),
        DerivedPipe(makes: ["peer"], text: #"extract_regexp "^(?P<peer>.+?)(?::[0-9]+)?$" from addr"# + keeping),
        DerivedPipe(makes: ["port"], text: #"extract_regexp ":(?P<port>[0-9]+)$" from addr"# + keeping),
    ]

    private static let poolerEnd =
        #"(?:\\([0-9]+\\))?:(?P<port>[0-9]+) pooler error: " from _msg"# + keeping

    /// Takes client, user and database out of a line of PgBouncer's: the last place that looks like them, behind which
    /// stand only words of its own.
    static let poolerPipes = [
        DerivedPipe(
            makes: ["client", "port"],
            text: #"extract_regexp if (job:=syslog) "^.*@\\[?(?P<client>[0-9a-fA-F.:]+)\\]?"# + poolerEnd),
        DerivedPipe(
            makes: ["peer"],
            text: #"extract_regexp if (job:=syslog) "^.*@\\[?(?P<peer>[0-9a-fA-F.:]+|unix)\\]?"# + poolerEnd),
        DerivedPipe(makes: ["peer"], text: #"format if (peer:=unix) "[local]" as peer"#),
        DerivedPipe(
            makes: ["user", "db"],
            text: #"extract_regexp if (job:=syslog) "C-0x[0-9a-f]+: (?P<db>[^/]*)/(?P<user>.*)@[^@]+"# + poolerEnd),
    ]

    /// Fields that those pipes make.
    static let derived: Set<String> = ["client", "peer", "port"]
}
