/// One token of SQL text (manual 4.1 "Lexical Structure").
struct SQLToken: Equatable {
    enum Kind: UInt8 {
        /// Key word or unquoted identifier.
        case word
        /// `"name"`
        case quotedName
        /// `U&"name"`
        case unicodeName
        /// `'…'` and `N'…'`
        case string
        /// `E'…'`
        case escapeString
        /// `U&'…'`
        case unicodeString
        /// `B'…'` and `X'…'`
        case bitString
        /// `$tag$…$tag$`
        case dollarString
        case number
        /// `$1`
        case parameter
        /// Operator, `::`, `:=`, `[`, `]`, `:`.
        case symbol
        case openParen, closeParen, comma, dot, semicolon
        case comment
        /// A byte that starts no token.
        case other
    }

    var start: Int
    var end: Int
    var kind: Kind
    /// False when the text ended before the closing quote or comment mark.
    var isClosed = true

    var isLiteral: Bool {
        switch kind {
        case .string, .escapeString, .unicodeString, .bitString, .dollarString: true
        default: false
        }
    }

    var isName: Bool {
        kind == .word || kind == .quotedName || kind == .unicodeName
    }
}
