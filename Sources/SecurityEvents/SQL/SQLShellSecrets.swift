/// Finds passwords in the command lines that statements and settings hold: behind options, behind `-u NAME:`, in headers
/// of HTTP.
///
/// Source: manual pages curl(1), wget(1), sshpass(1), mysql(1); RFC 9110 11.6.2 (Authorization).
enum SQLShellSecrets {
    /// Options whose value is a secret, without their dashes; `=` behind one is seen to elsewhere.
    private static let options = [
        "PASSWORD", "PASSWD", "PASSPHRASE", "PASS", "TOKEN", "SECRET", "API-KEY", "APIKEY", "ACCESS-KEY", "SECRET-KEY",
        "HTTP-PASSWORD", "PROXY-PASSWORD", "FTP-PASSWORD", "OAUTH2-BEARER",
    ]
    /// Options whose value is a name, a colon and a secret.
    private static let pairs = ["USER", "PROXY-USER"]
    /// Headers whose value is a secret, by how they end.
    private static let headers = [
        "AUTHORIZATION", "API-KEY", "AUTH-TOKEN", "PRIVATE-TOKEN", "ACCESS-TOKEN", "VAULT-TOKEN", "SECRET",
    ]
    /// Commands that take a password attached to `-p`.
    private static let attached = [
        "MYSQL", "MYSQLDUMP", "MYSQLADMIN", "MYSQLIMPORT", "MARIADB", "MARIADB-DUMP", "SSHPASS",
    ]

    /// The secret behind an option that starts at a dash; nil when there is none.
    static func behindOption(_ text: [UInt8], at start: Int) -> Range<Int>? {
        guard start == 0 || SQLBytes.isSpace(text[start - 1]) || isQuote(text[start - 1]) else { return nil }
        var end = start
        // Up to a quote, too: a text of nothing but dashes and quotes must not be gone over again from each of them.
        while end < text.count, !SQLBytes.isSpace(text[end]), text[end] != SQLBytes.equals, !isQuote(text[end]) {
            end += 1
        }
        let isLong = start + 1 < end && text[start + 1] == SQLBytes.dash
        let name = (start + (isLong ? 2 : 1))..<end
        guard !name.isEmpty else { return nil }
        if !isLong {
            // `curl -u NAME:SECRET`, `-su NAME:SECRET`, `-uNAME:SECRET`.
            if name.count <= 3, text[name.upperBound - 1] | 0x20 == UInt8(ascii: "u") {
                return pair(text, value(text, behind: end))
            }
            if text[name.lowerBound] == UInt8(ascii: "u") { return pair(text, name.dropFirst()) }
            // `redis-cli -a SECRET`.
            if SQLBytes.matches(text, name, "A"), precedes(text, start, ["REDIS-CLI"]) {
                return value(text, behind: end)
            }
            // `mysql -pSECRET`, `sshpass -p SECRET`.
            guard text[name.lowerBound] == UInt8(ascii: "p") else { return nil }
            if name.count > 1 { return precedes(text, start, attached) ? name.dropFirst() : nil }
            return precedes(text, start, ["SSHPASS"]) ? value(text, behind: end) : nil
        }
        if pairs.contains(where: { SQLBytes.matches(text, name, $0) }) { return pair(text, value(text, behind: end)) }
        // With an equals sign it is one more `password=…`.
        guard end < text.count, text[end] != SQLBytes.equals,
            options.contains(where: { SQLBytes.matches(text, name, $0) })
        else { return nil }
        return value(text, behind: end)
    }

    /// The secret behind the colon of a header; nil when the name before it is no such header's.
    static func behindHeader(_ text: [UInt8], colon: Int) -> Range<Int>? {
        let isHeader = headers.contains { name in
            let start = colon - name.utf8.count
            return start >= 0 && SQLBytes.matches(text, start..<colon, name)
        }
        guard isHeader else { return nil }
        var start = colon + 1
        while start < text.count, text[start] == UInt8(ascii: " ") { start += 1 }
        // Behind the scheme; the token ends with the header's quotes, or the line.
        for scheme in ["BEARER ", "BASIC ", "TOKEN ", "DIGEST "] {
            let end = start + scheme.utf8.count
            if end <= text.count, SQLBytes.matches(text, start..<end, scheme) { start = end }
        }
        let end = text[min(start, text.count)...].firstIndex { isQuote($0) || $0 == SQLBytes.newline } ?? text.count
        return start < end ? start..<end : nil
    }

    private static func isQuote(_ byte: UInt8) -> Bool { byte == SQLBytes.quote || byte == SQLBytes.doubleQuote }

    /// The word behind a place, its quotes excluded; quotes in a constant are doubled.
    private static func value(_ text: [UInt8], behind place: Int) -> Range<Int>? {
        var start = place
        while start < text.count, SQLBytes.isSpace(text[start]) || text[start] == SQLBytes.equals { start += 1 }
        var quotes = 0
        while start < text.count, isQuote(text[start]), quotes < 2 {
            start += 1
            quotes += 1
        }
        let end = text[start...].firstIndex { quotes > 0 ? isQuote($0) : SQLBytes.isSpace($0) || isQuote($0) }
        let value = start..<(end ?? text.count)
        return value.isEmpty ? nil : value
    }

    /// What stands behind the first colon of a word.
    private static func pair(_ text: [UInt8], _ word: Range<Int>?) -> Range<Int>? {
        guard let word, let colon = text[word].firstIndex(of: SQLBytes.colon), colon + 1 < word.upperBound else {
            return nil
        }
        // A host and a path, or a URI, are no name and password.
        let isPath = text[colon + 1] == SQLBytes.slash
        return isPath ? nil : colon + 1..<word.upperBound
    }

    /// True when the command line, up to the place, has one of these commands as its last but options.
    private static func precedes(_ text: [UInt8], _ place: Int, _ commands: [String]) -> Bool {
        let from = max(0, place - 256)
        return text[from..<place].split(whereSeparator: { SQLBytes.isSpace($0) || isQuote($0) || $0 == SQLBytes.slash })
            .contains { word in commands.contains { SQLBytes.matches(text, word.indices, $0) } }
    }
}
