/// Walks over the tokens of one statement.
struct SQLCursor {
    let text: [UInt8]
    let tokens: [SQLToken]
    var index = 0

    /// Names are cut to this many bytes a part; the server itself cuts them to 63.
    private static let nameLimit = 256

    init(_ tokens: [SQLToken], in text: [UInt8]) {
        self.text = text
        self.tokens = tokens
    }

    var current: SQLToken? { token(at: index) }

    func token(at index: Int) -> SQLToken? {
        index >= 0 && index < tokens.count ? tokens[index] : nil
    }

    func kind(ahead offset: Int = 0) -> SQLToken.Kind? {
        token(at: index + offset)?.kind
    }

    /// Whether the token so far ahead is this key word, given in upper case.
    func isWord(_ keyword: String, ahead offset: Int = 0) -> Bool {
        isWord(keyword, at: index + offset)
    }

    func isWord(_ keyword: String, at index: Int) -> Bool {
        guard let token = token(at: index), token.kind == .word else { return false }
        return SQLBytes.matches(text, token.start..<token.end, keyword)
    }

    func isSymbol(_ symbol: String, ahead offset: Int = 0) -> Bool {
        guard let token = token(at: index + offset), token.kind == .symbol else { return false }
        return SQLBytes.matches(text, token.start..<token.end, symbol)
    }

    /// The key word so far ahead in upper case, empty when it is none; no key word has more than 32 bytes.
    func keyword(ahead offset: Int = 0) -> String {
        guard let token = token(at: index + offset), token.kind == .word, token.end - token.start <= 32 else {
            return ""
        }
        return String(decoding: text[token.start..<token.end].map(SQLBytes.upper), as: UTF8.self)
    }

    /// Steps over these key words when all of them stand here in this order.
    @discardableResult
    mutating func take(_ words: String...) -> Bool {
        takeAll(words)
    }

    mutating func takeAll(_ words: [String]) -> Bool {
        for (offset, word) in words.enumerated() where !isWord(word, ahead: offset) { return false }
        index += words.count
        return true
    }

    /// Steps over one of these key words.
    @discardableResult
    mutating func takeOne(of words: String...) -> Bool {
        for word in words where take(word) { return true }
        return false
    }

    mutating func takeExistence() {
        if !take("IF", "NOT", "EXISTS") { take("IF", "EXISTS") }
    }

    /// Steps over a name, also a qualified one, and gives it.
    mutating func name() -> String? {
        guard var name = namePart() else { return nil }
        while kind() == .dot, let next = token(at: index + 1), next.isName, name.utf8.count < 4 * Self.nameLimit {
            index += 1
            guard let part = namePart() else { break }
            name += "." + part
        }
        return name
    }

    private mutating func namePart() -> String? {
        guard let token = current, token.isName else { return nil }
        index += 1
        let bytes = SQLConstant.decodedName(token, in: text).prefix(Self.nameLimit)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Steps over the content of a constant that stands in a name's place, as in `SET ROLE 'x'`.
    mutating func nameOrLiteral() -> String? {
        guard let token = current, token.isLiteral else { return name() }
        index += 1
        let bytes = SQLConstant.decoded(token, in: text, unicodeEscape: SQLBytes.backslash).bytes
        return String(decoding: bytes.prefix(Self.nameLimit), as: UTF8.self)
    }

    /// Steps over a group in parentheses with all that is in it.
    mutating func skipParens() {
        guard kind() == .openParen else { return }
        var depth = 0
        while let token = current {
            index += 1
            if token.kind == .openParen { depth += 1 }
            if token.kind == .closeParen {
                depth -= 1
                if depth == 0 { return }
            }
        }
    }

    /// The place of the first of these key words from here on that stands in as many parentheses as this place.
    func find(_ words: String...) -> Int? {
        findFirst { index in words.contains { isWord($0, at: index) } }
    }

    func findFirst(where matches: (Int) -> Bool) -> Int? {
        var depth = 0
        for place in index..<max(index, tokens.count) {
            switch tokens[place].kind {
            case .openParen: depth += 1
            case .closeParen: depth -= 1
            default: if depth == 0, matches(place) { return place }
            }
        }
        return nil
    }
}
