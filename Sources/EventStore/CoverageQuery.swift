import GRDB
import VigilModel

/// What the logs in a store have told so far, to say what they do not tell.
public struct Coverage: Sendable {
    /// Records read.
    public var records: Int64 = 0
    /// Connection lines by step: `connection.received`, `connection.authenticated`, `connection.authorized`, `connection.ended`.
    public var connections: [String: Int64] = [:]
    /// Events that log_statement or a duration told of, and records of pgaudit's.
    public var statements: Int64 = 0
    /// Records of pgaudit's.
    public var audited: Int64 = 0
    /// Classes of pgaudit's that were seen, in small letters.
    public var auditClasses: Set<String> = []
    /// Formats of the logs that records came of.
    public var formats: Set<String> = []
    /// Failed logins, and how many of them came from each address, the busiest first.
    public var failures: Int64 = 0
    /// The busiest addresses, as far as known behind proxies: failed logins, and users they named.
    public var addresses: [(address: String, failures: Int64, users: Int64)] = []
    /// Addresses that a proxy's log names as its own.
    public var proxies: Set<String> = []

    /// Nothing.
    public init() {}
}

extension Store {
    /// What the logs have told so far.
    public func coverage() throws -> Coverage {
        try pool.read { db in
            var coverage = Coverage()
            coverage.records = try Int64.fetchOne(db, sql: "SELECT coalesce(sum(records), 0) FROM sources") ?? 0
            for row in try Row.fetchAll(
                db,
                sql: """
                    SELECT command, audit_class <> '' AS audited, sum(count) AS count FROM activity
                    WHERE audit_class <> '' OR command LIKE 'connection.%' GROUP BY audited, CASE WHEN audited THEN '' ELSE command END
                    """)
            {
                let count: Int64 = row["count"]
                if row["audited"] { coverage.audited += count } else { coverage.connections[row["command"]] = count }
            }
            coverage.auditClasses = try String.fetchSet(
                db, sql: "SELECT DISTINCT lower(audit_class) FROM activity WHERE audit_class <> ''")
            coverage.formats = try String.fetchSet(db, sql: "SELECT DISTINCT format FROM sources WHERE records > 0")
            coverage.statements =
                try Int64.fetchOne(
                    db,
                    sql: """
                        SELECT count(*) FROM events e JOIN kinds k ON k.id = e.kind
                        WHERE e.operation IS NOT NULL AND e.sqlstate = '00000' AND k.dataset = 'postgresql.log'
                        """) ?? 0
            for row in try Row.fetchAll(
                db,
                sql: """
                    SELECT coalesce(h.client, a.address) AS address, sum(e.count) AS failures,
                        count(DISTINCT a.user) AS users
                    FROM events e JOIN kinds k ON k.id = e.kind JOIN actors a ON a.id = e.actor
                    LEFT JOIN event_hop h ON h.seq = e.seq
                    WHERE k.action = 'auth.failure' AND a.address <> ''
                    GROUP BY coalesce(h.client, a.address) ORDER BY failures DESC
                    """)
            {
                let failures: Int64 = row["failures"]
                coverage.failures += failures
                if coverage.addresses.count < 100 {
                    coverage.addresses.append((row["address"], failures, row["users"]))
                }
            }
            coverage.proxies = try String.fetchSet(db, sql: "SELECT DISTINCT address FROM hops")
            return coverage
        }
    }
}
