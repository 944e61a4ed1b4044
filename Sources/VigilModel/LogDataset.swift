/// Whose log a record is from (`event.dataset`).
public enum LogDataset: UInt8, Sendable, CaseIterable {
    case postgresql, pgaudit, pgbouncer, patroni, pgbackrest, haproxy

    /// The dataset of that name.
    public init?(name: String) {
        guard let found = LogDataset.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    /// As shown: `postgresql.log`, `pgaudit`, `pgbouncer.log`, …
    public var name: String {
        switch self {
        case .postgresql: "postgresql.log"
        case .pgaudit: "pgaudit"
        case .pgbouncer: "pgbouncer.log"
        case .patroni: "patroni.log"
        case .pgbackrest: "pgbackrest.log"
        case .haproxy: "haproxy.log"
        }
    }
}

/// How a record was written: what its identity can rest on.
public enum RecordForm: UInt8, Sendable {
    /// With a column for everything (csvlog, jsonlog).
    case columns
    /// As text behind a prefix (stderr): session line numbers count prefixes, not records, and columns may be missing.
    case prefixed
    /// Taken out of the server's log by an extension, beside which the rest of a session's records may stand.
    case diverted
    /// With names in it that look like the log's own words. Columns that are in doubt are NULL.
    case disputed
}
