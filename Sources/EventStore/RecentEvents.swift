import GRDB
import VigilModel

extension Store {
    /// Events of a source's last two minutes that come of records before its position, each with how many it stands for:
    /// what a reading that goes on there must know to count like events as one that never stopped.
    static func recent(of source: Int64, before position: Int64, at clock: LogTime, _ db: Database) throws
        -> [SecurityEvent]
    {
        guard position > 0, clock != .distantPast else { return [] }
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT e.time, e.operation, e.object_type, e.object, e.target_user, e.offset,
                    max(e.count, coalesce((SELECT max(r.count) FROM records r WHERE r.event = e.seq), 0)) AS count,
                    k.dataset, k.category, k.action, k.outcome, k.reason, k.severity, k.tags,
                    nullif(a.address, '') AS address, nullif(a.user, '') AS user, nullif(a.database, '') AS database
                FROM events e JOIN kinds k ON k.id = e.kind JOIN actors a ON a.id = e.actor
                WHERE e.time >= ? AND e.source = ? AND e.offset < ?
                """, arguments: [clock.milliseconds - clock.milliseconds % 60_000 - 60_000, source, position])
        var result: [SecurityEvent] = []
        while let row = try rows.next() {
            var event = SecurityEvent(
                identity: EventIdentity(origin: "", line: 0, mark: 0), time: LogTime(milliseconds: row["time"]),
                kind: EventKind(row),
                actor: EventActor(address: row["address"], user: row["user"], database: row["database"]))
            event.operation = row["operation"]
            event.objectType = row["object_type"]
            event.objectName = row["object"]
            event.targetUser = row["target_user"]
            event.offset = row["offset"]
            event.count = row["count"]
            result.append(event)
        }
        return result
    }
}
