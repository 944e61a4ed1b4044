import GRDB
import VigilModel

/// Writes alerts and their evidence with prepared statements, chained: a flood raises tens of thousands at once. It lives
/// inside one write transaction.
final class AlertInserter {
    /// The number of a rule's row, and the hash of its words.
    private struct RuleEntry {
        let id: Int64
        let digest: ChainHash
    }

    private let db: Database
    private let insert: RawStatement
    /// Writes so many events of one alert at once.
    private var evidence: [Int: RawStatement] = [:]
    private let tip: ChainTip
    /// By id and version.
    private var rules: [[String]: RuleEntry] = [:]

    /// Rows that one statement writes at most.
    private static let rows = 32

    init(_ db: Database) throws {
        self.db = db
        tip = try ChainTip(.alerts, db)
        insert = try RawStatement(
            db,
            """
            INSERT OR IGNORE INTO alerts (id, time, rule, group_key, severity, ip, user, database, events, first, last,
                message, chain)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
    }

    /// Writes one; false when it is there already.
    func write(_ alert: Alert, group: String) throws -> Bool {
        let rule = try entry(of: alert.rule)
        let events = Set(alert.evidence).sorted()
        let hash = insert.bind { row in
            row.begin(after: tip.hash)
            row.add(alert.id)
            row.add(alert.time.milliseconds)
            row.add(rule.id, meaning: rule.digest)
            row.add(group)
            row.add(alert.severity.rawValue)
            row.add(alert.sourceIP?.description)
            row.add(alert.user)
            row.add(alert.database)
            row.add(alert.eventCount)
            row.add(alert.firstSeen.milliseconds)
            row.add(alert.lastSeen.milliseconds)
            row.add(alert.message)
            // Chained with the alert that they are evidence of, though they stand in a table of their own.
            row.chain(events.isEmpty ? nil : events.map(String.init).joined(separator: " "))
            return row.addChain()
        }
        guard try insert.run() > 0 else { return false }
        let number = insert.lastRow
        tip.append(number, hash)
        try write(events, of: number)
        return true
    }

    private func write(_ events: [Int64], of alert: Int64) throws {
        for start in stride(from: 0, to: events.count, by: AlertInserter.rows) {
            let part = events[start..<min(start + AlertInserter.rows, events.count)]
            let statement = try insert(rows: part.count)
            statement.bind { row in
                for event in part {
                    row.add(alert)
                    row.add(event)
                }
            }
            _ = try statement.run()
        }
    }

    private func insert(rows: Int) throws -> RawStatement {
        if let known = evidence[rows] { return known }
        let values = Array(repeating: "(?, ?)", count: rows).joined(separator: ", ")
        let new = try RawStatement(db, "INSERT OR IGNORE INTO evidence VALUES \(values)")
        evidence[rows] = new
        return new
    }

    /// Keeps where the chain ends now: to be called when all are written.
    func finish() throws { try tip.save(db) }

    private func entry(of rule: AlertRule) throws -> RuleEntry {
        let key = [rule.id, rule.version]
        if let known = rules[key] { return known }
        let words: [String?] = [
            rule.id, rule.version, rule.name, rule.family, rule.techniques.joined(separator: "\n"),
            rule.soc2.joined(separator: "\n"), rule.mlps.joined(separator: "\n"), rule.framework,
        ]
        let own = ChainHash(words: words)
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO rules (rule, version, name, family, techniques, soc2, mlps, framework, digest)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: StatementArguments(words.map { $0 as (any DatabaseValueConvertible)? })
                + [own.data])
        let row = try Row.fetchOne(
            db, sql: "SELECT id, digest FROM rules WHERE rule = ? AND version = ?",
            arguments: [rule.id, rule.version])
        // The words of that version that were there first.
        let digest = try row?.withUnsafeData(named: "digest") { $0?.withUnsafeBytes { ChainHash($0) } }
        let entry = RuleEntry(id: row?["id"] ?? 0, digest: digest ?? own)
        rules[key] = entry
        return entry
    }
}
