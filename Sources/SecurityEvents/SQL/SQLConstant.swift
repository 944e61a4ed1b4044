/// What stands between the quotes of a constant, identifier or comment.
enum SQLConstant {
    /// The bytes of the text between the outermost quotes or comment marks of a token.
    static func content(of token: SQLToken, in text: [UInt8]) -> Range<Int> {
        let opening = openingLength(token, in: text)
        let closing = token.isClosed ? closingLength(token, opening: opening, in: text) : 0
        let start = min(token.start + opening, token.end)
        return start..<max(start, token.end - closing)
    }

    private static func openingLength(_ token: SQLToken, in text: [UInt8]) -> Int {
        switch token.kind {
        case .string: text[token.start] == SQLBytes.quote ? 1 : 2
        case .quotedName: 1
        case .escapeString, .bitString, .comment: 2
        case .unicodeString, .unicodeName: 3
        case .dollarString: dollarLength(token, in: text)
        default: 0
        }
    }

    private static func closingLength(_ token: SQLToken, opening: Int, in text: [UInt8]) -> Int {
        switch token.kind {
        case .dollarString: opening
        case .comment: text[token.start] == SQLBytes.slash ? 2 : 0
        case .string, .escapeString, .unicodeString, .bitString, .quotedName, .unicodeName: 1
        default: 0
        }
    }

    private static func dollarLength(_ token: SQLToken, in text: [UInt8]) -> Int {
        var index = token.start + 1
        while index < token.end, text[index] != SQLBytes.dollar { index += 1 }
        return index + 1 - token.start
    }

    /// The name that a name token stands for: unquoted ones folded to lower case (ASCII).
    static func decodedName(_ token: SQLToken, in text: [UInt8]) -> [UInt8] {
        switch token.kind {
        case .quotedName, .unicodeName: decoded(token, in: text, unicodeEscape: SQLBytes.backslash).bytes
        default: text[token.start..<token.end].map(SQLBytes.lower)
        }
    }

    /// The bytes that a constant or quoted identifier stands for, and where each of them comes from.
    static func decoded(_ token: SQLToken, in text: [UInt8], unicodeEscape: UInt8) -> SQLDecoded {
        let range = content(of: token, in: text)
        var decoder = SQLConstantDecoder(text: text, range: range)
        switch token.kind {
        case .escapeString: decoder.decodeEscapes()
        case .unicodeString: decoder.decodeUnicode(quote: SQLBytes.quote, escape: unicodeEscape)
        case .unicodeName: decoder.decodeUnicode(quote: SQLBytes.doubleQuote, escape: unicodeEscape)
        case .quotedName: decoder.decodePlain(quote: SQLBytes.doubleQuote)
        case .dollarString, .comment: decoder.copy()
        default: decoder.decodePlain(quote: SQLBytes.quote)
        }
        return decoder.result
    }
}
