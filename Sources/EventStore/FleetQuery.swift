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
        try pool.read { db in
            let kinds = try Int64.fetchAll(db, sql: "SELECT id FROM kinds WHERE action = ?", arguments: [action])
            guard !kinds.isEmpty else { return [] }
            // From the start the index by time holds all that is asked for; later the rows themselves are few.
            let rows = try RawStatement(
                db,
                """
                SELECT actor, time FROM events WHERE \(row > 0 ? "seq > \(row) AND seq <= \(last) AND" : "")
                    kind IN (\(kinds.map(String.init).joined(separator: ", ")))
                """)
            var first: [Int64: Int64] = [:]
            while try rows.next() {
                let actor = rows.number(0)
                first[actor] = min(first[actor] ?? .max, rows.number(1))
            }
            return try found(first, users, db)
        }
    }

    /// The addresses of actors, each with the earliest of their times.
    private func found(
        _ times: [Int64: Int64], _ users: [String]?, _ db: Database
    ) throws -> [(address: IPAddress, since: LogTime)] {
        let select = try db.cachedStatement(sql: "SELECT ip, user FROM actors WHERE id = ? AND ip IS NOT NULL")
        var since: [IPAddress: Int64] = [:]
        for (actor, time) in times {
            guard let row = try Row.fetchOne(select, arguments: [actor]), users?.contains(row["user"]) ?? true,
                let address = IPAddress(row["ip"] as String)
            else { continue }
            since[address] = min(since[address] ?? .max, time)
        }
        return since.map { ($0.key, LogTime(milliseconds: $0.value)) }.sorted { $0.address < $1.address }
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

    /// True when some events are of clients behind a proxy.
    public func hasProxies() throws -> Bool {
        try pool.read { db in try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM hops)") ?? false }
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
