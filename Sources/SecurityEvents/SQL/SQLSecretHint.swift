/// Tells cheaply that most constants hold no secret, so that they need not be read as SQL.
enum SQLSecretHint {
    /// No form of a secret with what makes it one is shorter: `a://b:c@`, `passwd=x`.
    private static let shortest = 8

    /// False when the text holds no byte that is part of every form in which a secret is recognised: a quote, `=`,
    /// `:`, `$`, `\`, a dash behind a blank or at the start, and the words `password` and `md5`.
    static func mayHold(_ text: [UInt8], _ range: Range<Int>) -> Bool {
        guard range.count >= shortest else { return false }
        var previous: UInt8 = 0
        for index in range {
            let byte = text[index]
            switch byte {
            case SQLBytes.quote, SQLBytes.doubleQuote, SQLBytes.equals, SQLBytes.colon, SQLBytes.dollar,
                SQLBytes.backslash:
                return true
            case SQLBytes.dash:
                // An option of a command line.
                if index == range.lowerBound || SQLBytes.isSpace(text[index - 1]) { return true }
            case UInt8(ascii: "w"), UInt8(ascii: "W"), UInt8(ascii: "5"):
                if previous == UInt8(ascii: "s") || previous == UInt8(ascii: "d") { return true }
            default: break
            }
            previous = byte | 0x20
        }
        return false
    }
}
