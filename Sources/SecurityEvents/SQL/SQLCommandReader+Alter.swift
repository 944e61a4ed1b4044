/// ALTER, REASSIGN OWNED, IMPORT FOREIGN SCHEMA, COMMENT, SECURITY LABEL (manual pages of these names).
extension SQLCommandReader {
    mutating func readAlter() {
        cursor.take("ALTER")
        if cursor.take("SYSTEM") { return readAlterSystem() }
        if cursor.take("DEFAULT", "PRIVILEGES") { return readDefaultPrivileges() }
        cursor.take("PROCEDURAL")
        guard let kind = SQLObjectKind.take(from: &cursor, for: .alter) else { return }
        facts.command = "ALTER " + kind.tag
        readObject(kind)
        if kind.tag == "ROLE" { return readAlteredRole() }
        readNewOwner()
    }

    private mutating func readAlterSystem() {
        facts.command = "ALTER SYSTEM"
        facts.objectType = "parameter"
        if cursor.takeOne(of: "SET", "RESET") { facts.objectName = parameterName() }
    }

    /// The role named, or the first member of `ALTER GROUP g ADD USER m`, which is another form of GRANT.
    private mutating func readAlteredRole() {
        facts.targetRole = facts.objectName
        if cursor.take("ADD", "USER") || cursor.take("DROP", "USER") {
            facts.targetRole = cursor.name() ?? facts.targetRole
        }
    }

    /// `OWNER TO role` among the actions. With RENAME before it, `owner` is the name of a column.
    private mutating func readNewOwner() {
        let place = cursor.findFirst { place in
            cursor.isWord("RENAME", at: place)
                || (cursor.isWord("OWNER", at: place) && cursor.isWord("TO", at: place + 1))
        }
        guard let place, cursor.isWord("OWNER", at: place) else { return }
        cursor.index = place + 2
        facts.targetRole = cursor.name()
    }

    private mutating func readDefaultPrivileges() {
        facts.command = "ALTER DEFAULT PRIVILEGES"
        if let place = cursor.findFirst(where: { isInSchema(at: $0) }) {
            var schema = cursor
            schema.index = place + 2
            facts.objectName = schema.name()
        }
        guard let verb = cursor.find("GRANT", "REVOKE") else { return }
        cursor.index = verb
        guard let on = cursor.find("ON") else { return }
        cursor.index = on + 1
        facts.objectType = Self.defaultPrivilegeTypes[cursor.keyword()]
        readGrantee()
    }

    private func isInSchema(at place: Int) -> Bool {
        cursor.isWord("IN", at: place) && cursor.isWord("SCHEMA", at: place + 1)
    }

    private static let defaultPrivilegeTypes = [
        "TABLES": "table", "SEQUENCES": "sequence", "FUNCTIONS": "function", "ROUTINES": "routine", "TYPES": "type",
        "SCHEMAS": "schema", "LARGE": "large object",
    ]

    /// `REASSIGN OWNED BY old TO new`
    mutating func readReassign() {
        guard require("REASSIGN", "OWNED") else { return }
        facts.command = "REASSIGN OWNED"
        cursor.take("BY")
        setObject("role", cursor.name())
        if let to = cursor.find("TO") {
            cursor.index = to + 1
            facts.targetRole = cursor.name()
        }
    }

    mutating func readImport() {
        guard require("IMPORT", "FOREIGN", "SCHEMA") else { return }
        facts.command = "IMPORT FOREIGN SCHEMA"
        setObject("schema", cursor.name())
    }

    /// `COMMENT ON kind name IS …`, `SECURITY LABEL [FOR provider] ON kind name IS …`
    mutating func readLabel() {
        if cursor.take("COMMENT") {
            facts.command = "COMMENT"
        } else if require("SECURITY", "LABEL") {
            facts.command = "SECURITY LABEL"
        } else {
            return
        }
        guard let on = cursor.find("ON") else { return }
        cursor.index = on + 1
        cursor.take("PROCEDURAL")
        if let kind = SQLObjectKind.take(from: &cursor, for: .comment) { readObject(kind) }
        if facts.objectType == "role" { facts.targetRole = facts.objectName }
    }
}
