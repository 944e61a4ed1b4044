/// COPY and commands that look after tables (manual pages COPY, TRUNCATE, LOCK, VACUUM, ANALYZE, CLUSTER, REINDEX,
/// REFRESH MATERIALIZED VIEW).
extension SQLCommandReader {
    /// False when the statement is none of them.
    mutating func readMaintenance(_ first: String) -> Bool {
        cursor.index = 1
        switch first {
        case "COPY": readTable("COPY", skipping: ["BINARY"])
        case "TRUNCATE": readTable("TRUNCATE TABLE", skipping: ["TABLE", "ONLY"])
        case "LOCK": readTable("LOCK TABLE", skipping: ["TABLE", "ONLY"])
        case "VACUUM": readTable("VACUUM", skipping: ["FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE", "ONLY"])
        case "ANALYZE", "ANALYSE": readTable("ANALYZE", skipping: ["VERBOSE", "ONLY"])
        case "CLUSTER": readTable("CLUSTER", skipping: ["VERBOSE"])
        case "REINDEX": readReindex()
        case "REFRESH": readRefresh()
        default: return false
        }
        return true
    }

    private mutating func readTable(_ command: String, skipping words: [String]) {
        facts.command = command
        // COPY has a query there, the others their options.
        if command != "COPY" { cursor.skipParens() }
        for word in words { cursor.take(word) }
        guard let name = cursor.name() else { return }
        setObject("table", name)
    }

    private mutating func readReindex() {
        facts.command = "REINDEX"
        cursor.skipParens()
        let type = cursor.keyword()
        guard ["INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM"].contains(type) else { return }
        cursor.index += 1
        cursor.take("CONCURRENTLY")
        setObject(type == "SYSTEM" ? "database" : type.lowercased(), cursor.name())
    }

    private mutating func readRefresh() {
        guard cursor.take("MATERIALIZED", "VIEW") else { return }
        facts.command = "REFRESH MATERIALIZED VIEW"
        cursor.take("CONCURRENTLY")
        setObject("materialized view", cursor.name())
    }
}
