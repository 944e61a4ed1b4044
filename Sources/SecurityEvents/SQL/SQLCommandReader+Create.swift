/// CREATE and DROP (manual pages CREATE …, DROP …).
extension SQLCommandReader {
    mutating func readCreate() {
        cursor.take("CREATE")
        cursor.take("OR", "REPLACE")
        takeCreateModifiers()
        guard let kind = SQLObjectKind.take(from: &cursor, for: .create) else { return }
        facts.command = "CREATE " + kind.tag
        readNewObject(kind)
        switch kind.tag {
        case "ROLE": facts.targetRole = facts.objectName
        case "TABLE" where cursor.find("AS") != nil: facts.command = "CREATE TABLE AS"
        case "DATABASE", "TABLESPACE": readOwner()
        default: break
        }
    }

    private mutating func takeCreateModifiers() {
        let modifiers = [
            "GLOBAL", "LOCAL", "TEMPORARY", "TEMP", "UNLOGGED", "RECURSIVE", "UNIQUE", "TRUSTED", "PROCEDURAL",
            "CONSTRAINT", "DEFAULT",
        ]
        // No statement has more than three of them.
        for _ in 0..<3 {
            guard modifiers.contains(where: { cursor.isWord($0) }) else { return }
            cursor.index += 1
        }
    }

    private mutating func readNewObject(_ kind: SQLObjectKind) {
        if kind.tag == "SCHEMA" { return readNewSchema() }
        readObject(kind)
    }

    /// `CREATE SCHEMA name`, `CREATE SCHEMA AUTHORIZATION role`: the schema then has the role's name.
    private mutating func readNewSchema() {
        cursor.takeExistence()
        facts.objectType = "schema"
        if !cursor.isWord("AUTHORIZATION") { facts.objectName = cursor.name() }
        guard cursor.take("AUTHORIZATION") else { return }
        facts.targetRole = cursor.name()
        facts.objectName = facts.objectName ?? facts.targetRole
    }

    /// `OWNER [=] role` of a database or tablespace.
    private mutating func readOwner() {
        guard let owner = cursor.find("OWNER") else { return }
        cursor.index = owner + 1
        if cursor.isSymbol("=") { cursor.index += 1 }
        facts.targetRole = cursor.name()
    }

    mutating func readDrop() {
        cursor.take("DROP")
        if cursor.take("OWNED") {
            cursor.take("BY")
            facts.command = "DROP OWNED"
            setObject("role", cursor.name())
            facts.targetRole = facts.objectName
            return
        }
        cursor.take("PROCEDURAL")
        guard let kind = SQLObjectKind.take(from: &cursor, for: .drop) else { return }
        facts.command = "DROP " + kind.tag
        readObject(kind)
        if kind.tag == "ROLE" { facts.targetRole = facts.objectName }
    }

    /// The object behind the words of its kind.
    mutating func readObject(_ kind: SQLObjectKind) {
        facts.objectType = kind.type
        cursor.take("CONCURRENTLY")
        cursor.takeExistence()
        cursor.take("ONLY")
        switch kind.tag {
        case "USER MAPPING": readUserMapping()
        case "CAST": break
        case "OPERATOR": facts.objectName = operatorName()
        case "LARGE OBJECT": facts.objectName = numberText()
        case "INDEX" where cursor.isWord("ON"): break
        case _ where cursor.isWord("ALL") && cursor.isWord("IN", ahead: 1): break
        default:
            if kind.tag == "TRANSFORM" { cursor.take("FOR") }
            facts.objectName = cursor.name()
        }
    }

    /// `FOR role SERVER server`; the role may be the key word USER.
    private mutating func readUserMapping() {
        guard cursor.take("FOR") else { return }
        facts.targetRole = cursor.name()
        if cursor.take("SERVER") { facts.objectName = cursor.name() }
    }

    /// An operator, qualified as in `schema.+`.
    private mutating func operatorName() -> String? {
        var name = ""
        while let token = cursor.current, token.isName, cursor.kind(ahead: 1) == .dot, name.utf8.count < 1024 {
            cursor.index += 1
            name += String(decoding: SQLConstant.decodedName(token, in: cursor.text).prefix(256), as: UTF8.self) + "."
            cursor.index += 1
        }
        guard cursor.kind() == .symbol, let token = cursor.current else { return nil }
        cursor.index += 1
        return name + String(decoding: cursor.text[token.start..<token.end].prefix(256), as: UTF8.self)
    }

    private mutating func numberText() -> String? {
        guard cursor.kind() == .number, let token = cursor.current else { return nil }
        cursor.index += 1
        return String(decoding: cursor.text[token.start..<token.end].prefix(256), as: UTF8.self)
    }
}
