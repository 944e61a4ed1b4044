import GRDB
import VigilModel

/// Chains the rows that were there before there was a chain, in steps: a store of years takes a minute, and may be
/// stopped in between.
enum ChainUpgrade {
    /// Rows that are chained in one transaction.
    private static let step = 5000

    /// Chains all of them. Whoever may write does this before anything else: rows are chained in their order.
    static func finish(_ pool: DatabasePool) throws {
        while try pool.read(isPending) { try pool.write(advance) }
    }

    /// True while rows wait for that.
    static func isPending(_ db: Database) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM heads WHERE pending IS NOT NULL)") ?? false
    }

    private static func advance(_ db: Database) throws {
        for table in ChainedTable.allCases {
            guard
                let end = try Int64.fetchOne(
                    db, sql: "SELECT pending FROM heads WHERE tbl = ?", arguments: [table.rawValue])
            else { continue }
            let tip = try ChainTip(table, db)
            let count = try tip.seal(after: tip.last, through: end, limit: step, db)
            try tip.save(db)
            if count >= step { return }
            try db.execute(sql: "UPDATE heads SET pending = NULL WHERE tbl = ?", arguments: [table.rawValue])
        }
        guard try !isPending(db) else { return }
        let total = try ChainHead(db).count
        try OwnAct(
            .seal, "rows that were there before there was a chain are as they were found now", rows: total
        ).add(db)
    }
}
