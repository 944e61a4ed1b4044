/// GRANT and REVOKE of privileges and of roles (manual pages GRANT, REVOKE).
extension SQLCommandReader {
    /// With ON before TO or FROM it is about privileges; ON, TO and FROM are reserved, so no name is one of them.
    mutating func readGrant(_ verb: String) {
        cursor.index += 1
        guard let place = cursor.find("ON", "TO", "FROM"), cursor.isWord("ON", at: place) else {
            return readMembership(verb)
        }
        facts.command = verb
        cursor.index = place + 1
        readPrivilegeObject()
        readGrantee()
    }

    private mutating func readMembership(_ verb: String) {
        facts.command = verb + " ROLE"
        for option in ["ADMIN", "INHERIT", "SET"] where cursor.take(option, "OPTION", "FOR") { break }
        setObject("role", cursor.name())
        readGrantee()
    }

    private mutating func readPrivilegeObject() {
        if cursor.isWord("ALL"), let schema = cursor.find("SCHEMA") {
            // ALL TABLES IN SCHEMA s: the schema is what is named.
            cursor.index = schema + 1
            return setObject("schema", cursor.name())
        }
        let start = cursor.index
        if let kind = SQLObjectKind.take(from: &cursor, for: .grant), !endsObject {
            return readObject(kind)
        }
        // A table; it may have the name of a kind, as in ON type TO.
        cursor.index = start
        setObject("table", cursor.name())
    }

    private var endsObject: Bool {
        switch cursor.kind() {
        case nil, .comma, .dot: true
        default: cursor.isWord("TO") || cursor.isWord("FROM")
        }
    }

    /// The first role behind TO or FROM.
    mutating func readGrantee() {
        guard let place = cursor.find("TO", "FROM") else { return }
        cursor.index = place + 1
        if cursor.isWord("GROUP"), let next = cursor.token(at: cursor.index + 1), next.isName { cursor.index += 1 }
        facts.targetRole = cursor.name()
    }
}
