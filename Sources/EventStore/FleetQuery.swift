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
    /// Who belongs to the fleet by what was logged: proxies, who replicates, and who monitors as one of some users. Each
    /// needs a login that succeeded, or a proxy's own log: nobody makes himself one by failing.
    public func fleet(monitors: [String]) throws -> [FleetMember] {
        try pool.read { db in
            var members: [FleetMember] = []
            // The first of each address: the key begins with it, so this jumps from one to the next.
            var address = ""
            while let row = try Row.fetchOne(
                db,
                sql: "SELECT address, min(start) AS first FROM hops WHERE address = "
                    + "(SELECT min(address) FROM hops WHERE address > ?)", arguments: [address]),
                let next = row["address"] as String?
            {
                address = next
                if let ip = IPAddress(next) {
                    members.append(
                        FleetMember(address: ip, role: .proxy, since: LogTime(milliseconds: row["first"])))
                }
            }
            members += try Store.members(.replication, action: "conn.replication", users: nil, db)
            if !monitors.isEmpty { members += try Store.members(.monitor, action: "auth.success", users: monitors, db) }
            return members
        }
    }

    private static func members(
        _ role: FleetMember.Role, action: String, users: [String]?, _ db: Database
    ) throws -> [FleetMember] {
        var sql = """
            SELECT a.ip, min(x.time) AS first FROM (
                SELECT actor, min(time) AS time FROM events WHERE kind IN (SELECT id FROM kinds WHERE action = ?)
                GROUP BY actor) x JOIN actors a ON a.id = x.actor WHERE a.ip IS NOT NULL
            """
        var arguments: StatementArguments = [action]
        if let users {
            sql += " AND a.user IN (\(users.map { _ in "?" }.joined(separator: ", ")))"
            for user in users { arguments += [user] }
        }
        return try Row.fetchAll(db, sql: sql + " GROUP BY a.ip ORDER BY a.ip", arguments: arguments).compactMap { row in
            IPAddress(row["ip"] as String).map {
                FleetMember(address: $0, role: role, since: LogTime(milliseconds: row["first"]))
            }
        }
    }

    /// Every address that ever logged in, and perhaps others: who is not among them has had no session.
    public func addressesWithSessions() throws -> [IPAddress] {
        try pool.read { db in
            let texts = try String.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT a.ip FROM actors a WHERE a.ip IS NOT NULL AND a.id IN (
                        SELECT actor FROM events WHERE kind IN (SELECT id FROM kinds WHERE action = 'auth.success'))
                    UNION SELECT client_ip FROM hops WHERE exact AND client_ip IS NOT NULL
                    """)
            return texts.compactMap { IPAddress($0) }
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
