import GRDB
import Glibc
import VigilModel

/// Actors and sources of which no event is left. No index says so: the events are gone over once, a bit for each actor.
struct ReferenceSweep: Pruning {
    /// Sources of files that are no more and whose last record is older go.
    let before: LogTime
    private var actors: [UInt64] = []
    private var sources: Set<Int64> = []
    private var from = (time: Int64.min, row: Int64.min)
    /// Events up to this one have been seen by their number.
    private var seen: Int64?
    private var isScanned = false
    /// Actors up to this one have been looked at; nil: all.
    private var actor: Int64? = 0

    private static let batch = 2000

    init(before: LogTime) { self.before = before }

    mutating func step(_ db: Database, _ deadline: Deadline) throws -> (went: RetentionResult, hasMore: Bool) {
        if seen == nil { seen = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM events") ?? 0 }
        while !isScanned {
            if deadline.isOver { return (RetentionResult(), true) }
            try scan(db)
        }
        // What came meanwhile, whatever its time is.
        let new = try RawStatement(db, "SELECT seq, actor, source FROM events WHERE seq > ? ORDER BY seq")
        new.bind { $0.add(seen) }
        while try new.next() {
            seen = new.number(0)
            note(actor: new.number(1), source: new.number(2))
        }
        new.reset()
        var went = RetentionResult()
        while actor != nil {
            if deadline.isOver { return (went, true) }
            went.add(try removeActors(db), of: "actors")
        }
        went.add(try removeSources(db), of: "sources")
        return (went, false)
    }

    private mutating func note(actor: Int64, source: Int64) {
        sources.insert(source)
        let place = Int(actor >> 6)
        if place >= actors.count { actors += Array(repeating: 0, count: place + 1024 - actors.count) }
        actors[place] |= 1 << UInt64(actor & 63)
    }

    private mutating func scan(_ db: Database) throws {
        let rows = try RawStatement(
            db,
            """
            SELECT e.seq, e.actor, e.source, e.time FROM events e
            WHERE e.time >= ?1 AND (e.time > ?1 OR e.seq > ?2) ORDER BY e.time, e.seq LIMIT \(ReferenceSweep.batch)
            """)
        rows.bind {
            $0.add(from.time)
            $0.add(from.row)
        }
        var count = 0
        while try rows.next() {
            count += 1
            note(actor: rows.number(1), source: rows.number(2))
            from = (rows.number(3), rows.number(0))
        }
        rows.reset()
        isScanned = count < ReferenceSweep.batch
    }

    /// The last actor stays: its number is not given twice.
    private mutating func removeActors(_ db: Database) throws -> Int {
        let ids = try Int64.fetchAll(
            db, sql: "SELECT id FROM actors WHERE id > ? AND id < (SELECT max(id) FROM actors) ORDER BY id LIMIT ?",
            arguments: [actor, ReferenceSweep.batch])
        actor = ids.count < ReferenceSweep.batch ? nil : ids.last
        let gone = ids.filter { id in
            let place = Int(id >> 6)
            return id > 0 && (place >= actors.count || actors[place] & 1 << UInt64(id & 63) == 0)
        }
        let delete = try db.cachedStatement(sql: "DELETE FROM actors WHERE id = ?")
        for id in gone { try delete.execute(arguments: [id]) }
        return gone.count
    }

    /// A file that is still there must not be read again from its start: its source stays.
    private func removeSources(_ db: Database) throws -> Int {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT id, path FROM sources s WHERE inode IS NOT NULL AND clock < ? AND coalesce(read_at, 0) < ?
                    AND id < (SELECT max(id) FROM sources)
                """, arguments: [before.milliseconds, before.milliseconds])
        var count = 0
        for row in rows {
            let (id, path): (Int64, String) = (row["id"], row["path"])
            guard !sources.contains(id), access(path, F_OK) != 0 else { continue }
            let isTold = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM records WHERE source = ?)", arguments: [id])
            if isTold ?? true { continue }
            for table in ["unread", "sessions", "activity", "stream_sessions", "stream_rows"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE source = ?", arguments: [id])
            }
            try db.execute(sql: "DELETE FROM sources WHERE id = ?", arguments: [id])
            count += 1
        }
        return count
    }
}
