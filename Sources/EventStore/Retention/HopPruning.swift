import GRDB
import VigilModel

/// Connections through a proxy that ended before a moment, but for those over which an event came that is older and still
/// there.
struct HopPruning: Pruning {
    let before: LogTime
    private var needed: Set<Int64> = []
    /// Up to where events that are still there were looked at; nil: all.
    private var event: (time: Int64, row: Int64)? = (.min, .min)
    private var from: Int64 = 0

    private static let batch = 250
    /// Rows that go in a transaction.
    private static let most = 500

    init(before: LogTime) { self.before = before }

    mutating func step(_ db: Database, _ deadline: Deadline) throws -> (went: RetentionResult, hasMore: Bool) {
        guard try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM hops)") ?? false else {
            return (RetentionResult(), false)
        }
        while event != nil {
            if deadline.isOver { return (RetentionResult(), true) }
            try collect(db)
        }
        let rows = try RawStatement(
            db,
            """
            SELECT id, chain, max(start, CASE WHEN "end" = \(Int64.max) THEN start ELSE "end" END) FROM hops
            WHERE id > ? AND id < (SELECT max(id) FROM hops) ORDER BY id LIMIT \(HopPruning.batch)
            """)
        var hops = PrunedRows(.hops)
        var hasMore = true
        while hasMore, !deadline.isOver, hops.rows.count < HopPruning.most {
            rows.bind { $0.add(from) }
            var (count, old) = (0, 0)
            while try rows.next() {
                from = rows.number(0)
                count += 1
                let time = LogTime(milliseconds: rows.number(2))
                // An event is of the connection a moment longer than that lasts.
                guard time < before.adding(milliseconds: -120_000) else { continue }
                old += 1
                if !needed.contains(from), let hash = rows.hash { hops.append(from, hash, at: time) }
            }
            rows.reset()
            // They come in about the order of their time.
            hasMore = count == HopPruning.batch && old > 0
        }
        try hops.remove("their time was over", db)
        var went = RetentionResult()
        went.add(hops.rows.count, of: "hops")
        return (went, hasMore)
    }

    /// Looks at some more of the older events.
    private mutating func collect(_ db: Database) throws {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT e.seq, e.time, (SELECT hop FROM event_hop WHERE seq = e.seq) AS hop,
                    (SELECT behind FROM event_hop WHERE seq = e.seq) AS behind
                FROM events e WHERE e.time >= ?1 AND (e.time > ?1 OR e.seq > ?2) AND e.time < ?3
                ORDER BY e.time, e.seq LIMIT 50
                """, arguments: [event?.time, event?.row, before.milliseconds])
        event = rows.count < 50 ? nil : rows.last.map { ($0["time"], $0["seq"]) }
        for row in rows {
            for column in ["hop", "behind"] { (row[column] as Int64?).map { _ = needed.insert($0) } }
        }
    }
}
