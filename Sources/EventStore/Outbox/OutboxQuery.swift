import GRDB
import VigilModel

/// How it stands with a sink.
public struct SinkState: Sendable {
    /// Its number.
    public let id: Int64
    /// Its name in the configuration.
    public let name: String
    /// What waits.
    public let events, alerts: Int64
    /// Since when the oldest waits, by the clock on the wall.
    public let oldest: LogTime?
    /// Taken so far, and let go since the limit was reached.
    public let sent, dropped: Int64
    /// Refused and set aside.
    public let aside: Int64
    /// By the clock on the wall.
    public let lastSuccess, failingSince, nextTry: LogTime?
    /// Attempts that failed since the last that did not.
    public let attempts: Int64
    /// What is wrong.
    public let problem: String?
}

/// What a sink refused.
public struct SetAside: Sendable {
    /// The sink's name.
    public let sink: String
    /// What it is.
    public let kind: Delivery.Kind
    /// Its `event.id` or `alert.id`.
    public let id: String
    /// When, by the clock on the wall.
    public let time: LogTime
    /// Why.
    public let reason: String
}

extension Store {
    /// Every sink that something was ever queued for, by name.
    public func sinkStates() throws -> [SinkState] {
        try pool.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM sinks ORDER BY name").map { row in
                let id: Int64 = row["id"]
                func count(_ kind: Delivery.Kind) throws -> Int64 {
                    try Int64.fetchOne(
                        db, sql: "SELECT count(*) FROM outbox WHERE sink = ? AND kind = ?",
                        arguments: [id, kind.rawValue]) ?? 0
                }
                // The lowest number of each kind was queued first, but for what says more by now.
                let oldest = try Int64.fetchOne(
                    db,
                    sql: """
                        SELECT min(written) FROM (SELECT * FROM (SELECT written FROM outbox WHERE sink = ?1 AND kind = 0
                            ORDER BY item LIMIT 1) UNION ALL SELECT * FROM (SELECT written FROM outbox
                            WHERE sink = ?1 AND kind = 1 ORDER BY item LIMIT 1))
                        """, arguments: [id])
                func time(_ column: String) -> LogTime? { (row[column] as Int64?).map(LogTime.init) }
                return SinkState(
                    id: id, name: row["name"], events: try count(.event), alerts: try count(.alert),
                    oldest: oldest.map(LogTime.init), sent: row["sent"], dropped: row["dropped"],
                    aside: try Int64.fetchOne(
                        db, sql: "SELECT count(*) FROM set_aside WHERE sink = ?", arguments: [id]) ?? 0,
                    lastSuccess: time("last_success"), failingSince: time("failing_since"), nextTry: time("next_try"),
                    attempts: row["attempts"], problem: row["problem"])
            }
        }
    }

    /// What sinks refused, newest first.
    public func setAside(limit: Int) throws -> [SetAside] {
        try pool.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT s.name, x.kind, x.time, x.reason, coalesce(CASE x.kind
                        WHEN 0 THEN (SELECT id FROM alerts WHERE seq = x.item)
                        ELSE (SELECT id FROM event WHERE seq = x.item) END, '') AS id
                    FROM set_aside x JOIN sinks s ON s.id = x.sink ORDER BY x.time DESC, x.item DESC LIMIT ?
                    """, arguments: [limit]
            ).map { row in
                SetAside(
                    sink: row["name"], kind: Delivery.Kind(rawValue: row["kind"]) ?? .event, id: row["id"],
                    time: LogTime(milliseconds: row["time"]), reason: row["reason"])
            }
        }
    }

    /// Queues again what was set aside, and lets sinks be tried at once; of one sink or of all. Gives how many.
    public func retryOutbox(sink: String?) throws -> Int {
        try pool.write { db in
            let which = "(SELECT id FROM sinks WHERE ?1 IS NULL OR name = ?1)"
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO outbox (sink, kind, item, written)
                    SELECT sink, kind, item, ?2 FROM set_aside WHERE sink IN \(which)
                    """, arguments: [sink, LogTime.wallClock.milliseconds])
            let count = db.changesCount
            try db.execute(sql: "DELETE FROM set_aside WHERE sink IN \(which)", arguments: [sink])
            try db.execute(
                sql: "UPDATE sinks SET next_try = NULL, attempts = 0 WHERE id IN \(which)", arguments: [sink])
            return count
        }
    }

    /// Lets a sink be tried at once.
    public func retryOutboxNow(_ sink: Int64) throws {
        try pool.write { db in
            try db.execute(sql: "UPDATE sinks SET next_try = NULL, attempts = 0 WHERE id = ?", arguments: [sink])
        }
    }

    /// Queues what a sink wants of a time span again. Gives how many.
    public func requeue(_ subscription: Subscription, since: LogTime, until: LogTime) throws -> Int {
        let sink = try subscribe([subscription]).first ?? 0
        return try pool.write { db in
            var count = 0
            let span: StatementArguments = [
                sink, LogTime.wallClock.milliseconds, since.milliseconds, until.milliseconds,
            ]
            if let severity = subscription.alerts {
                try db.execute(
                    sql: """
                        INSERT OR IGNORE INTO outbox (sink, kind, item, written)
                        SELECT ?, \(Delivery.Kind.alert.rawValue), seq, ? FROM alerts WHERE time >= ? AND time < ?
                            AND severity IN (\(severity.andAbove))
                        """, arguments: span)
                count += db.changesCount
            }
            if subscription.events {
                try db.execute(
                    sql: """
                        INSERT OR IGNORE INTO outbox (sink, kind, item, written)
                        SELECT ?, \(Delivery.Kind.event.rawValue), seq, ? FROM events WHERE time >= ? AND time < ?
                        """, arguments: span)
                count += db.changesCount
            }
            return count
        }
    }

    /// Queues events of a time span again for a sink, by their ids. Gives how many.
    public func requeue(sink: String, since: LogTime, until: LogTime, ids: Set<String>) throws -> Int {
        try pool.write { db in
            guard let id = try Int64.fetchOne(db, sql: "SELECT id FROM sinks WHERE name = ?", arguments: [sink]) else {
                return 0
            }
            let insert = try db.cachedStatement(
                sql: """
                    INSERT OR IGNORE INTO outbox (sink, kind, item, written)
                    VALUES (?, \(Delivery.Kind.event.rawValue), ?, ?)
                    """)
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT seq, id FROM event WHERE time >= ? AND time < ?",
                arguments: [since.milliseconds, until.milliseconds])
            var count = 0
            for row in rows where ids.contains(row["id"]) {
                try insert.execute(arguments: [id, row["seq"] as Int64, LogTime.wallClock.milliseconds])
                count += db.changesCount
            }
            return count
        }
    }

    /// Hands over the ids of events of a time span that a sink should have by now: queued once, and no longer waiting.
    public func delivered(
        to sink: String, since: LogTime, until: LogTime, _ body: (_ id: String, _ time: LogTime) throws -> Void
    ) throws {
        try pool.read { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT e.id, e.time FROM event e JOIN sinks s ON s.name = ? AND e.seq > s.after_event
                    WHERE e.time >= ? AND e.time < ?
                        AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.sink = s.id AND o.kind = 1 AND o.item = e.seq)
                        AND NOT EXISTS (SELECT 1 FROM set_aside x WHERE x.sink = s.id AND x.kind = 1 AND x.item = e.seq)
                    """, arguments: [sink, since.milliseconds, until.milliseconds])
            while let row = try rows.next() { try body(row["id"], LogTime(milliseconds: row["time"])) }
        }
    }

    /// Midnights (UTC) of the days of a time span that have events, in order.
    public func days(since: LogTime, until: LogTime) throws -> [LogTime] {
        try pool.read { db in
            // From one day's first event to the next day's: a day is one step in the index.
            try Int64.fetchAll(
                db,
                sql: """
                    WITH RECURSIVE day(start) AS (
                        SELECT (SELECT min(time) FROM events WHERE time >= ?1) / 86400000 * 86400000
                        UNION ALL
                        SELECT (SELECT min(time) FROM events WHERE time >= start + 86400000) / 86400000 * 86400000
                            FROM day WHERE start IS NOT NULL)
                    SELECT start FROM day WHERE start IS NOT NULL AND start < ?2
                    """, arguments: [since.milliseconds, until.milliseconds]
            ).map(LogTime.init)
        }
    }

    /// Forgets a sink with all that waits for it.
    public func forgetSink(_ name: String) throws -> Bool {
        try pool.write { db in
            guard let id = try Int64.fetchOne(db, sql: "SELECT id FROM sinks WHERE name = ?", arguments: [name]) else {
                return false
            }
            for table in ["outbox", "set_aside", "firing"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE sink = ?", arguments: [id])
            }
            try db.execute(sql: "DELETE FROM sinks WHERE id = ?", arguments: [id])
            return true
        }
    }
}
