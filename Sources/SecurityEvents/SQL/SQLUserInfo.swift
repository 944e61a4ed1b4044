/// Finds the password in `scheme://user:password@host` (manual "Connection URIs", RFC 3986 3.2.1).
struct SQLUserInfo {
    /// The end of the word last looked at and its last `@`, so that a word of many URIs is read once only.
    private var wordEnd = 0
    private var lastAt: Int?

    /// The password's range when user info with one starts at `start`, right behind `://`.
    mutating func secret(in text: [UInt8], at start: Int) -> Range<Int>? {
        readWord(in: text, from: start)
        var colon: Int?
        var at: Int?
        var index = start
        while index < wordEnd, !Self.endsAuthority(text[index]) {
            if text[index] == SQLBytes.colon, colon == nil { colon = index }
            if text[index] == UInt8(ascii: "@") { at = index }
            index += 1
        }
        // A bracket starts the address of a host (IPv6), not a user name.
        guard let colon, text[start] != UInt8(ascii: "[") else { return nil }
        if at == nil, !Self.isPort(text, colon + 1..<index) {
            // A password with `/`, `?` or `#` in it, which should have been escaped.
            at = lastAt
        }
        guard let at, at > colon else { return nil }
        return colon + 1..<at
    }

    private mutating func readWord(in text: [UInt8], from start: Int) {
        guard start >= wordEnd else { return }
        lastAt = nil
        wordEnd = start
        while wordEnd < text.count, !SQLBytes.isSpace(text[wordEnd]) {
            if text[wordEnd] == UInt8(ascii: "@") { lastAt = wordEnd }
            wordEnd += 1
        }
    }

    private static func endsAuthority(_ byte: UInt8) -> Bool {
        byte == SQLBytes.slash || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    private static func isPort(_ text: [UInt8], _ range: Range<Int>) -> Bool {
        range.count <= 5 && text[range].allSatisfy(SQLBytes.isDigit)
    }
}
