import GRDB
import VigilModel

/// A part of what retention does, in small transactions: each takes out what there is time for.
protocol Pruning {
    /// Takes out rows until the deadline; gives what went, and false when there is no more. Inside a write transaction.
    mutating func step(_ db: Database, _ deadline: Deadline) throws -> (went: RetentionResult, hasMore: Bool)
}

/// Until when a transaction may go on.
struct Deadline {
    private let end: ContinuousClock.Instant

    init(milliseconds: Int) { end = .now + .milliseconds(milliseconds) }

    var isOver: Bool { .now >= end }
}

/// Rows of `alerts`, `bans` and `acts` whose time is over.
struct JournalPruning: Pruning {
    let table: ChainedTable
    let before: LogTime

    private static let batch = 200

    mutating func step(_ db: Database, _ deadline: Deadline) throws -> (went: RetentionResult, hasMore: Bool) {
        let (name, time) = (table.rawValue, table == .alerts ? "time" : table == .bans ? "\"end\"" : "written")
        // How many rows went has to be known as long as there are any.
        let kept =
            table == .acts
            ? "AND NOT (act = 'prune' AND seq IN (SELECT max(seq) FROM acts WHERE act = 'prune' GROUP BY item))" : ""
        let rows = try RawStatement(
            db,
            """
            SELECT seq, chain, \(time) FROM \(name) WHERE \(time) < ? AND chain IS NOT NULL \(kept)
                AND seq < (SELECT max(seq) FROM \(name)) ORDER BY \(time) LIMIT \(JournalPruning.batch)
            """)
        rows.bind { $0.add(before.milliseconds) }
        var gone = PrunedRows(table)
        while try rows.next() {
            if let hash = rows.hash { gone.append(rows.number(0), hash, at: LogTime(milliseconds: rows.number(2))) }
        }
        rows.reset()
        if table == .alerts {
            let delete = try db.cachedStatement(sql: "DELETE FROM evidence WHERE alert = ?")
            for row in gone.rows { try delete.execute(arguments: [row.row]) }
        }
        try gone.remove("their time was over", db)
        var went = RetentionResult()
        went.add(gone.rows.count, of: name)
        return (went, gone.rows.count == JournalPruning.batch)
    }
}

/// What is not chained and has had its time: counters of the hour, what rules have learnt of what is no more, what an
/// exception held back, what a sink refused.
struct LeftoverPruning: Pruning {
    let events, alerts: LogTime

    mutating func step(_ db: Database, _ deadline: Deadline) throws -> (went: RetentionResult, hasMore: Bool) {
        var went = RetentionResult()
        try db.execute(
            sql: "DELETE FROM activity WHERE hour < ?1 AND hour = (SELECT min(hour) FROM activity)",
            arguments: [events.milliseconds / 3_600_000])
        went.add(db.changesCount, of: "activity")
        if db.changesCount > 0 { return (went, true) }
        for (table, key, time) in [
            ("baseline", "rule, group_key, value", "last"), ("held_back", "id", "time"),
            ("set_aside", "sink, kind, item", "time"),
        ] {
            try db.execute(
                sql: """
                    DELETE FROM \(table) WHERE (\(key)) IN
                        (SELECT \(key) FROM \(table) WHERE \(time) < ? LIMIT 1000)
                    """, arguments: [alerts.milliseconds])
            went.add(db.changesCount, of: table)
        }
        // Of events that are gone there is nothing to tell.
        try db.execute(
            sql: """
                DELETE FROM outbox WHERE kind = \(Delivery.Kind.event.rawValue) AND (sink, item) IN
                    (SELECT sink, item FROM outbox WHERE kind = \(Delivery.Kind.event.rawValue)
                        AND item < (SELECT min(seq) FROM events) LIMIT 1000)
                """)
        went.add(db.changesCount, of: "outbox")
        return (went, went.rows.values.contains { $0 >= 1000 })
    }
}
