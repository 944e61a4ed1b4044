import GRDB
import VigilModel

/// Events whose time is over, or for which there is no room, oldest first, with the further records that tell of them.
/// Those that an alert rests on stay as long as it does, and so do those that rules have not gone over yet.
struct EventPruning: Pruning {
    /// Events before this one's time go.
    let before: LogTime
    /// Bytes that must not be passed: only ordinary events go, until there are fewer. Nil: all go.
    let room: Int64?
    private var from = (time: Int64.min, row: Int64.min)

    private static let batch = 250
    /// Bytes that an event frees at least, with its places in indexes.
    private static let least: Int64 = 200
    /// Rows that go in a transaction.
    private static let most = 500

    init(before: LogTime, room: Int64? = nil) {
        self.before = before
        self.room = room
    }

    /// Up to where events have gone.
    var reached: LogTime { LogTime(milliseconds: from.time) }

    /// Kinds of events that never go to make room: what is high or critical, and everything about privileges.
    private static let extraordinary = """
        SELECT id FROM kinds WHERE severity IN ('high', 'critical') OR instr(' ' || action || ' ' || tags, ' priv.') > 0
        """

    mutating func step(_ db: Database, _ deadline: Deadline) throws -> (went: RetentionResult, hasMore: Bool) {
        var went = RetentionResult()
        let used = try StoreSize(db).used
        if let room, used <= room { return (went, false) }
        let kept = room == nil ? [] : try Int64.fetchSet(db, sql: EventPruning.extraordinary)
        // The last row of a table stays.
        let last = try Int64.fetchOne(db, sql: "SELECT max(seq) FROM events") ?? 0
        let told = try Int64.fetchOne(db, sql: "SELECT event FROM records ORDER BY seq DESC LIMIT 1")
        let detected =
            try Int64.fetchOne(db, sql: "SELECT min(time, coalesce(rewind, time)) FROM detection") ?? Int64.min
        let end = min(before.milliseconds, detected)
        let rows = try RawStatement(
            db,
            """
            SELECT e.seq, e.chain, e.time, e.kind, EXISTS (SELECT 1 FROM evidence x WHERE x.event = e.seq)
            FROM events e WHERE e.time >= ?1 AND (e.time > ?1 OR e.seq > ?2) AND e.time < ?3
            ORDER BY e.time, e.seq LIMIT \(EventPruning.batch)
            """)
        var events = PrunedRows(.events)
        var isOver = false
        // How much room there is shows only when rows are gone.
        let enough = room.map { Int(max(0, used - $0) / EventPruning.least) + 1 } ?? EventPruning.most
        while !isOver, !deadline.isOver, events.rows.count < min(enough, EventPruning.most) {
            rows.bind {
                $0.add(from.time)
                $0.add(from.row)
                $0.add(end)
            }
            var count = 0
            while try rows.next() {
                count += 1
                from = (rows.number(2), rows.number(0))
                let isHeld = rows.number(4) != 0 || kept.contains(rows.number(3))
                guard !isHeld, from.row != last, from.row != told, let hash = rows.hash else { continue }
                events.append(from.row, hash, at: LogTime(milliseconds: from.time))
            }
            rows.reset()
            isOver = count < EventPruning.batch
        }
        let why = room == nil ? "their time was over" : "there was no more room"
        went.add(try removeRecords(of: events, why, db), of: "records")
        try events.remove(why, db)
        went.add(events.rows.count, of: "events")
        guard let room else { return (went, !isOver) }
        let left = try StoreSize(db).used
        went.isOverfull = left > room && isOver
        went.isPressing = left > room / 97 * 101 && !isOver
        return (went, left > room && !isOver)
    }

    private func removeRecords(of events: PrunedRows, _ why: String, _ db: Database) throws -> Int {
        let rows = try RawStatement(db, "SELECT seq, chain, time FROM records WHERE event = ?")
        var records = PrunedRows(.records)
        for event in events.rows {
            rows.bind { $0.add(event.row) }
            while try rows.next() {
                if let hash = rows.hash {
                    records.append(rows.number(0), hash, at: LogTime(milliseconds: rows.number(2)))
                }
            }
            rows.reset()
        }
        try records.remove(why, db)
        return records.rows.count
    }
}

/// How much of a store's file is in use.
struct StoreSize {
    /// Bytes of all pages, and of those that hold something.
    let file, used: Int64

    init(_ db: Database) throws {
        func pragma(_ name: String) throws -> Int64 { try Int64.fetchOne(db, sql: "PRAGMA \(name)") ?? 0 }
        let page = try pragma("page_size")
        file = try pragma("page_count") * page
        used = file - (try pragma("freelist_count")) * page
    }
}
