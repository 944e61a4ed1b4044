import GRDB
import VigilModel

/// When actors first had a session, and in which hours there were any: who had one is asked for again and again, and
/// an index over all events of sessions would cost each of them a place in the middle of it.
enum SessionSchema {
    static let tables = """
        -- The first event of each kind of sessions (its number is negative) by each actor, as long as the actor is there.
        CREATE TABLE first_sessions (
            actor INTEGER NOT NULL REFERENCES actors, kind INTEGER NOT NULL REFERENCES kinds, time INTEGER NOT NULL,
            PRIMARY KEY (actor, kind)) WITHOUT ROWID;
        -- The first and the last event of each kind of sessions in each hour that had some.
        CREATE TABLE session_hours (
            kind INTEGER NOT NULL REFERENCES kinds, hour INTEGER NOT NULL, first INTEGER NOT NULL,
            last INTEGER NOT NULL, PRIMARY KEY (kind, hour)) WITHOUT ROWID;
        INSERT INTO first_sessions SELECT actor, kind, min(time) FROM events WHERE kind < 0 GROUP BY actor, kind;
        INSERT INTO session_hours SELECT kind, time / \(hour), min(time), max(time) FROM events WHERE kind < 0
            GROUP BY kind, time / \(hour);
        DROP INDEX events_sessions;
        """

    /// Milliseconds.
    static let hour: Int64 = 3_600_000
}

/// Keeps both tables as events are written. Belongs to the one writer, outlives its transactions, and forgets when one
/// fails.
final class SessionNotes {
    private struct First {
        var kind, actor, time: Int64
    }

    private struct Hour {
        var kind, hour, first, last: Int64
    }

    /// What the store has of the last actor of each of some remainders.
    private var firsts = [First](repeating: First(kind: 0, actor: 0, time: 0), count: 4096)
    /// The hour being written, not in the store yet.
    private var hour: Hour?

    func forget() {
        firsts = [First](repeating: First(kind: 0, actor: 0, time: 0), count: firsts.count)
        hour = nil
    }

    /// Notes an event that is new in the store.
    @inline(__always)
    func note(kind: Int64, actor: Int64, at time: LogTime, _ db: Database) throws {
        if kind < 0 { try add(kind, actor, time.milliseconds, db) }
    }

    private func add(_ kind: Int64, _ actor: Int64, _ time: Int64, _ db: Database) throws {
        let place = Int(truncatingIfNeeded: actor &+ kind) & (firsts.count - 1)
        let known = firsts[place]
        if known.kind != kind || known.actor != actor || known.time > time {
            let upsert = try db.cachedStatement(
                sql: """
                    INSERT INTO first_sessions VALUES (?, ?, ?)
                    ON CONFLICT DO UPDATE SET time = excluded.time WHERE excluded.time < time
                    """)
            try upsert.execute(arguments: [actor, kind, time])
            // At most what the store has: an event at or behind it changes nothing there.
            firsts[place] = First(kind: kind, actor: actor, time: time)
        }
        if let hour, hour.kind == kind, time >= hour.hour * SessionSchema.hour,
            time < (hour.hour + 1) * SessionSchema.hour
        {
            self.hour?.first = min(hour.first, time)
            self.hour?.last = max(hour.last, time)
        } else {
            try flush(db)
            hour = Hour(kind: kind, hour: time / SessionSchema.hour, first: time, last: time)
        }
    }

    /// Writes what is not in the store yet; to be called before the transaction ends.
    func flush(_ db: Database) throws {
        guard let hour else { return }
        let upsert = try db.cachedStatement(
            sql: """
                INSERT INTO session_hours VALUES (?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)
                """)
        try upsert.execute(arguments: [hour.kind, hour.hour, hour.first, hour.last])
        self.hour = nil
    }
}
