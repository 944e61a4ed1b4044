/// Guesses from its first two tokens whether the content of a constant is SQL or PL/pgSQL.
struct SQLCodeGuess {
    private(set) var isCode = false
    private var count = 0

    mutating func follow(_ token: SQLToken, in text: [UInt8]) {
        if count == 0, token.kind == .word {
            isCode = Self.words.contains { SQLBytes.matches(text, token.start..<token.end, $0) }
        } else if count == 1, token.kind == .symbol, text[token.start] == SQLBytes.equals {
            // The first keyword of a connection string.
            isCode = false
        }
        count += 1
    }

    private static let words = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "CREATE", "ALTER", "DROP", "GRANT",
        "REVOKE", "SET", "BEGIN", "DECLARE", "DO", "CALL", "EXECUTE", "PERFORM", "RETURN", "IF", "COPY", "EXPLAIN",
        "TRUNCATE", "COMMENT", "LOCK", "RAISE",
    ]
}
