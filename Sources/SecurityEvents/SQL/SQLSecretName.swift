/// What a name tells about the value given to it.
struct SQLSecretName: Equatable {
    /// Holds `password`, `secret`, `token`, `key` or the like anywhere.
    var holdsWord = false
    /// Ends in one of them; with another ending it is about them, as `password_required` and `token_type` are.
    var endsInWord = false
    /// Ends in `key`, which has many harmless meanings.
    var endsInKey = false
    /// Is the key word PASSWORD.
    var isPassword = false
    /// A parameter of the server or of a password checking module whose value is no secret.
    var isHarmless = false

    static let none = SQLSecretName()

    /// The server cuts names to 63 bytes.
    private static let limit = 128

    /// The words, with which a name must hold or end.
    private static let words = ["PASSWORD", "PASSWD", "PASSCODE", "PASSPHRASE", "PWD", "SECRET", "TOKEN", "KEY"]

    private static let harmless = [
        "PASSWORD_ENCRYPTION", "MD5_PASSWORD_WARNINGS", "SSL_KEY_FILE", "KRB_SERVER_KEYFILE", "SSL_PASSPHRASE_COMMAND",
        "PASSWORDCHECK", "CREDCHECK",
    ]

    init() {}

    init(_ text: [UInt8], _ range: Range<Int>) {
        let range = range.lowerBound..<min(range.upperBound, range.lowerBound + Self.limit)
        for index in range where Self.mayStartWord(text[index]) {
            for word in Self.words where Self.hasWord(word, in: text, at: index, before: range.upperBound) {
                holdsWord = true
                if index + word.utf8.count == range.upperBound {
                    endsInWord = true
                    endsInKey = word == "KEY"
                    isPassword = index == range.lowerBound && (word == "PASSWORD" || word == "PASSWD")
                }
            }
        }
        isHarmless = Self.harmless.contains { SQLBytes.matches(text, range, $0) }
    }

    /// The name `self.next`: a parameter is called by all of its parts, a column by the last.
    func qualifying(_ next: SQLSecretName) -> SQLSecretName {
        var name = next
        name.holdsWord = holdsWord || next.holdsWord
        name.isHarmless = isHarmless || next.isHarmless
        return name
    }

    private static func mayStartWord(_ byte: UInt8) -> Bool {
        switch byte | 0x20 {
        case UInt8(ascii: "p"), UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "k"): true
        default: false
        }
    }

    private static func hasWord(_ word: String, in text: [UInt8], at index: Int, before end: Int) -> Bool {
        let stop = index + word.utf8.count
        return stop <= end && SQLBytes.matches(text, index..<stop, word)
    }
}
