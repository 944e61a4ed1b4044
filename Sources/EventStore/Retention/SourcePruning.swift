import GRDB
import Glibc
import VigilModel

/// Sources of files that are no more, whose last record is older than a moment, and of which no event is left. A file that
/// is still there must not be read again from its start: its source stays.
struct SourcePruning: Pruning {
    let before: LogTime
    /// Those that may go; nil: not looked for yet. Whatever an event is of is taken out.
    private var candidates: Set<Int64>?
    private var from = (time: Int64.min, row: Int64.min)
    /// Events up to this one were there when it began.
    private var last: Int64 = 0

    private static let batch = 2000

    init(before: LogTime) { self.before = before }

    mutating func step(_ db: Database, _ deadline: Deadline) throws -> (went: RetentionResult, hasMore: Bool) {
        var left = try candidates ?? begin(db)
        // No index says of which source events are: they are gone over once.
        let rows = try RawStatement(
            db,
            """
            SELECT e.seq, e.source, e.time FROM events e WHERE e.time >= ?1 AND (e.time > ?1 OR e.seq > ?2)
            ORDER BY e.time, e.seq LIMIT \(SourcePruning.batch)
            """)
        var isOver = false
        while !isOver, !left.isEmpty {
            if deadline.isOver {
                candidates = left
                return (RetentionResult(), true)
            }
            rows.bind {
                $0.add(from.time)
                $0.add(from.row)
            }
            var count = 0
            while try rows.next() {
                count += 1
                left.remove(rows.number(1))
                from = (rows.number(2), rows.number(0))
            }
            rows.reset()
            isOver = count < SourcePruning.batch
        }
        // What came meanwhile, whatever its time is.
        left.subtract(
            try Int64.fetchAll(db, sql: "SELECT DISTINCT source FROM events WHERE seq > ?", arguments: [last]))
        var went = RetentionResult()
        for source in left where try remove(source, db) { went.add(1, of: "sources") }
        return (went, false)
    }

    private mutating func begin(_ db: Database) throws -> Set<Int64> {
        last = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM events") ?? 0
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT id, path FROM sources WHERE inode IS NOT NULL AND clock < ?1 AND coalesce(read_at, 0) < ?1
                    AND id < (SELECT max(id) FROM sources)
                """, arguments: [before.milliseconds])
        return Set(rows.filter { access($0["path"] as String, F_OK) != 0 }.map { $0["id"] })
    }

    /// Not when a record of it tells more of an event of another source.
    private func remove(_ source: Int64, _ db: Database) throws -> Bool {
        let isTold = try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM records WHERE source = ?)", arguments: [source])
        if isTold ?? true { return false }
        for table in ["unread", "sessions", "activity", "stream_sessions", "stream_rows"] {
            try db.execute(sql: "DELETE FROM \(table) WHERE source = ?", arguments: [source])
        }
        try db.execute(sql: "DELETE FROM sources WHERE id = ?", arguments: [source])
        return true
    }
}
