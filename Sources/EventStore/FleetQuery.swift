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

    /// Addresses with events of an action of sessions in some rows (`after`, `through`], each with the time of the first;
    /// of some users only, or of all.
    public func addresses(
        action: String, users: [String]? = nil, after row: Int64, through last: Int64
    ) throws -> [(address: IPAddress, since: LogTime)] {
        var sql =
            "SELECT a.ip, min(x.time) AS first FROM (\(Store.sessions(after: row))) x "
            + "JOIN actors a ON a.id = x.actor WHERE a.ip IS NOT NULL"
        var arguments: StatementArguments = row > 0 ? [row, last, action] : [action]
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

    /// The numbers of actors whose address is one of those meant.
    public func actors(where isMeant: (IPAddress) -> Bool) throws -> [Int64] {
        try pool.read { db in
            let rows = try RawStatement(db, "SELECT id, ip FROM actors WHERE ip IS NOT NULL ORDER BY id")
            var numbers: [Int64] = []
            while try rows.next() {
                if let ip = rows.text(1).flatMap({ IPAddress($0) }), isMeant(ip) { numbers.append(rows.number(0)) }
            }
            return numbers
        }
    }

    /// The numbers of the actors whose address is in a block.
    public func actors(in block: CIDR) throws -> [Int64] {
        try pool.read { db in
            try Int64.fetchAll(
                db, sql: "SELECT id FROM actors WHERE \(AddressTest.sql("ip", block)) ORDER BY id",
                arguments: [AddressTest.value(block)])
        }
    }

    /// True when some login of a time span (`after`, `through`] succeeded.
    public func hasSessions(after: LogTime, through: LogTime) throws -> Bool {
        try pool.read { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM events WHERE time > ? AND time <= ?
                        AND +kind IN (SELECT id FROM kinds WHERE action = 'auth.success'))
                    """, arguments: [after.milliseconds, through.milliseconds]) ?? false
        }
    }

    /// True when some events are of clients behind a proxy.
    public func hasProxies() throws -> Bool {
        try pool.read { db in try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM hops)") ?? false }
    }

    /// Actors with events of an action, and the time of the first. From the start the index of sessions jumps from one
    /// actor to the next; later the rows themselves are few.
    static func sessions(after row: Int64) -> String {
        row > 0
            ? """
            SELECT actor, min(time) AS time FROM events
            WHERE seq > ? AND seq <= ? AND +kind IN (SELECT id FROM kinds WHERE action = ?) GROUP BY actor
            """
            : """
            WITH RECURSIVE x (kind, actor) AS (
                SELECT id, (SELECT min(actor) FROM events WHERE kind = id AND kind < 0) FROM kinds WHERE action = ?
                UNION ALL
                SELECT kind, (SELECT min(e.actor) FROM events e
                    WHERE e.kind = x.kind AND e.kind < 0 AND e.actor > x.actor) FROM x WHERE actor IS NOT NULL)
            SELECT actor, (SELECT min(e.time) FROM events e
                WHERE e.kind = x.kind AND e.kind < 0 AND e.actor = x.actor) AS time FROM x WHERE actor IS NOT NULL
            """
    }

    /// Clients in a block that are known to have come through a proxy.
    public func clientsOfProxies(in block: CIDR) throws -> [IPAddress] {
        let (low, high) = Store.texts(of: block)
        return try pool.read { db in
            try String.fetchAll(db, sql: Store.clients, arguments: [low, high]).compactMap { IPAddress($0) }
                .filter(block.contains)
        }
    }

    static let clients = """
        SELECT DISTINCT client_ip FROM hops
        WHERE exact AND client_ip IS NOT NULL AND client_ip >= ? AND client_ip < ?
        """

    /// Between which texts the addresses of a block stand.
    private static func texts(of block: CIDR) -> (String, String) {
        let text = block.address.description
        if block.isHost { return (text, text + " ") }
        // Parts that all addresses share: 203.0.113. of a /24, 2001: of what is longer than 16 bits.
        let isV4 = block.address.isV4
        let shared = isV4 ? block.prefix / 8 : min(1, block.prefix / 16)
        let parts = text.split(separator: isV4 ? "." : ":", omittingEmptySubsequences: false).prefix(shared)
        guard shared > 0, parts.allSatisfy({ !$0.isEmpty }) else { return ("", "g") }
        let start = parts.joined(separator: isV4 ? "." : ":")
        // '/' comes after '.', and ';' after ':'.
        return (start + (isV4 ? "." : ":"), start + (isV4 ? "/" : ";"))
    }

    /// Whether some server logged a successful login in a time span, `before` not included.
    public func hasSessions(from: LogTime, before: LogTime) throws -> Bool {
        try pool.read { db in
            try Bool.fetchOne(
                db, sql: Store.hasSessions,
                arguments: ["auth.success", from.milliseconds, before.milliseconds]) ?? false
        }
    }

    static let hasSessions = """
        WITH RECURSIVE x (kind, actor) AS (
            SELECT id, (SELECT min(actor) FROM events WHERE kind = id AND kind < 0) FROM kinds WHERE action = ?
            UNION ALL
            SELECT kind, (SELECT min(e.actor) FROM events e
                WHERE e.kind = x.kind AND e.kind < 0 AND e.actor > x.actor) FROM x WHERE actor IS NOT NULL)
        SELECT EXISTS (SELECT 1 FROM x WHERE actor IS NOT NULL AND EXISTS (SELECT 1 FROM events e
            WHERE e.kind = x.kind AND e.kind < 0 AND e.actor = x.actor AND e.time >= ? AND e.time < ?))
        """

    /// Addresses that alerts of a rule name, in rows after one, each with the time of the first; and the last row.
    public func addresses(ofRule rule: String, after row: Int64) throws -> ([(IPAddress, LogTime)], last: Int64) {
        try pool.read { db in
            let last = try Int64.fetchOne(db, sql: "SELECT coalesce(max(seq), 0) FROM alerts") ?? 0
            guard last > row else { return ([], last) }
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT ip, min(time) AS first FROM alerts WHERE seq > ? AND seq <= ? AND ip IS NOT NULL
                        AND rule IN (SELECT id FROM rules WHERE rule = ?) GROUP BY ip
                    """, arguments: [row, last, rule])
            return (
                rows.compactMap { row in
                    IPAddress(row["ip"] as String).map { ($0, LogTime(milliseconds: row["first"])) }
                }, last
            )
        }
    }
}
