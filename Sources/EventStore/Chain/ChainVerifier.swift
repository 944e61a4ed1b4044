import GRDB
import VigilModel

extension Store {
    /// Goes over the whole chain in one read, beside whoever writes. Proves that `heads` are parts of it.
    public func verify(heads: [ChainHead] = []) throws -> ChainReport {
        try pool.read { db in
            if try ChainUpgrade.isPending(db) {
                throw StoreProblem(
                    path: path, reason: "rows of an older version are not chained yet",
                    hint: "let a user who may write it run any command on it once")
            }
            var verifier = try ChainVerifier(db, heads)
            return try verifier.run()
        }
    }
}

/// Goes over the rows of every table and holds them against their hashes. Lives inside one read.
private struct ChainVerifier {
    private let db: Database
    private let heads: [ChainHead]
    private var report: ChainReport
    /// Rows that heads end with, and their hashes.
    private let ends: [ChainedTable: Set<Int64>]
    private var known: [ChainedTable: [Int64: ChainHash]] = [:]
    /// Of each table, faults found so far.
    private var counts: [String: Int] = [:]

    /// Faults of a table that are told one by one.
    private static let limit = 100

    init(_ db: Database, _ heads: [ChainHead]) throws {
        (self.db, self.heads) = (db, heads)
        ends = heads.reduce(into: [:]) { ends, head in
            for (table, row) in head.rows { ends[table, default: []].insert(row) }
        }
        report = ChainReport(head: try ChainHead(db))
    }

    mutating func run() throws -> ChainReport {
        for table in WordTable.allCases { try check(table) }
        for table in ChainedTable.allCases { try check(table) }
        report.proofs = try heads.map { ($0, try proof(of: $0)) }
        return report
    }

    private mutating func fault(
        _ table: String, _ row: Int64, _ problem: String, shown: ChainedTable? = nil
    ) throws {
        report.faultCount += 1
        counts[table, default: 0] += 1
        guard counts[table, default: 0] <= ChainVerifier.limit else { return }
        var fault = ChainFault(table: table, row: row, problem: problem)
        if let shown { try describe(&fault, shown) }
        report.faults.append(fault)
    }

    // MARK: - What many rows share

    private mutating func check(_ table: WordTable) throws {
        let rows = try RawStatement(
            db, "SELECT id, digest, \(table.words.joined(separator: ", ")) FROM \(table.rawValue) ORDER BY id")
        while try rows.next() {
            guard rows.hash != rows.hash(from: 2) else { continue }
            let words = (2..<Int32(table.words.count + 2)).compactMap { rows.text($0) }.filter { !$0.isEmpty }
            try fault(table.rawValue, rows.number(0), "was changed, and with it what every row of it says")
            if report.faults.last?.row == rows.number(0) {
                report.faults[report.faults.count - 1].text = words.joined(separator: " ")
            }
        }
    }

    // MARK: - Rows

    private mutating func check(_ table: ChainedTable) throws {
        let (name, tip) = (table.rawValue, try ChainTip(table, db))
        let rows = try RawStatement(db, "\(table.select) ORDER BY t.\(table.key)")
        var runs = try PrunedRuns(table, db)
        var walk = Walk(hash: table.origin)
        var found = ChainReport.Table(name: name)
        remember(table, 0, table.origin)
        while try rows.next() {
            let row = rows.number(0)
            found.rows += 1
            try pass(table, to: row, &walk, &runs, &found)
            let stored = rows.hash
            if row < walk.next {
                try fault(name, row, "was put in where rows had been taken out", shown: table)
                continue
            }
            if row > tip.last {
                try fault(name, row, "stands behind the end of the chain: pgvigil did not write it", shown: table)
                continue
            }
            try compare(table, rows, row, stored, &walk)
            walk.next = row + 1
            if let hash = walk.hash { remember(table, row, hash) }
        }
        if walk.next <= tip.last {
            try pass(table, to: tip.last + 1, &walk, &runs, &found)
        } else if let hash = walk.hash, hash != tip.hash {
            try fault(
                name, tip.last, "is not what the chain ended with: it was changed, with its hash", shown: table)
        }
        report.tables.append(found)
        let told = try Int64.fetchOne(
            db, sql: "SELECT total FROM acts WHERE act = 'prune' AND item = ? ORDER BY seq DESC LIMIT 1",
            arguments: [name])
        if found.pruned != told ?? 0 {
            try fault(
                name, 0,
                "\(found.pruned) rows are marked as gone since their time was over, but acts tell of \(told ?? 0)")
        }
    }

    /// How far a table has been gone over.
    private struct Walk {
        /// The hash of the row before; nil when that is not there.
        var hash: ChainHash?
        /// The row that comes next.
        var next: Int64 = 1
        /// The row before did not fit behind the one with this hash: was it put in?
        var before: ChainHash?
    }

    /// Holds a row against its hash.
    private mutating func compare(
        _ table: ChainedTable, _ rows: RawStatement, _ row: Int64, _ stored: ChainHash?, _ walk: inout Walk
    ) throws {
        defer { walk.hash = stored ?? walk.hash }
        guard let previous = walk.hash else { return }
        if let stored, stored == rows.hash(after: previous) {
            walk.before = nil
            return
        }
        if let before = walk.before, let stored, stored == rows.hash(after: before) {
            // What follows the row before that one does not follow that one.
            if let last = report.faults.indices.last, report.faults[last].row == row - 1 {
                report.faults[last].problem = "was put in: the next row follows the one before it"
            }
            walk.before = nil
            return
        }
        walk.before = previous
        try fault(
            table.rawValue, row,
            stored == nil
                ? "has no hash: pgvigil did not write it so"
                : row > 1 ? "was changed, or row \(row - 1) was, with its hash" : "was changed", shown: table)
    }

    /// Goes over rows that are not there: those whose time was over are in a run, others are missing.
    private mutating func pass(
        _ table: ChainedTable, to row: Int64, _ walk: inout Walk, _ runs: inout PrunedRuns,
        _ found: inout ChainReport.Table
    ) throws {
        while walk.next < row {
            if let run = runs.current, run.first <= walk.next {
                // A run that holds rows that are there is no run.
                found.pruned += run.last - run.first + 1
                if let hash = run.hash { remember(table, run.last, hash) }
                (walk.hash, walk.next, walk.before) = (run.hash, run.last + 1, nil)
                try runs.advance()
                continue
            }
            let last = min(row, runs.current?.first ?? row) - 1
            try fault(
                table.rawValue, walk.next, last == walk.next ? "is missing" : "is missing, and all up to row \(last)")
            (walk.hash, walk.next, walk.before) = (nil, last + 1, nil)
        }
    }

    private mutating func remember(_ table: ChainedTable, _ row: Int64, _ hash: ChainHash) {
        guard !heads.isEmpty, ends[table]?.contains(row) ?? false else { return }
        known[table, default: [:]][row] = hash
    }

    // MARK: - Heads that were kept elsewhere

    private func proof(of head: ChainHead) throws -> ChainReport.Proof {
        var tips: [ChainedTable: (last: Int64, hash: ChainHash)] = [:]
        for table in ChainedTable.allCases {
            let row = head.rows[table] ?? 0
            let last = report.head.rows[table] ?? 0
            if row > last { return .isCut(table: table.rawValue, last: last) }
            guard let hash = known[table]?[row] else {
                let isPruned = try Bool.fetchOne(
                    db, sql: "SELECT EXISTS (SELECT 1 FROM pruned WHERE tbl = ?1 AND ?2 BETWEEN first AND last)",
                    arguments: [table.rawValue, row])
                return isPruned ?? false ? .isPruned(table: table.rawValue, row: row) : .differs
            }
            tips[table] = (row, hash)
        }
        return ChainHead.hash(tips) == head.hash ? .holds : .differs
    }

    // MARK: - What a row says now

    private func describe(_ fault: inout ChainFault, _ table: ChainedTable) throws {
        let sql =
            switch table {
            case .events:
                "SELECT id, time, action || coalesce(': ' || coalesce(message, query), '') FROM event WHERE seq = ?"
            case .records:
                "SELECT v.id, t.time, t.object FROM records t LEFT JOIN event v ON v.seq = t.event WHERE t.seq = ?"
            case .hops: "SELECT NULL, start, address || ':' || port || ' is ' || client FROM hops WHERE id = ?"
            case .alerts: "SELECT id, time, message FROM alerts WHERE seq = ?"
            case .bans: "SELECT alert, start, cidr || ': ' || reason FROM bans WHERE seq = ?"
            case .acts:
                "SELECT NULL, written, act || coalesce(' ' || cidr, '') || ': ' || reason FROM acts WHERE seq = ?"
            }
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [fault.row]) else { return }
        fault.id = String.fromDatabaseValue(row[0])
        fault.time = Int64.fromDatabaseValue(row[1]).map(LogTime.init)
        fault.text = String.fromDatabaseValue(row[2])
    }
}

/// Runs of rows of a table that are gone since their time was over, in order.
private struct PrunedRuns {
    struct Run {
        let first, last: Int64
        let hash: ChainHash?
    }

    private let rows: RowCursor
    private(set) var current: Run?

    init(_ table: ChainedTable, _ db: Database) throws {
        rows = try Row.fetchCursor(
            db, sql: "SELECT first, last, chain FROM pruned WHERE tbl = ? ORDER BY first", arguments: [table.rawValue])
        try advance()
    }

    mutating func advance() throws {
        current = try rows.next().map { row in
            let hash = try row.withUnsafeData(named: "chain") { $0?.withUnsafeBytes { ChainHash($0) } }
            return Run(first: row["first"], last: row["last"], hash: hash ?? nil)
        }
    }
}
