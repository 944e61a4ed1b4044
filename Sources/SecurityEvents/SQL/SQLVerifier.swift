/// Password verifiers as the server stores them: `SCRAM-SHA-256$…` and `md5` with 32 hexadecimal digits
/// (manual "pg_authid").
enum SQLVerifier {
    /// The end of the verifier that starts at a place; `nil` when none starts there.
    static func end(in text: [UInt8], at start: Int) -> Int? {
        if start > 0, isPart(text[start - 1]) { return nil }
        return endOfScram(text, start) ?? endOfHash(text, start)
    }

    private static func endOfScram(_ text: [UInt8], _ start: Int) -> Int? {
        let prefix = start + 14
        guard prefix < text.count, SQLBytes.matches(text, start..<prefix, "SCRAM-SHA-256$") else { return nil }
        var end = prefix
        while end < text.count, isPart(text[end]) || isSeparator(text[end]) { end += 1 }
        return end > prefix ? end : nil
    }

    private static func endOfHash(_ text: [UInt8], _ start: Int) -> Int? {
        let digits = start + 3
        let end = digits + 32
        guard end <= text.count, SQLBytes.matches(text, start..<digits, "MD5") else { return nil }
        for index in digits..<end where SQLBytes.hexValue(text[index]) == nil { return nil }
        return end == text.count || !isPart(text[end]) ? end : nil
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        SQLBytes.isLetter(byte) || SQLBytes.isDigit(byte)
    }

    /// The rest of what base 64 and the verifier's fields are made of.
    private static func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "+"), SQLBytes.slash, SQLBytes.equals, SQLBytes.colon, SQLBytes.dollar: true
        default: false
        }
    }
}
