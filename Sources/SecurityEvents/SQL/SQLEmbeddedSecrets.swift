/// Finds secrets in text that is no SQL: connection strings, URIs, JSON, password verifiers.
///
/// Source: manual "Connection Strings" (keyword/value and URI), "pg_authid" (the two verifiers).
struct SQLEmbeddedSecrets {
    private let text: [UInt8]
    /// Ranges that are looked through on their own: constants and comments of SQL in the text.
    private let zones: [Range<Int>]
    /// The text is SQL, in which `password = x` is a comparison.
    private let isCode: Bool
    private var zone = 0
    private var index = 0
    private var word = SQLUserInfo()
    private(set) var ranges: [Range<Int>] = []

    init(_ text: [UInt8], zones: [Range<Int>] = [], isCode: Bool = false) {
        self.text = text
        self.zones = zones
        self.isCode = isCode
    }

    mutating func scan() {
        while index < text.count {
            if isInZone() { continue }
            switch text[index] {
            case SQLBytes.equals: takeKeyValue()
            case SQLBytes.colon: takeColon()
            case SQLBytes.dash where !isCode: takeOption()
            case UInt8(ascii: "S"), UInt8(ascii: "s"), UInt8(ascii: "m"): takeVerifier()
            default: index += 1
            }
        }
    }

    /// Steps behind the zone that the place is in.
    private mutating func isInZone() -> Bool {
        while zone < zones.count, zones[zone].upperBound <= index { zone += 1 }
        guard zone < zones.count, zones[zone].contains(index) else { return false }
        index = zones[zone].upperBound
        return true
    }

    private mutating func takeVerifier() {
        guard let end = SQLVerifier.end(in: text, at: index) else {
            index += 1
            return
        }
        take(index..<end)
    }

    private mutating func take(_ range: Range<Int>) {
        if !range.isEmpty { ranges.append(range) }
        index = max(index + 1, range.upperBound)
    }

    // MARK: password=value

    private mutating func takeKeyValue() {
        let key = endOfTextBefore(index)
        let value = startOfText(from: index + 1)
        guard isSecretKey(endingAt: key), value < text.count else {
            index += 1
            return
        }
        let isQuoted = text[value] == SQLBytes.quote || text[value] == SQLBytes.doubleQuote
        if isCode {
            // The constants of SQL are tokens; what is left is a piece of a connection string without blanks.
            guard key == index, value == index + 1, !isQuoted, !isExpression(at: value) else {
                index += 1
                return
            }
        }
        take(isQuoted ? quotedValue(from: value) : bareValue(from: value, key: key))
    }

    private func isExpression(at value: Int) -> Bool {
        if [SQLBytes.dollar, SQLBytes.colon, UInt8(ascii: "("), UInt8(ascii: "?"), UInt8(ascii: "%")]
            .contains(text[value])
        {
            return true
        }
        var end = value
        while end < text.count, SQLBytes.continuesName(text[end]) || text[end] == SQLBytes.dot { end += 1 }
        return end < text.count && text[end] == UInt8(ascii: "(")
    }

    /// Up to the closing quote; a backslash keeps the next byte, a doubled quote stands for one.
    private func quotedValue(from start: Int) -> Range<Int> {
        let quote = text[start]
        var end = start + 1
        while end < text.count {
            if text[end] == quote {
                guard end + 1 < text.count, text[end + 1] == quote else { break }
                end += 2
            } else {
                end += text[end] == SQLBytes.backslash ? 2 : 1
            }
        }
        return start + 1..<min(end, text.count)
    }

    /// Up to a blank that has no backslash before it; in the query part of a URI up to `&`.
    private func bareValue(from start: Int, key: Int) -> Range<Int> {
        let isQuery = isQueryParameter(endingAt: key)
        var end = start
        while end < text.count, !SQLBytes.isSpace(text[end]) {
            if isQuery, text[end] == SQLBytes.ampersand { break }
            if isCode, text[end] == SQLBytes.semicolon { break }
            end += text[end] == SQLBytes.backslash ? 2 : 1
        }
        return start..<min(end, text.count)
    }

    private func isQueryParameter(endingAt end: Int) -> Bool {
        var start = end
        while start > 0, end - start < 64, SQLBytes.continuesName(text[start - 1]) { start -= 1 }
        return start > 0 && (text[start - 1] == SQLBytes.ampersand || text[start - 1] == UInt8(ascii: "?"))
    }

    private mutating func takeOption() {
        if let secret = SQLShellSecrets.behindOption(text, at: index) { take(secret) } else { index += 1 }
    }

    // MARK: scheme://user:secret@host and "password": "value"

    private mutating func takeColon() {
        if index + 2 < text.count, text[index + 1] == SQLBytes.slash, text[index + 2] == SQLBytes.slash {
            index += 3
            if let secret = word.secret(in: text, at: index) { take(secret) }
            return
        }
        if !isCode, let secret = SQLShellSecrets.behindHeader(text, colon: index) { return take(secret) }
        let quote = endOfTextBefore(index) - 1
        let value = startOfText(from: index + 1)
        guard quote > 0, value < text.count, isQuote(text[quote]), isQuote(text[value]), isSecretKey(endingAt: quote)
        else {
            index += 1
            return
        }
        take(quotedValue(from: value))
    }

    private func isQuote(_ byte: UInt8) -> Bool {
        byte == SQLBytes.doubleQuote || byte == SQLBytes.quote
    }

    // MARK: Names

    private static let keys = [
        "PASSWORD", "PASSWD", "PASSCODE", "PASSPHRASE", "PWD", "SECRET", "TOKEN", "SECRET_KEY", "ACCESS_KEY",
        "API_KEY", "APIKEY",
    ]

    private func isSecretKey(endingAt end: Int) -> Bool {
        Self.keys.contains { key in
            let start = end - key.utf8.count
            return start >= 0 && SQLBytes.matches(text, start..<end, key)
        }
    }

    private func endOfTextBefore(_ index: Int) -> Int {
        var index = index
        while index > 0, SQLBytes.isSpace(text[index - 1]) { index -= 1 }
        return index
    }

    private func startOfText(from index: Int) -> Int {
        var index = index
        while index < text.count, SQLBytes.isSpace(text[index]) { index += 1 }
        return index
    }
}
