import GRDB
import VigilModel

extension Store {
    /// What waits for a sink, alerts first, then by number. `settled` leaves out events that were queued later than that,
    /// by the clock on the wall: more may be told of them in a moment.
    public func waiting(for sink: Int64, limit: Int, settled: LogTime) throws -> [Delivery] {
        try pool.read { db in
            var result: [Delivery] = []
            for kind in Delivery.Kind.allCases where result.count < limit {
                let latest = kind == .event ? settled : .distantFuture
                let rows = try Row.fetchAll(
                    db,
                    sql: """
                        SELECT item, version FROM outbox WHERE sink = ? AND kind = ? AND written <= ?
                        ORDER BY item LIMIT ?
                        """, arguments: [sink, kind.rawValue, latest.milliseconds, limit - result.count])
                let shown = try Store.rows(of: kind, rows.map { $0["item"] as Int64 }, db)
                for row in rows {
                    let item: Int64 = row["item"]
                    // An event that is no more, since its time in the store is over, has nothing to tell.
                    result.append(
                        Delivery(kind: kind, item: item, version: row["version"], row: shown[item] ?? []))
                }
            }
            return result
        }
    }

    /// Rows as `events` and `alerts` show them, by number.
    private static func rows(of kind: Delivery.Kind, _ items: [Int64], _ db: Database) throws -> [Int64: ShownRow] {
        guard !items.isEmpty else { return [:] }
        let what = kind == .event ? Queryable.sent : Queryable.told
        let columns = what.keys.map(\.column).joined(separator: ", ")
        let numbers = items.map(String.init).joined(separator: ",")
        var result: [Int64: ShownRow] = [:]
        // Who is told of an alert keeps what proves it, and all before it.
        let more: ShownRow = kind == .alert ? [("store.head", .text(try ChainHead(db).description))] : []
        let rows = try Row.fetchCursor(
            db, sql: "SELECT \(columns), seq AS shown_seq FROM \(what.source) WHERE seq IN (\(numbers))")
        while let row = try rows.next() { result[row["shown_seq"]] = what.shown(row) + more }
        return result
    }

    /// Takes away what a sink took, sets aside what it refused.
    public func settle(_ result: DeliveryResult, of sink: Int64) throws {
        let now = LogTime.wallClock.milliseconds
        try pool.write { db in
            let delete = try db.cachedStatement(
                sql: "DELETE FROM outbox WHERE sink = ? AND kind = ? AND item = ? AND version = ?")
            func remove(_ delivery: Delivery) throws {
                try delete.execute(arguments: [sink, delivery.kind.rawValue, delivery.item, delivery.version])
            }
            for delivery in result.taken { try remove(delivery) }
            for (delivery, reason) in result.refused {
                try remove(delivery)
                try db.execute(
                    sql: "INSERT OR REPLACE INTO set_aside VALUES (?, ?, ?, ?, ?)",
                    arguments: [sink, delivery.kind.rawValue, delivery.item, now, reason])
            }
            for (alert, end) in result.firing {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO firing VALUES (?, ?, ?)",
                    arguments: [sink, alert, end.milliseconds])
            }
            try db.execute(
                sql: """
                    UPDATE sinks SET sent = sent + ?, last_success = ?, failing_since = NULL, attempts = 0,
                        next_try = NULL, problem = ? WHERE id = ?
                    """, arguments: [result.taken.count, now, result.problem, sink])
        }
    }

    /// Notes that a sink took nothing, why, and when it is tried again (by the clock on the wall).
    public func noteFailure(of sink: Int64, _ problem: String, nextTry: LogTime) throws {
        try pool.write { db in
            try db.execute(
                sql: """
                    UPDATE sinks SET failing_since = coalesce(failing_since, ?), attempts = attempts + 1, next_try = ?,
                        problem = ? WHERE id = ?
                    """, arguments: [LogTime.wallClock.milliseconds, nextTry.milliseconds, problem, sink])
        }
    }

    /// When a sink is to be tried again; nil: now.
    public func nextTry(of sink: Int64) throws -> LogTime? {
        try pool.read { db in
            try Int64.fetchOne(db, sql: "SELECT next_try FROM sinks WHERE id = ?", arguments: [sink]).map(LogTime.init)
        }
    }

    /// Lets go of the oldest of what waits for a sink beyond a limit; gives how many.
    public func trimOutbox(of sink: Int64, to limit: Int) throws -> Int {
        // Counting is cheap beside what a full outbox costs, but a transaction for nothing is not.
        let count = try pool.read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM outbox WHERE sink = ?", arguments: [sink]) ?? 0
        }
        guard count > limit else { return 0 }
        return try pool.write { db in
            // Alerts are few and worth more: events go first.
            try db.execute(
                sql: """
                    DELETE FROM outbox WHERE sink = ?1 AND (kind, item) IN (
                        SELECT kind, item FROM outbox WHERE sink = ?1 ORDER BY kind DESC, item LIMIT ?2)
                    """, arguments: [sink, count - limit])
            let dropped = db.changesCount
            try db.execute(
                sql: "UPDATE sinks SET dropped = dropped + ? WHERE id = ?", arguments: [dropped, sink])
            return dropped
        }
    }

    /// Alerts that a sink keeps telling, and until when. Those that ended before a moment are forgotten.
    public func firing(of sink: Int64, endedAfter moment: LogTime) throws -> [(delivery: Delivery, end: LogTime)] {
        let rows = try pool.read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT alert, \"end\" FROM firing WHERE sink = ? ORDER BY alert", arguments: [sink])
            let shown = try Store.rows(of: .alert, rows.map { $0["alert"] as Int64 }, db)
            return rows.map { row in
                let item: Int64 = row["alert"]
                return (
                    Delivery(kind: .alert, item: item, version: 0, row: shown[item] ?? []),
                    LogTime(milliseconds: row["end"])
                )
            }
        }
        if rows.contains(where: { $0.1 <= moment }) {
            try pool.write { db in
                try db.execute(
                    sql: "DELETE FROM firing WHERE sink = ? AND \"end\" <= ?", arguments: [sink, moment.milliseconds])
            }
        }
        return rows.filter { $0.1 > moment }
    }
}
