/// Makes the normal form of a statement that patterns are matched against; see `SQLStatement.shape`.
enum SQLShape {
    static let limit = 4096

    static func make(of tokens: [SQLToken], in text: [UInt8], isCutOff: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(limit, 8 * tokens.count))
        var previous: SQLToken.Kind?
        for (index, token) in tokens.enumerated() {
            if bytes.count > limit { break }
            if let previous, !joins(previous), !joins(token.kind) { bytes.append(0x20) }
            if token.isLiteral, standsForName(index, of: tokens, in: text) {
                let name = SQLConstant.decoded(token, in: text, unicodeEscape: SQLBytes.backslash).bytes
                appendQuoted(name, to: &bytes)
            } else {
                append(token, of: text, to: &bytes)
            }
            previous = token.kind
        }
        if isCutOff { bytes.append(contentsOf: " --".utf8) }
        return cut(bytes)
    }

    /// `set_config('name', …)` and `LANGUAGE 'name'` (manual "Configuration Settings Functions", CREATE FUNCTION).
    private static func standsForName(_ index: Int, of tokens: [SQLToken], in text: [UInt8]) -> Bool {
        guard index > 0 else { return false }
        let previous = tokens[index - 1]
        if previous.kind == .word { return SQLBytes.matches(text, previous.start..<previous.end, "LANGUAGE") }
        guard previous.kind == .openParen, index > 1, tokens[index - 2].isName else { return false }
        return SQLBytes.matches(text, SQLConstant.content(of: tokens[index - 2], in: text), "SET_CONFIG")
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
        case .word: text.withUnsafeBufferPointer { for index in range { bytes.append(SQLBytes.upper($0[index])) } }
        case .unicodeName: appendQuoted(SQLConstant.decodedName(token, in: text), to: &bytes)
        case .quotedName:
            bytes.append(contentsOf: text[range])
            if !token.isClosed { bytes.append(SQLBytes.doubleQuote) }
        case _ where token.isLiteral: bytes.append(contentsOf: "'?'".utf8)
        case .semicolon: bytes.append(SQLBytes.semicolon)
        default: text.withUnsafeBufferPointer { for index in range { bytes.append($0[index]) } }
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

    /// Valid UTF-8 of at most the limit: bytes that are none become longer.
    private static func cut(_ bytes: [UInt8]) -> [UInt8] {
        if bytes.count <= limit, bytes.allSatisfy({ $0 < 0x80 }) { return bytes }
        let shape = Array(String(decoding: bytes, as: UTF8.self).utf8)
        guard shape.count > limit else { return shape }
        var length = limit
        while length > 0, shape[length] & 0xC0 == 0x80 { length -= 1 }
        return Array(shape[..<length])
    }
}
