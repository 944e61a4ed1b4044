/// Finds the secrets in SQL text and in what its constants and comments hold.
struct SQLSecretFinder {
    /// How deep constants within constants are read as SQL; below that only connection strings and the like are
    /// looked for. Each level is read once, so the time stays in proportion to the length.
    private static let depthLimit = 4

    private let text: [UInt8]
    private let depth: Int
    private var lexer: SQLLexer
    private var context: SQLSecretContext
    private(set) var ranges: [Range<Int>] = []
    /// Constants, comments and quoted names: what stands in them has been looked at.
    private var zones: [Range<Int>] = []
    private var code = SQLCodeGuess()

    private init(_ text: [UInt8], depth: Int) {
        self.text = text
        self.depth = depth
        lexer = SQLLexer(text)
        context = SQLSecretContext(text)
    }

    /// The ranges of the secrets in the text of a query, in order and without overlaps.
    static func secrets(in text: [UInt8]) -> [Range<Int>] {
        guard SQLSecretHint.mayHold(query: text) else { return [] }
        return thorough(in: text)
    }

    /// The same without a first look.
    static func thorough(in text: [UInt8]) -> [Range<Int>] {
        var finder = SQLSecretFinder(text, depth: 0)
        finder.readTokens()
        return merged(finder.ranges)
    }

    /// The secrets in what a constant or comment holds, and whether it ends where a password has to follow.
    private static func secrets(inContent text: [UInt8], depth: Int) -> (ranges: [Range<Int>], isPasswordDue: Bool) {
        if SQLVerifier.end(in: text, at: 0) == text.count { return ([0..<text.count], false) }
        guard depth <= depthLimit else {
            var plain = SQLEmbeddedSecrets(text)
            plain.scan()
            return (merged(plain.ranges), false)
        }
        var finder = SQLSecretFinder(text, depth: depth)
        finder.readTokens()
        var embedded = SQLEmbeddedSecrets(text, zones: finder.zones, isCode: finder.code.isCode)
        embedded.scan()
        var found = finder.ranges + embedded.ranges
        if !finder.code.isCode, hasDashes(text) {
            // What reads as a comment of SQL is an option of a command line: `curl --user a:b …`.
            var options = SQLEmbeddedSecrets(text)
            options.scan()
            found += options.ranges
        }
        return (merged(found), finder.context.endsBeforePassword)
    }

    private static func hasDashes(_ text: [UInt8]) -> Bool {
        zip(text, text.dropFirst()).contains { $0 == SQLBytes.dash && $1 == SQLBytes.dash }
    }

    // MARK: Tokens

    private mutating func readTokens() {
        while let token = lexer.next() {
            if token.kind == .comment {
                readContent(of: token)
                continue
            }
            code.follow(token, in: text)
            if token.isLiteral {
                readLiteral(token)
            } else if context.isBareSecret(token) {
                takeBareSecret(token)
            } else if token.kind == .quotedName {
                readQuotedName(token)
            }
            context.follow(token)
        }
    }

    private mutating func readLiteral(_ token: SQLToken) {
        guard context.isSecretNext else { return readContent(of: token) }
        let content = SQLConstant.content(of: token, in: text)
        addZone(token)
        take(content)
        // EXECUTE '… PASSWORD ''' || secret, format('… PASSWORD ''%s''', secret): it comes in a later constant.
        let isPlaceholder = content.count < 8 && text[content].first == UInt8(ascii: "%")
        if depth > 0, isPlaceholder || (content.isEmpty && !token.isClosed) { context.expectPassword() }
    }

    /// Takes all tokens that follow without a blank; as whole tokens go, the rest reads as before.
    private mutating func takeBareSecret(_ token: SQLToken) {
        var end = token.end
        while let next = following(end) { end = next }
        take(token.start..<end)
        lexer.position = end
    }

    private func following(_ end: Int) -> Int? {
        guard end < text.count, !SQLBytes.isSpace(text[end]) else { return nil }
        var ahead = lexer
        ahead.position = end
        guard let next = ahead.next(), next.kind != .semicolon, next.kind != .comma, next.kind != .comment
        else { return nil }
        return next.end
    }

    private mutating func readQuotedName(_ token: SQLToken) {
        let content = SQLConstant.content(of: token, in: text)
        zones.append(token.start..<token.end)
        guard SQLSecretHint.mayHold(text, content) else { return }
        var embedded = SQLEmbeddedSecrets(Array(text[content]))
        embedded.scan()
        for range in embedded.ranges {
            take(range.lowerBound + content.lowerBound..<range.upperBound + content.lowerBound)
        }
    }

    private mutating func readContent(of token: SQLToken) {
        addZone(token)
        let content = SQLConstant.content(of: token, in: text)
        guard token.kind == .unicodeString || SQLSecretHint.mayHold(text, content) else { return }
        let decoded = SQLConstant.decoded(token, in: text, unicodeEscape: unicodeEscape(for: token))
        let inner = Self.secrets(inContent: decoded.bytes, depth: depth + 1)
        for range in inner.ranges { take(decoded.source(of: range)) }
        if inner.isPasswordDue, token.kind != .comment { context.expectPassword() }
    }

    /// Leaves out what an apostrophe makes look like a constant, as in `it's password=a'b`.
    private mutating func addZone(_ token: SQLToken) {
        if token.kind == .string || token.kind == .escapeString {
            if token.start > 0, SQLBytes.continuesName(text[token.start - 1]) { return }
            if token.end < text.count, SQLBytes.continuesName(text[token.end]) { return }
        }
        zones.append(token.start..<token.end)
    }

    /// The escape character that UESCAPE behind a constant sets (manual 4.1.2.3).
    private func unicodeEscape(for token: SQLToken) -> UInt8 {
        guard token.kind == .unicodeString else { return SQLBytes.backslash }
        var ahead = lexer
        guard let word = ahead.nextSignificant(), SQLBytes.matches(text, word.start..<word.end, "UESCAPE"),
            let escape = ahead.nextSignificant(), escape.kind == .string
        else { return SQLBytes.backslash }
        let content = SQLConstant.content(of: escape, in: text)
        return content.count == 1 ? text[content.lowerBound] : SQLBytes.backslash
    }

    private mutating func take(_ range: Range<Int>) {
        if !range.isEmpty { ranges.append(range) }
    }

    private static func merged(_ ranges: [Range<Int>]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, range.lowerBound < last.upperBound {
                result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }
}
