import VigilModel

/// One thing that must be logged for a rule to fire, as rules name it in `needs`.
public enum LoggingNeed: Hashable, Sendable {
    /// Connection lines: who came (`receipt`), how they proved who they are, who was let in.
    case receipt, authentication, connections, disconnections
    /// Commands of replication connections, base backups among them.
    case replicationCommands
    /// `log_statement`, at least so much.
    case statement(StatementLevel)
    /// A class of pgaudit's.
    case audit(String)
    /// Statements in any way.
    case statements
    /// Durations with their statements.
    case durations
    /// The log of another program.
    case program(Program)
    /// A log with a column for everything.
    case columns
    /// A word of a rule that is not known here.
    case other(String)

    /// What `log_statement` logs, least first.
    public enum StatementLevel: String, CaseIterable, Sendable, Comparable {
        case none, ddl, mod, all

        /// By how much is logged.
        public static func < (left: StatementLevel, right: StatementLevel) -> Bool {
            let order = StatementLevel.allCases
            return (order.firstIndex(of: left) ?? 0) < (order.firstIndex(of: right) ?? 0)
        }
    }

    /// Programs beside the server that have logs of their own.
    public enum Program: String, CaseIterable, Sendable {
        case pgbouncer, patroni, pgbackrest, haproxy
    }

    /// Reads a word of `needs`, without alternatives.
    public init(_ word: some StringProtocol) {
        let parts = String(word).split(maxSplits: 1, whereSeparator: { $0 == "=" || $0 == ":" }).map(String.init)
        switch (parts.first ?? "", parts.count > 1 ? parts[1] : nil) {
        case ("log_connections", nil): self = .connections
        case ("log_authentication", nil): self = .authentication
        case ("receipt", nil), ("log_connections", "receipt"): self = .receipt
        case ("log_disconnections", nil): self = .disconnections
        case ("log_replication_commands", nil): self = .replicationCommands
        case ("statements", nil): self = .statements
        case ("log_min_duration_statement", nil): self = .durations
        case ("csvlog", nil): self = .columns
        case ("log_statement", let level?):
            self = StatementLevel(rawValue: level).map(LoggingNeed.statement) ?? .other(String(word))
        case ("pgaudit", let name?): self = .audit(name.lowercased())
        case (let name, nil): self = Program(rawValue: name).map(LoggingNeed.program) ?? .other(String(word))
        default: self = .other(String(word))
        }
    }

    /// Reads `a|b`: either of the two suffices.
    public static func alternatives(_ text: String) -> [LoggingNeed] {
        text.split(separator: "|").map { LoggingNeed($0) }
    }

    /// The word.
    public var word: String {
        switch self {
        case .receipt: "receipt"
        case .authentication: "log_authentication"
        case .connections: "log_connections"
        case .disconnections: "log_disconnections"
        case .replicationCommands: "log_replication_commands"
        case .statement(let level): "log_statement=\(level.rawValue)"
        case .audit(let name): "pgaudit=\(name)"
        case .statements: "statements"
        case .durations: "log_min_duration_statement"
        case .program(let program): program.rawValue
        case .columns: "csvlog"
        case .other(let word): word
        }
    }
}
