/// SET, RESET, SHOW (manual pages of these names, SET ROLE, SET SESSION AUTHORIZATION, SET TRANSACTION).
extension SQLCommandReader {
    mutating func readSetting(_ verb: String) {
        facts.command = verb
        cursor.index += 1
        if verb == "SET" {
            if cursor.isWord("CONSTRAINTS"), !isAssignment(ahead: 1) {
                facts.command = "SET CONSTRAINTS"
                return
            }
            takeScope()
        }
        if readIdentity(verb) || (verb == "SET" && isTransaction) { return }
        setObject("parameter", specialParameter(verb) ?? parameterName())
        readIdentityParameter(verb)
    }

    /// SESSION and LOCAL, unless SESSION AUTHORIZATION follows.
    private mutating func takeScope() {
        if cursor.isWord("SESSION"), cursor.isWord("AUTHORIZATION", ahead: 1) { return }
        if !isAssignment(ahead: 1) { cursor.takeOne(of: "LOCAL", "SESSION") }
    }

    private func isAssignment(ahead offset: Int) -> Bool {
        cursor.isSymbol("=", ahead: offset) || cursor.isWord("TO", ahead: offset)
    }

    /// `SET ROLE x` and `SET SESSION AUTHORIZATION x`, and their RESET.
    private mutating func readIdentity(_ verb: String) -> Bool {
        let type: String
        if cursor.isWord("ROLE"), !isAssignment(ahead: 1) {
            cursor.index += 1
            type = "role"
        } else if cursor.take("SESSION", "AUTHORIZATION") {
            type = "session authorization"
        } else {
            return false
        }
        setObject(type, nil)
        if verb == "SET" { setAssumedRole() }
        return true
    }

    /// `SET role = x` is `SET ROLE x`, and so is `session_authorization`.
    private mutating func readIdentityParameter(_ verb: String) {
        guard facts.objectName == "role" || facts.objectName == "session_authorization" else { return }
        facts.objectType = facts.objectName == "role" ? "role" : "session authorization"
        facts.objectName = nil
        guard verb == "SET", isAssignment(ahead: 0) else { return }
        cursor.index += 1
        setAssumedRole()
    }

    private mutating func setAssumedRole() {
        facts.targetRole = cursor.nameOrLiteral()
        facts.objectName = facts.targetRole
    }

    private var isTransaction: Bool {
        if isAssignment(ahead: 1) { return false }
        return cursor.isWord("TRANSACTION") || cursor.isWord("CHARACTERISTICS")
    }

    /// Parameters that have words of their own.
    private mutating func specialParameter(_ verb: String) -> String? {
        if cursor.take("TIME", "ZONE") { return "timezone" }
        if cursor.take("TRANSACTION", "ISOLATION", "LEVEL") { return "transaction_isolation" }
        if verb != "SET" || isAssignment(ahead: 1) { return nil }
        if cursor.take("NAMES") { return "client_encoding" }
        if cursor.take("SCHEMA") { return "search_path" }
        if cursor.take("XML", "OPTION") { return "xmloption" }
        return nil
    }

    /// A parameter's name in lower case, as the server compares them without regard to case.
    mutating func parameterName() -> String? {
        guard let name = cursor.name() else { return nil }
        return String(decoding: name.utf8.map(SQLBytes.lower), as: UTF8.self)
    }
}
