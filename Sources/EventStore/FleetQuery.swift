import GRDB
import VigilModel

/// An address that the logs show to be the fleet's own.
public struct FleetMember: Sendable, Equatable {
    /// The address.
    public let address: IPAddress
    /// What it does there.
    public let role: Role
    /// When it was first seen.
    public let since: LogTime

    /// Takes all parts.
    public init(address: IPAddress, role: Role, since: LogTime) {
        self.address = address
        self.role = role
        self.since = since
    }

    /// What an address does in a fleet.
    public enum Role: String, Sendable {
        /// Others connect through it.
        case proxy
        /// It replicates.
        case replication
        /// It logs in as a user who monitors.
        case monitor
    }
}

extension Store {
    /// The row of the last event; 0 when there is none.
    public func lastEventRow() throws -> Int64 {
        try pool.read { try Int64.fetchOne($0, sql: "SELECT coalesce(max(seq), 0) FROM events") ?? 0 }
    }

    /// Proxies and poolers, each with the time of its first connection: where the clients behind are known, its own
    /// address stands for nobody.
    public func proxies() throws -> [FleetMember] {
        try pool.read { db in
            var members: [FleetMember] = []
            // The first of each address: the key begins with it, so this jumps from one to the next.
            var address = ""
            while let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT address, min(start) AS first FROM hops
                    WHERE address = (SELECT min(address) FROM hops WHERE address > ?)
                    """, arguments: [address]),
                let next = row["address"] as String?
            {
                address = next
                if let ip = IPAddress(next) {
                    members.append(FleetMember(address: ip, role: .proxy, since: LogTime(milliseconds: row["first"])))
                }
            }
            return members
        }
    }

    /// Addresses with events of an action in some rows (`after`, `through`], each with the time of the first; of some
    /// users only, or of all.
    public func addresses(
        action: String, users: [String]? = nil, after row: Int64, through last: Int64
    ) throws -> [(address: IPAddress, since: LogTime)] {
        // From the start the index by time holds all that is asked for; later the rows themselves are few.
        let rows = row > 0 ? "seq > \(row) AND seq <= \(last) AND" : ""
        var sql = """
            SELECT a.ip, min(x.time) AS first FROM (
                SELECT actor, min(time) AS time FROM events
                WHERE \(rows) kind IN (SELECT id FROM kinds WHERE action = ?) GROUP BY actor) x
            JOIN actors a ON a.id = x.actor WHERE a.ip IS NOT NULL
            """
        var arguments: StatementArguments = [action]
        if let users {
            sql += " AND a.user IN (\(users.map { _ in "?" }.joined(separator: ", ")))"
            for user in users { arguments += [user] }
        }
        return try pool.read { db in
            try Row.fetchAll(db, sql: sql + " GROUP BY a.ip ORDER BY a.ip", arguments: arguments).compactMap { row in
                IPAddress(row["ip"] as String).map { ($0, LogTime(milliseconds: row["first"])) }
            }
        }
    }

    /// Clients that are known to have come through a proxy.
    public func clientsOfProxies() throws -> [IPAddress] {
        try pool.read { db in
            try String.fetchAll(db, sql: "SELECT DISTINCT client_ip FROM hops WHERE exact AND client_ip IS NOT NULL")
                .compactMap { IPAddress($0) }
        }
    }

    /// Whether some server logged a successful login in a time span, `before` not included.
    public func hasSessions(from: LogTime, before: LogTime) throws -> Bool {
        try pool.read { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM events WHERE time >= ? AND time < ?
                        AND kind IN (SELECT id FROM kinds WHERE action = 'auth.success'))
                    """, arguments: [from.milliseconds, before.milliseconds]) ?? false
        }
    }
}
