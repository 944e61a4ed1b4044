/// What to set so that something is logged: on any server, and in the inventory of a Pigsty deployment.
public struct NeedRemedy: Sendable, Equatable {
    /// The setting.
    public let setting: String
    /// The parameter of Pigsty's inventory, below the `vars` of the cluster.
    public let pigsty: String?

    /// What a need takes.
    public init(_ need: LoggingNeed, version: Int? = nil) {
        switch need {
        case .receipt, .authentication, .connections:
            let words = "receipt,authentication,authorization"
            let value = version.map { $0 >= 18 ? "'\(words)'" : "on" }
            setting = "log_connections = \(value ?? "on (18: '\(words)')"), reload"
            pigsty = "pg_parameters: {log_connections: \((version ?? 0) >= 18 ? "'\(words)'" : "'on'")}"
        case .disconnections:
            setting = "log_disconnections = on, reload"
            pigsty = "pg_parameters: {log_disconnections: 'on'}"
        case .replicationCommands:
            setting = "log_replication_commands = on, reload"
            pigsty = "pg_parameters: {log_replication_commands: 'on'}"
        case .statement(let level):
            setting = "log_statement = '\(level.rawValue)', reload"
            pigsty = "pg_parameters: {log_statement: '\(level.rawValue)'}"
        case .statements:
            setting = "log_statement = 'ddl', reload"
            pigsty = "pg_parameters: {log_statement: 'ddl'}"
        case .durations:
            setting = "log_min_duration_statement = '1s', reload"
            pigsty = "pg_parameters: {log_min_duration_statement: '1s'}"
        case .audit(let name):
            let classes = ["ddl", "role", "write", "misc"]
            let log = (classes.contains(name) ? classes : classes + [name]).joined(separator: ",")
            setting = "shared_preload_libraries with pgaudit, pgaudit.log = '\(log)', restart"
            pigsty =
                "pg_libs: 'pgaudit, pg_stat_statements, auto_explain', pg_parameters: {pgaudit.log: '\(log)'}, "
                + "pgaudit among pg_extensions"
        case .program(let program):
            (setting, pigsty) = NeedRemedy.log(of: program)
        case .columns:
            setting = "logging_collector = on, log_destination = 'csvlog', restart"
            pigsty = nil
        case .other(let word):
            setting = "see what the rule says of '\(word)'"
            pigsty = nil
        }
    }

    private static func log(of program: LoggingNeed.Program) -> (String, String?) {
        switch program {
        case .pgbouncer:
            ("logfile in pgbouncer.ini, and a source: {path: /var/log/pgbouncer}", "source: {path: /pg/log/pgbouncer}")
        case .patroni:
            ("log.dir in patroni.yml, and a source: {path: /var/log/patroni}", "source: {path: /pg/log/patroni}")
        case .pgbackrest:
            (
                "log-level-file=info in pgbackrest.conf, and a source: {path: /var/log/pgbackrest}",
                "source: {path: /pg/log/pgbackrest}"
            )
        case .haproxy: ("log and log-format in haproxy.cfg, see docs/proxy.md, and its log as a source", nil)
        }
    }

    /// Both, for a person.
    public var text: String { setting + (pigsty.map { "; Pigsty: \($0)" } ?? "") }
}
