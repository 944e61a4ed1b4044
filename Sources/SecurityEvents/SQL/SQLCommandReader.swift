/// What a statement says, apart from where it stands and its normal form.
struct SQLFacts {
    var command = ""
    var objectType: String?
    var objectName: String?
    var targetRole: String?
}

/// Reads the command and its objects from the tokens of one statement.
///
/// Source: manual part VI "SQL Commands", one page for each command. Only as much is read as is needed to tell
/// which command and which object it is: the rest may be cut off or wrong.
struct SQLCommandReader {
    var cursor: SQLCursor
    var facts = SQLFacts()

    static func facts(of tokens: [SQLToken], in text: [UInt8]) -> SQLFacts {
        var reader = SQLCommandReader(cursor: SQLCursor(tokens, in: text))
        reader.readStatement()
        return reader.facts
    }

    private mutating func readStatement() {
        let first = cursor.keyword()
        switch first {
        case "CREATE": readCreate()
        case "ALTER": readAlter()
        case "DROP": readDrop()
        case "GRANT", "REVOKE": readGrant(first)
        case "SET", "RESET", "SHOW": readSetting(first)
        case "COMMENT", "SECURITY": readLabel()
        case "REASSIGN": readReassign()
        case "IMPORT": readImport()
        default:
            if !readQuery(), !readTransaction(first), !readMaintenance(first) { readSession(first) }
        }
    }

    /// Takes the key words that must follow; the command is unknown without them.
    mutating func require(_ words: String...) -> Bool {
        cursor.takeAll(words)
    }

    mutating func setObject(_ type: String?, _ name: String?) {
        facts.objectType = type
        facts.objectName = name
    }
}
