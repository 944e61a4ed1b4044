import GRDB
import VigilModel

/// The end of a table's chain, inside one write transaction.
final class ChainTip {
    let table: ChainedTable
    /// The last row, 0 for none, and its hash.
    private(set) var last: Int64
    private(set) var hash: ChainHash
    private var isChanged = false

    /// Rows that are read before they are written.
    private static let batch = 500

    init(_ table: ChainedTable, _ db: Database) throws {
        self.table = table
        let select = try db.cachedStatement(sql: "SELECT last, chain FROM heads WHERE tbl = ?")
        let row = try Row.fetchOne(select, arguments: [table.rawValue])
        last = row?["last"] ?? 0
        hash = try row?.withUnsafeData(named: "chain") { $0?.withUnsafeBytes { ChainHash($0) } } ?? table.origin
    }

    /// A row was written with this hash.
    func append(_ row: Int64, _ hash: ChainHash) {
        (last, self.hash, isChanged) = (row, hash, true)
    }

    /// Chains rows behind one that were written without a hash, at most so many; gives how many these were.
    @discardableResult
    func seal(after row: Int64, through end: Int64 = .max, limit: Int = .max, _ db: Database) throws -> Int {
        let key = table.key
        let rows = try RawStatement(
            db, "\(table.select) WHERE t.\(key) > ? AND t.\(key) <= ? ORDER BY t.\(key) LIMIT \(ChainTip.batch)")
        let update = try RawStatement(db, "UPDATE \(table.rawValue) SET chain = ? WHERE \(key) = ?")
        var (from, count) = (row, 0)
        while count < limit {
            rows.bind {
                $0.add(from)
                $0.add(end)
            }
            var sealed: [(row: Int64, hash: ChainHash)] = []
            while try rows.next() {
                append(rows.number(0), rows.hash(after: hash))
                sealed.append((last, hash))
            }
            rows.reset()
            for entry in sealed {
                update.bind {
                    $0.add(entry.hash)
                    $0.add(entry.row)
                }
                _ = try update.run()
            }
            count += sealed.count
            guard sealed.count == ChainTip.batch else { break }
            from = last
        }
        return count
    }

    /// Keeps where the chain ends now.
    func save(_ db: Database) throws {
        guard isChanged else { return }
        let update = try db.cachedStatement(
            sql:
                "INSERT INTO heads (tbl, last, chain) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET last = ?2, chain = ?3"
        )
        try update.execute(arguments: [table.rawValue, last, hash.data])
        isChanged = false
    }
}

extension Database {
    /// Runs what adds rows to tables, and chains those rows.
    func chaining<Value>(_ tables: [ChainedTable], body: () throws -> Value) throws -> Value {
        func last(_ table: ChainedTable) throws -> Int64 {
            try Int64.fetchOne(cachedStatement(sql: "SELECT max(\(table.key)) FROM \(table.rawValue)")) ?? 0
        }
        let marks = try tables.map(last)
        let value = try body()
        for (table, mark) in zip(tables, marks) where try last(table) > mark {
            let tip = try ChainTip(table, self)
            try tip.seal(after: mark, self)
            try tip.save(self)
        }
        return value
    }
}
