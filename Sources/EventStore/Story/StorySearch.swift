import GRDB
import VigilModel

extension Store {
    /// What a name may be: a user, an address or a session of the store. More than one when it is ambiguous.
    public func subjects(named name: String) throws -> [StorySubject] {
        try pool.read { db in
            func exists(_ sql: String, _ arguments: StatementArguments) throws -> Bool {
                try Bool.fetchOne(db, sql: "SELECT EXISTS (\(sql))", arguments: arguments) ?? false
            }
            var found: [StorySubject] = []
            if try exists("SELECT 1 FROM actors WHERE user = ?", [name])
                || exists("SELECT 1 FROM events WHERE target_user = ?", [name])
                || exists("SELECT 1 FROM activity WHERE user = ?", [name])
            {
                found.append(.user(name))
            }
            if let block = CIDR(name) {
                let value = AddressTest.value(block)
                if try exists("SELECT 1 FROM actors WHERE \(AddressTest.sql("ip", block))", [value])
                    || exists("SELECT 1 FROM hops WHERE \(AddressTest.sql("client_ip", block))", [value])
                {
                    found.append(.address(block))
                }
            } else if try exists("SELECT 1 FROM actors WHERE address = ?", [name]), !name.isEmpty {
                found.append(.host(name))
            }
            // The id is the origin of its events but for logs that have no line numbers.
            if name.contains("."),
                try exists("SELECT 1 FROM events WHERE origin = ?", [name])
                    || exists("SELECT 1 FROM events WHERE session = ?", [name])
            {
                found.append(.session(name))
            }
            return found
        }
    }

    /// Users of the store, at most that many: to name the one that was meant.
    public func users(limit: Int) throws -> [String] {
        try pool.read { db in
            try String.fetchAll(
                db, sql: "SELECT DISTINCT user FROM actors WHERE user <> '' LIMIT ?", arguments: [limit])
        }
    }

    /// How many events came through an address, where it is a proxy's, and for how many clients.
    public func clients(behind address: String) throws -> Int {
        try pool.read { db in
            try Int.fetchOne(
                db, sql: "SELECT count(DISTINCT client) FROM hops WHERE address = ?", arguments: [address]) ?? 0
        }
    }

    /// What a user did too often for a row each: hourly counters by class, command and object, the busiest first.
    public func activity(of user: String, since: LogTime, until: LogTime, limit: Int) throws -> [UserActivity] {
        try pool.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT audit_class, command, object, database, sum(count) AS count, min(hour) AS first, max(hour) AS last
                    FROM activity WHERE user = ? AND hour >= ? AND hour * 3600000 < ?
                    GROUP BY audit_class, command, object, database
                    ORDER BY count DESC, command, object, database LIMIT ?
                    """,
                arguments: [user, since.milliseconds / 3_600_000, until.milliseconds, limit]
            ).map { row in
                func text(_ column: String) -> String? {
                    (row[column] as String?).flatMap { $0.isEmpty ? nil : $0 }
                }
                return UserActivity(
                    command: row["command"], auditClass: text("audit_class"), object: text("object"),
                    database: text("database"), count: row["count"],
                    first: LogTime(milliseconds: (row["first"] as Int64) * 3_600_000),
                    last: LogTime(milliseconds: (row["last"] as Int64) * 3_600_000))
            }
        }
    }
}

/// How often a user did something ordinary.
public struct UserActivity: Sendable, Equatable {
    /// Command tag, or `connection.…`.
    public var command: String
    /// pgaudit's class, what was touched, and where.
    public var auditClass, object, database: String?
    /// How often.
    public var count: Int64
    /// The first and the last hour in which it was done.
    public var first, last: LogTime
}
