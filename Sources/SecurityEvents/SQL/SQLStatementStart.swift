/// What the first words of a statement, as far as it has been read, tell about passwords in it.
struct SQLStatementStart {
    /// Tokens read of the statement.
    private(set) var count = 0
    /// A statement that sets a parameter: SET, ALTER … SET, CREATE FUNCTION … SET.
    private(set) var setsParameter = false
    /// CREATE or ALTER of a ROLE, USER or GROUP.
    private(set) var isRole = false
    /// Nothing but options of a role so far: the middle of a statement that is put together of pieces.
    private(set) var isOptions = true
    private var isCreateOrAlter = false

    /// Takes the next token of the statement.
    mutating func follow(_ token: SQLToken, in text: [UInt8]) {
        if isOptions { isOptions = SQLStatementStart.isRoleOption(token, in: text) }
        if count < 2, token.kind == .word {
            let range = token.start..<token.end
            let matches = { SQLBytes.matches(text, range, $0) }
            if count == 0 {
                isCreateOrAlter = matches("CREATE") || matches("ALTER")
                setsParameter = isCreateOrAlter || matches("SET")
            } else if isCreateOrAlter {
                isRole = matches("ROLE") || matches("USER") || matches("GROUP")
            }
        }
        count += 1
    }

    /// The words around PASSWORD in CREATE ROLE and ALTER ROLE (manual page CREATE ROLE).
    private static let options = [
        "WITH", "ENCRYPTED", "UNENCRYPTED", "PASSWORD", "SUPERUSER", "NOSUPERUSER", "CREATEDB", "NOCREATEDB",
        "CREATEROLE", "NOCREATEROLE", "INHERIT", "NOINHERIT", "LOGIN", "NOLOGIN", "REPLICATION", "NOREPLICATION",
        "BYPASSRLS", "NOBYPASSRLS", "CONNECTION", "LIMIT", "VALID", "UNTIL", "NULL",
    ]

    static func isRoleOption(_ token: SQLToken, in text: [UInt8]) -> Bool {
        guard token.kind == .word else { return false }
        return options.contains { SQLBytes.matches(text, token.start..<token.end, $0) }
    }
}
