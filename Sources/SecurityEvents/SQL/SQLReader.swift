/// Reads the text of a query string: what statements it holds, and the same text without its secrets.
///
/// Both functions take any bytes whatever and always give an answer: text cut off in the middle, unbalanced quotes,
/// zero bytes and invalid UTF-8 are read as far as they go. Their time grows with the length of the text only.
public enum SQLReader {
    /// Gives the statements in a query string, in their order, and the facts of each.
    ///
    /// Takes the bytes of the string and the greatest number of statements to give; reading stops there. Empty
    /// statements are left out. Text that ends inside a constant or comment is taken to end there.
    ///
    /// Source: manual 4.1 "Lexical Structure" (with `standard_conforming_strings = on`), "Multiple
    /// Statements in a Simple Query" and the pages of part VI "SQL Commands".
    public static func statements(in text: [UInt8], limit: Int = 1000) -> [SQLStatement] {
        var splitter = SQLSplitter(text)
        var found: [SQLStatement] = []
        while found.count < limit, let tokens = splitter.nextStatement() {
            guard let first = tokens.first, let last = tokens.last else { continue }
            found.append(
                SQLStatement(
                    range: first.start..<last.end, facts: SQLCommandReader.facts(of: tokens, in: text), text: text,
                    tokens: tokens, isCutOff: isCutOff(text, behind: last.end)))
        }
        return found
    }

    /// True when nothing but an empty `--` follows.
    private static func isCutOff(_ text: [UInt8], behind end: Int) -> Bool {
        var index = end
        while index < text.count, SQLBytes.isSpace(text[index]) || text[index] == SQLBytes.semicolon { index += 1 }
        guard index + 1 < text.count, text[index] == SQLBytes.dash, text[index + 1] == SQLBytes.dash else {
            return false
        }
        // What an injected text was to cut off begins with the quote or parenthesis that it was put into.
        let rest = text[(index + 2)...].drop { byte in
            SQLBytes.isSpace(byte) || byte == SQLBytes.quote || byte == UInt8(ascii: ")")
        }
        return rest.isEmpty
    }

    /// Gives the text with its secrets replaced by `<redacted>`; every other byte stays as it is.
    ///
    /// Gone are passwords, keys, tokens and password verifiers, also where they stand in SQL or connection strings
    /// inside constants, function bodies and comments. The quotes of a constant stay. Redacting twice changes
    /// nothing more.
    ///
    /// Source: manual pages CREATE ROLE, CREATE USER MAPPING, SET, "Connection Strings" (libpq),
    /// "SASL Authentication", "pgcrypto".
    public static func redacted(_ text: [UInt8]) -> [UInt8] {
        SQLRedactor.redact(text)
    }

    /// The secrets that `redacted` takes out of a text at first sight, as they were meant: a doubled quote is one.
    static func secrets(in text: [UInt8]) -> [[UInt8]] { plain(SQLSecretFinder.secrets(in: text), text) }

    /// The secrets that `redacted(message:)` takes out.
    static func secrets(inMessage text: [UInt8]) -> [[UInt8]] { plain(SQLRedactor.secrets(inMessage: text), text) }

    private static func plain(_ ranges: [Range<Int>], _ text: [UInt8]) -> [[UInt8]] {
        ranges.map { range in
            var secret: [UInt8] = []
            var index = range.lowerBound
            while index < range.upperBound {
                secret.append(text[index])
                let isDoubled =
                    text[index] == SQLBytes.quote && index + 1 < range.upperBound
                    && text[index + 1] == SQLBytes.quote
                index += isDoubled ? 2 : 1
            }
            return secret
        }
    }

    /// Gives a message of the server without the secrets that it repeats: connection strings, as in `parameter
    /// "primary_conninfo" changed to "…"`, and password verifiers.
    public static func redacted(message: String) -> String {
        SQLRedactor.redact(message: message)
    }
}
