/// Cuts SQL text into tokens by the rules of manual 4.1 "Lexical Structure" (`standard_conforming_strings = on`).
///
/// Never fails: what starts no token is a token `other` of one byte, and what is not closed reaches to the end.
struct SQLLexer {
    let text: [UInt8]
    let end: Int
    var position = 0

    init(_ text: [UInt8]) {
        self.text = text
        self.end = text.count
    }

    /// The byte at an index, zero behind the end; zero starts and continues nothing.
    func byte(_ index: Int) -> UInt8 {
        index < end ? text[index] : 0
    }

    /// The next token, comments too; `nil` at the end.
    mutating func next() -> SQLToken? {
        while position < end, SQLBytes.isSpace(text[position]) { position += 1 }
        guard position < end else { return nil }
        let start = position
        let first = text[start]
        if SQLBytes.startsName(first) { return wordOrPrefixedLiteral(first) }
        if SQLBytes.isDigit(first) { return number() }
        switch first {
        case SQLBytes.quote: return quoted(.string, bodyAt: start + 1)
        case SQLBytes.doubleQuote: return quotedName(.quotedName, bodyAt: start + 1)
        case SQLBytes.dollar: return dollar()
        case SQLBytes.dash where byte(start + 1) == SQLBytes.dash: return lineComment()
        case SQLBytes.slash where byte(start + 1) == SQLBytes.star: return blockComment()
        case SQLBytes.dot where SQLBytes.isDigit(byte(start + 1)): return number()
        case SQLBytes.backslash where byte(start + 1) == SQLBytes.semicolon: return token(.semicolon, length: 2)
        default: return SQLBytes.isOperator(first) ? operatorToken() : punctuation(first)
        }
    }

    /// The next token that is no comment.
    mutating func nextSignificant() -> SQLToken? {
        while let token = next() {
            if token.kind != .comment { return token }
        }
        return nil
    }

    mutating func token(_ kind: SQLToken.Kind, length: Int) -> SQLToken {
        token(kind, to: position + length)
    }

    mutating func token(_ kind: SQLToken.Kind, to stop: Int, isClosed: Bool = true) -> SQLToken {
        let start = position
        position = min(stop, end)
        return SQLToken(start: start, end: position, kind: kind, isClosed: isClosed)
    }

    private mutating func wordOrPrefixedLiteral(_ first: UInt8) -> SQLToken {
        let second = byte(position + 1)
        if second == SQLBytes.quote {
            switch first | 0x20 {
            case UInt8(ascii: "e"): return quoted(.escapeString, bodyAt: position + 2)
            case UInt8(ascii: "b"), UInt8(ascii: "x"): return quoted(.bitString, bodyAt: position + 2)
            case UInt8(ascii: "n"): return quoted(.string, bodyAt: position + 2)
            default: break
            }
        }
        if second == SQLBytes.ampersand, first | 0x20 == UInt8(ascii: "u") {
            let third = byte(position + 2)
            if third == SQLBytes.quote { return quoted(.unicodeString, bodyAt: position + 3) }
            if third == SQLBytes.doubleQuote { return quotedName(.unicodeName, bodyAt: position + 3) }
        }
        return token(.word, to: endOfName(from: position + 1))
    }

    func endOfName(from index: Int) -> Int {
        var index = index
        while index < end, SQLBytes.continuesName(text[index]) { index += 1 }
        return index
    }

    private mutating func punctuation(_ first: UInt8) -> SQLToken {
        switch first {
        case UInt8(ascii: "("): return token(.openParen, length: 1)
        case UInt8(ascii: ")"): return token(.closeParen, length: 1)
        case UInt8(ascii: ","): return token(.comma, length: 1)
        case SQLBytes.dot: return token(byte(position + 1) == SQLBytes.dot ? .symbol : .dot, length: dotLength)
        case SQLBytes.semicolon: return token(.semicolon, length: 1)
        case SQLBytes.colon:
            let second = byte(position + 1)
            return token(.symbol, length: second == SQLBytes.colon || second == SQLBytes.equals ? 2 : 1)
        case UInt8(ascii: "["), UInt8(ascii: "]"): return token(.symbol, length: 1)
        default: return token(.other, length: 1)
        }
    }

    private var dotLength: Int {
        byte(position + 1) == SQLBytes.dot ? 2 : 1
    }
}
