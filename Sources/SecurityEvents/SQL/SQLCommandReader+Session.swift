/// Transactions, cursors, prepared statements, notification and the rest (manual part VI and, for replication
/// connections, "Streaming Replication Protocol").
extension SQLCommandReader {
    /// BEGIN, COMMIT, ROLLBACK, savepoints; false when the statement is none of them.
    mutating func readTransaction(_ first: String) -> Bool {
        cursor.index = 1
        switch first {
        case "BEGIN": facts.command = "BEGIN"
        case "START": facts.command = cursor.take("TRANSACTION") ? "START TRANSACTION" : ""
        case "COMMIT": facts.command = cursor.take("PREPARED") ? "COMMIT PREPARED" : "COMMIT"
        case "END": facts.command = "COMMIT"
        case "ABORT": facts.command = "ROLLBACK"
        case "ROLLBACK": readRollback()
        case "SAVEPOINT", "RELEASE":
            facts.command = first
            if first == "RELEASE" { cursor.take("SAVEPOINT") }
            setObject("savepoint", cursor.name())
        default: return false
        }
        return true
    }

    private mutating func readRollback() {
        facts.command = cursor.take("PREPARED") ? "ROLLBACK PREPARED" : "ROLLBACK"
        cursor.takeOne(of: "WORK", "TRANSACTION")
        guard cursor.take("TO") else { return }
        cursor.take("SAVEPOINT")
        setObject("savepoint", cursor.name())
    }

    mutating func readSession(_ first: String) {
        cursor.index = 1
        switch first {
        case "CALL": named(first, "procedure")
        case "DO", "EXPLAIN", "LOAD", "CHECKPOINT": facts.command = first
        case "LISTEN", "NOTIFY", "UNLISTEN": named(first, "channel")
        case "EXECUTE": named(first, "prepared statement")
        case "PREPARE": readPrepare()
        case "DEALLOCATE": readDeallocate()
        case "DECLARE": named("DECLARE CURSOR", "cursor")
        case "CLOSE": named(cursor.isWord("ALL") ? "CLOSE CURSOR ALL" : "CLOSE CURSOR", "cursor")
        case "FETCH", "MOVE": readFetch(first)
        case "DISCARD": readDiscard()
        case _ where Self.replicationCommands.contains(first): facts.command = first
        default: break
        }
    }

    private mutating func named(_ command: String, _ type: String) {
        facts.command = command
        setObject(type, cursor.isWord("ALL") ? nil : cursor.name())
    }

    /// `PREPARE TRANSACTION 'id'`; with no constant there, `transaction` is the name of a prepared statement.
    private mutating func readPrepare() {
        if cursor.isWord("TRANSACTION"), cursor.token(at: cursor.index + 1)?.isLiteral == true {
            facts.command = "PREPARE TRANSACTION"
        } else {
            named("PREPARE", "prepared statement")
        }
    }

    private mutating func readDeallocate() {
        if cursor.isWord("PREPARE"), cursor.kind(ahead: 1) != nil { cursor.index += 1 }
        named(cursor.isWord("ALL") ? "DEALLOCATE ALL" : "DEALLOCATE", "prepared statement")
    }

    /// The cursor is the last name of FETCH and MOVE, whatever the direction.
    private mutating func readFetch(_ command: String) {
        facts.command = command
        cursor.index = max(1, cursor.tokens.count - 1)
        setObject("cursor", cursor.name())
    }

    private mutating func readDiscard() {
        switch cursor.keyword() {
        case "ALL": facts.command = "DISCARD ALL"
        case "PLANS": facts.command = "DISCARD PLANS"
        case "SEQUENCES": facts.command = "DISCARD SEQUENCES"
        case "TEMP", "TEMPORARY": facts.command = "DISCARD TEMP"
        default: break
        }
    }

    private static let replicationCommands: Set<String> = [
        "IDENTIFY_SYSTEM", "CREATE_REPLICATION_SLOT", "ALTER_REPLICATION_SLOT", "DROP_REPLICATION_SLOT",
        "READ_REPLICATION_SLOT", "START_REPLICATION", "TIMELINE_HISTORY", "BASE_BACKUP", "UPLOAD_MANIFEST",
    ]
}
