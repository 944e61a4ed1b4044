import GRDB
import VigilModel

/// Takes rows out of a chained table so that the chain still holds: of each run of them the hash of the last stays, and
/// an act tells how many went and why. The last row of a table never goes: numbers are not given twice.
struct PrunedRows {
    let table: ChainedTable
    private(set) var rows: [(row: Int64, hash: ChainHash)] = []
    private var span: ClosedRange<LogTime>?

    init(_ table: ChainedTable) { self.table = table }

    mutating func append(_ row: Int64, _ hash: ChainHash, at time: LogTime) {
        rows.append((row, hash))
        span = span.map { min($0.lowerBound, time)...max($0.upperBound, time) } ?? time...time
    }

    /// Takes them out, inside the transaction. `why` says what for.
    func remove(_ why: String, _ db: Database) throws {
        guard !rows.isEmpty, let span else { return }
        let delete = try RawStatement(db, "DELETE FROM \(table.rawValue) WHERE \(table.key) = ?")
        var run: (first: Int64, last: Int64, hash: ChainHash)?
        for (row, hash) in rows.sorted(by: { $0.row < $1.row }) {
            delete.bind { $0.add(row) }
            _ = try delete.run()
            if let current = run, current.last + 1 == row {
                run = (current.first, row, hash)
            } else {
                if let run { try add(run, db) }
                run = (row, row, hash)
            }
        }
        if let run { try add(run, db) }
        let before = try Int64.fetchOne(
            db, sql: "SELECT total FROM acts WHERE act = 'prune' AND item = ? ORDER BY seq DESC LIMIT 1",
            arguments: [table.rawValue])
        try OwnAct(
            .prune, "\(why): \(span.lowerBound) to \(span.upperBound)", item: table.rawValue,
            rows: Int64(rows.count), total: (before ?? 0) + Int64(rows.count)
        ).add(db)
    }

    /// Adds a run; one with those right before and behind it.
    private func add(_ run: (first: Int64, last: Int64, hash: ChainHash), _ db: Database) throws {
        let before = try Row.fetchOne(
            db, sql: "SELECT first, last FROM pruned WHERE tbl = ? AND first < ? ORDER BY first DESC LIMIT 1",
            arguments: [table.rawValue, run.first])
        let behind = try Row.fetchOne(
            db, sql: "SELECT last, chain FROM pruned WHERE tbl = ? AND first = ?",
            arguments: [table.rawValue, run.last + 1])
        let isNext = before?["last"] == run.first - 1
        try db.execute(
            sql: "DELETE FROM pruned WHERE tbl = ?1 AND first IN (?2, ?3)",
            arguments: [table.rawValue, isNext ? before?["first"] : nil, run.last + 1])
        try db.execute(
            sql: "INSERT INTO pruned VALUES (?, ?, ?, ?)",
            arguments: [
                table.rawValue, isNext ? before?["first"] : run.first, behind?["last"] ?? run.last,
                behind?["chain"] ?? run.hash.data,
            ])
    }
}
