/// Makes the normal form of a statement that patterns are matched against; see `SQLStatement.shape`.
enum SQLShape {
    static let limit = 4096

    static func make(of tokens: [SQLToken], in text: [UInt8]) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(limit, 8 * tokens.count))
        var previous: SQLToken.Kind?
        for token in tokens {
            if bytes.count > limit { break }
            if let previous, !joins(previous), !joins(token.kind) { bytes.append(0x20) }
            append(token, of: text, to: &bytes)
            previous = token.kind
        }
        return cut(String(decoding: bytes, as: UTF8.self))
    }

    private static func joins(_ kind: SQLToken.Kind) -> Bool {
        switch kind {
        case .dot, .comma, .openParen, .closeParen: true
        default: false
        }
    }

    private static func append(_ token: SQLToken, of text: [UInt8], to bytes: inout [UInt8]) {
        // One byte more than the limit shows that the form is cut; the rest of a huge token is not looked at.
        let range = token.start..<min(token.end, token.start + limit + 1)
        switch token.kind {
        case .word: for byte in text[range] { bytes.append(SQLBytes.upper(byte)) }
        case .unicodeName: appendQuoted(SQLConstant.decodedName(token, in: text), to: &bytes)
        case .quotedName:
            bytes.append(contentsOf: text[range])
            if !token.isClosed { bytes.append(SQLBytes.doubleQuote) }
        case _ where token.isLiteral: bytes.append(contentsOf: "'?'".utf8)
        case .semicolon: bytes.append(SQLBytes.semicolon)
        default: bytes.append(contentsOf: text[range])
        }
    }

    private static func appendQuoted(_ name: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(SQLBytes.doubleQuote)
        for byte in name.prefix(limit) {
            if byte == SQLBytes.doubleQuote { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(SQLBytes.doubleQuote)
    }

    /// Cuts at a character, as bytes that are no UTF-8 have become longer.
    private static func cut(_ shape: String) -> String {
        var length = limit
        while shape.utf8.count > length {
            if let prefix = String(shape.utf8.prefix(length)) { return prefix }
            length -= 1
        }
        return shape
    }
}
