import GRDB
import VigilModel

/// An alert as it is compared with another one.
public struct KnownAlert: Sendable, Hashable {
    /// `alert.id`.
    public let id: String
    /// When, in event time.
    public let time: LogTime
    /// Time of the first event that counted.
    public let first: LogTime
    /// `rule.id`, and what its events share.
    public let rule, group: String
    /// How much it matters.
    public let severity: Severity
    /// What a person reads first.
    public let message: String
    /// `event.id` of the event that fired it.
    public let event: String?
}

extension Store {
    /// Makes a store with the same events, that no rule has been over yet, and leaves this one as it is. What reading
    /// gave is copied; everything else is what rules made of it, and goes.
    public func copyOfEvents(to path: String) throws -> Store {
        let copy = try Store(path: path)
        try pool.backup(to: copy.pool)
        try copy.pool.write { db in
            try db.execute(sql: "PRAGMA defer_foreign_keys = ON")
            let kept: Set<String> = [
                "kinds", "actors", "sources", "unread", "events", "records", "sessions", "hops", "activity",
                "detection", "heads", "pruned", "grdb_migrations",
            ]
            let tables = try String.fetchAll(
                db,
                sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
            for table in tables where !kept.contains(table) { try db.execute(sql: "DELETE FROM \(table)") }
            try db.execute(
                sql: "UPDATE detection SET time = ?, rewind = NULL", arguments: [LogTime.distantPast.milliseconds])
            try db.execute(sql: "DELETE FROM heads WHERE tbl IN ('alerts', 'bans', 'acts')")
        }
        return copy
    }

    /// The alerts of a time, in order.
    public func knownAlerts(since: LogTime, until: LogTime) throws -> [KnownAlert] {
        try pool.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT a.id, a.time, a.first, r.rule, a.group_key, a.severity, a.message,
                        (SELECT v.id FROM event v WHERE v.seq = (
                            SELECT e.seq FROM evidence x JOIN events e ON e.seq = x.event WHERE x.alert = a.seq
                            ORDER BY e.time DESC, e.seq DESC LIMIT 1)) AS event
                    FROM alerts a JOIN rules r ON r.id = a.rule WHERE a.time >= ? AND a.time < ? ORDER BY a.time, a.id
                    """, arguments: [since.milliseconds, until.milliseconds]
            ).map {
                KnownAlert(
                    id: $0["id"], time: LogTime(milliseconds: $0["time"]), first: LogTime(milliseconds: $0["first"]),
                    rule: $0["rule"], group: $0["group_key"], severity: Severity(rawValue: $0["severity"]) ?? .info,
                    message: $0["message"],
                    event: $0["event"])
            }
        }
    }

    /// True when the event is in this store, by its `event.id`.
    public func holds(event id: String) throws -> Bool {
        let plain = id.split(separator: "~").first.map(String.init) ?? id
        guard let identity = EventIdentity(parsing: plain) else { return false }
        return try pool.read { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM events WHERE origin = ? AND line = ? AND mark = ?)",
                arguments: [identity.origin, identity.line, identity.mark]) ?? false
        }
    }

    /// How many events there are, and when the first and the last happened; nil when there are none.
    public func eventSpan() throws -> (count: Int64, first: LogTime, last: LogTime)? {
        try pool.read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT count(*) AS count, min(time) AS first, max(time) AS last FROM events")
            guard let row, let first = row["first"] as Int64?, let last = row["last"] as Int64? else { return nil }
            return (row["count"], LogTime(milliseconds: first), LogTime(milliseconds: last))
        }
    }
}
