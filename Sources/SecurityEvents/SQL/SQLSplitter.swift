/// Cuts the tokens of a query string into statements at `;`.
///
/// A `;` does not end a statement inside the parentheses of a rule's actions (manual page CREATE RULE) nor inside a
/// function body `BEGIN ATOMIC … END` (manual page CREATE FUNCTION). Parentheses elsewhere do not count: one that is
/// never closed must not hide what follows.
struct SQLSplitter {
    private var lexer: SQLLexer
    private var tokens: [SQLToken] = []
    private var parens = 0
    private var bodies = 0
    private var form = Form.unknown

    private enum Form { case unknown, plain, rule, routine }

    init(_ text: [UInt8]) {
        lexer = SQLLexer(text)
    }

    /// The tokens of the next statement that is not empty, without comments; `nil` at the end.
    mutating func nextStatement() -> [SQLToken]? {
        tokens.removeAll(keepingCapacity: true)
        (parens, bodies, form) = (0, 0, .unknown)
        while let token = lexer.nextSignificant() {
            if token.kind == .semicolon, !holdsSemicolon {
                if !tokens.isEmpty { return tokens }
                continue
            }
            follow(token)
            tokens.append(token)
        }
        return tokens.isEmpty ? nil : tokens
    }

    private var holdsSemicolon: Bool {
        switch form {
        case .rule: parens > 0
        case .routine: bodies > 0
        default: false
        }
    }

    private mutating func follow(_ token: SQLToken) {
        switch token.kind {
        case .openParen: parens += 1
        case .closeParen: parens = max(0, parens - 1)
        case .word: followWord(token)
        default: break
        }
    }

    private mutating func followWord(_ token: SQLToken) {
        if form == .unknown { form = formAfter(token) }
        guard form == .routine, let previous = tokens.last else { return }
        if isWord(token, "ATOMIC"), isWord(previous, "BEGIN") {
            bodies += 1
        } else if bodies > 0, isWord(token, "END"), previous.kind == .semicolon || isWord(previous, "ATOMIC") {
            // Each statement of a body ends in `;`, so the END of a CASE never stands here.
            bodies -= 1
        }
    }

    /// The form that the first words of a statement give it.
    private func formAfter(_ token: SQLToken) -> Form {
        if tokens.isEmpty { return isWord(token, "CREATE") ? .unknown : .plain }
        if isWord(token, "OR") || isWord(token, "REPLACE") { return .unknown }
        if isWord(token, "RULE") { return .rule }
        return isWord(token, "FUNCTION") || isWord(token, "PROCEDURE") ? .routine : .plain
    }

    private func isWord(_ token: SQLToken, _ keyword: String) -> Bool {
        token.kind == .word && SQLBytes.matches(lexer.text, token.start..<token.end, keyword)
    }
}
