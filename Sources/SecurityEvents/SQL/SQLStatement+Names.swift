/// What a statement names, apart from its first object.
extension SQLStatement {
    /// Whether it calls one of these functions, given in lower case, with or without a schema, quoted or not.
    func calls(_ functions: Set<String>) -> Bool {
        for index in tokens.indices.dropLast() where tokens[index + 1].kind == .openParen && tokens[index].isName {
            if functions.contains(name(tokens[index])), !namesTable(index) { return true }
        }
        return false
    }

    /// True when a table's name stands there, with its columns in parentheses.
    private func namesTable(_ index: Int) -> Bool {
        var index = index
        while index > 1, tokens[index - 1].kind == .dot { index -= 2 }
        guard index > 0, tokens[index - 1].kind == .word else { return false }
        let range = tokens[index - 1].start..<tokens[index - 1].end
        return ["TABLE", "INTO", "EXISTS", "VIEW", "REFERENCES"].contains { SQLBytes.matches(text, range, $0) }
    }

    /// Whether one of these names, given in lower case, stands in it, quoted or not, but not in a constant.
    func names(_ wanted: Set<String>) -> Bool {
        for token in tokens where token.isName && token.end - token.start < 256 {
            if wanted.contains(name(token)) { return true }
        }
        return false
    }

    private func name(_ token: SQLToken) -> String {
        String(decoding: SQLConstant.decodedName(token, in: text), as: UTF8.self)
    }

    /// Whether what one of its constants stands for meets a condition.
    func hasConstant(where condition: ([UInt8]) -> Bool) -> Bool {
        tokens.contains { token in
            token.isLiteral
                && condition(SQLConstant.decoded(token, in: text, unicodeEscape: SQLBytes.backslash).bytes)
        }
    }

    /// The kinds of secrets that stand in it in clear text or as a verifier.
    var secrets: Set<SQLSecretKind> {
        let own = Array(text[range])
        var found: Set<SQLSecretKind> = []
        for range in SQLSecretFinder.secrets(in: own) {
            if SQLVerifier.end(in: own, at: range.lowerBound) == range.upperBound {
                found.insert(.hash)
            } else if !own[range].map(SQLBytes.lower).elementsEqual(SQLRedactor.mark) {
                found.insert(.password)
            }
        }
        return found
    }
}

/// What stands in clear text where it should not.
public enum SQLSecretKind: String, Sendable, CaseIterable {
    /// A password, token or key.
    case password
    /// A password verifier, with which passwords can be guessed and, of md5, sessions opened.
    case hash
}
