/// Queries and changes of data (manual pages SELECT, VALUES, INSERT, UPDATE, DELETE, MERGE; "WITH Queries").
extension SQLCommandReader {
    /// Reads a statement that may start with parentheses or WITH; false when it is none.
    mutating func readQuery() -> Bool {
        while cursor.kind() == .openParen { cursor.index += 1 }
        if cursor.take("WITH") { skipCommonTables() }
        while cursor.kind() == .openParen { cursor.index += 1 }
        switch cursor.keyword() {
        case "SELECT": readSelect()
        case "VALUES": facts.command = "SELECT"
        case "TABLE": readChange("SELECT", behind: ["TABLE"])
        case "INSERT": readChange("INSERT", behind: ["INSERT", "INTO"])
        case "UPDATE": readChange("UPDATE", behind: ["UPDATE"])
        case "DELETE": readChange("DELETE", behind: ["DELETE", "FROM"])
        case "MERGE": readChange("MERGE", behind: ["MERGE", "INTO"])
        default:
            cursor.index = 0
            return false
        }
        return true
    }

    private mutating func readChange(_ command: String, behind words: [String]) {
        facts.command = command
        guard cursor.takeAll(words) else { return }
        cursor.take("ONLY")
        setObject("table", cursor.name())
    }

    private mutating func readSelect() {
        facts.command = "SELECT"
        let start = cursor.index
        if let into = cursor.find("INTO") { return readSelectInto(into) }
        if let from = cursor.find("FROM") {
            cursor.index = from + 1
            cursor.take("ONLY")
            // A name with parentheses is a function.
            if let name = cursor.name(), cursor.kind() != .openParen { setObject("table", name) }
        }
        cursor.index = start
        if let strength = lockStrength() { facts.command = "SELECT FOR " + strength }
    }

    private mutating func readSelectInto(_ place: Int) {
        facts.command = "SELECT INTO"
        cursor.index = place + 1
        cursor.takeOne(of: "LOCAL", "GLOBAL")
        cursor.takeOne(of: "TEMPORARY", "TEMP", "UNLOGGED")
        cursor.take("TABLE")
        setObject("table", cursor.name())
    }

    /// The first locking clause of the query itself.
    private func lockStrength() -> String? {
        var found: String?
        _ = cursor.findFirst { place in
            guard cursor.isWord("FOR", at: place) else { return false }
            found = strength(at: place + 1)
            return found != nil
        }
        return found
    }

    private func strength(at place: Int) -> String? {
        if cursor.isWord("UPDATE", at: place) { return "UPDATE" }
        if cursor.isWord("SHARE", at: place) { return "SHARE" }
        if cursor.isWord("KEY", at: place), cursor.isWord("SHARE", at: place + 1) { return "KEY SHARE" }
        let isNoKey = cursor.isWord("NO", at: place) && cursor.isWord("KEY", at: place + 1)
        return isNoKey && cursor.isWord("UPDATE", at: place + 2) ? "NO KEY UPDATE" : nil
    }

    /// Steps over `[RECURSIVE] name [(columns)] AS [[NOT] MATERIALIZED] (query) [SEARCH …] [CYCLE …], …`.
    ///
    /// Names such as `update` are allowed there, so looking for the first such word would be wrong.
    private mutating func skipCommonTables() {
        if !cursor.isWord("AS", ahead: 1), cursor.kind(ahead: 1) != .openParen { cursor.take("RECURSIVE") }
        while cursor.name() != nil {
            cursor.skipParens()
            guard cursor.take("AS") else { return }
            cursor.take("NOT")
            cursor.take("MATERIALIZED")
            cursor.skipParens()
            if cursor.isWord("SEARCH") { skipClause(endingWith: "SET") }
            if cursor.isWord("CYCLE") { skipClause(endingWith: "USING") }
            guard cursor.kind() == .comma else { return }
            cursor.index += 1
        }
    }

    /// Steps to behind the column name that follows a key word.
    private mutating func skipClause(endingWith keyword: String) {
        guard let place = cursor.find(keyword) else { return }
        cursor.index = place + 2
    }
}
