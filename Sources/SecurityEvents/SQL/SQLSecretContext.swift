/// Follows the tokens of SQL text and tells which of them are secrets because of what stands before them.
struct SQLSecretContext {
    private enum Place {
        case elsewhere
        /// Behind a name.
        case named(SQLSecretName)
        /// Behind a name and `=` or the like.
        case assigned(SQLSecretName)
        /// Behind a secret, which `||` and, in lists of SET, a comma may go on with.
        case valued(SQLSecretName)
    }

    private let text: [UInt8]
    private var place = Place.elsewhere
    private var calls = SQLCallStack()
    private var start = SQLStatementStart()
    private var previous: SQLToken?
    /// The name at hand is the first one behind SET.
    private var isBehindSet = false
    /// The name at hand stands where a role's options have PASSWORD.
    private var isRoleOption = false
    /// A SET has been read in a statement about a role.
    private var isBehindRoleSet = false
    /// UESCAPE has been read: what follows is the escape character of the constant before.
    private var isEscapeNext = false
    /// A constant has ended in PASSWORD: the password comes in a later one.
    private var isPasswordDue = false

    init(_ text: [UInt8]) {
        self.text = text
    }

    // MARK: Questions

    /// Whether a constant that comes next is a secret.
    var isSecretNext: Bool {
        if isEscapeNext { return false }
        if isPasswordDue || calls.isSecretArgument { return true }
        switch place {
        case .named(let name): return name.isPassword || isMisspelt || (calls.isInOptions && name.endsInWord)
        case .assigned(let name): return isSecretValue(of: name) || isMisspelt
        default: return false
        }
    }

    /// Whether a token that is no constant stands in a secret's place: a password without quotes is an error, but
    /// the statement is logged all the same.
    func isBareSecret(_ token: SQLToken) -> Bool {
        switch place {
        case .named(let name) where name.isPassword && start.isRole && isRoleOption:
            return !isPlaceholder(token) && !SQLStatementStart.isRoleOption(token, in: text)
        case .assigned(let name) where isBehindSet && start.setsParameter && isSecretValue(of: name):
            return (token.kind == .word && !isKeptValue(token)) || token.kind == .number
        default:
            return false
        }
    }

    /// Whether the text ends where a password would follow, in a statement or a piece of a statement about a role.
    var endsBeforePassword: Bool {
        if isPasswordDue { return true }
        guard case .named(let name) = place, name.isPassword else { return false }
        return start.isRole || (start.isOptions && text.last.map(SQLBytes.isSpace) ?? false)
    }

    /// `ALTER ROLE x PASWORD '…'`: an error that is logged with the password. The only other constants among a
    /// role's options are those of VALID UNTIL.
    private var isMisspelt: Bool {
        start.isRole && !isBehindRoleSet && calls.isEmpty && !(previous.map { isWord($0, "UNTIL") } ?? true)
    }

    private func isSecretValue(of name: SQLSecretName) -> Bool {
        if isBehindSet && start.setsParameter { return name.holdsWord && !name.isHarmless }
        return name.endsInWord && (!name.endsInKey || calls.isInOptions)
    }

    /// `%L` of format(), `$1`, `:name`, `?`, parentheses: no passwords.
    private func isPlaceholder(_ token: SQLToken) -> Bool {
        switch token.kind {
        case .word, .number, .quotedName, .unicodeName, .other: false
        case .symbol:
            [UInt8(ascii: "%"), SQLBytes.colon, UInt8(ascii: "?"), SQLBytes.equals, UInt8(ascii: "|")]
                .contains(text[token.start])
        default: true
        }
    }

    private func isKeptValue(_ token: SQLToken) -> Bool {
        ["DEFAULT", "ON", "OFF", "TRUE", "FALSE", "NONE", "NULL", "FROM"].contains { isWord(token, $0) }
    }

    // MARK: Following

    mutating func follow(_ token: SQLToken) {
        if token.kind == .semicolon { return startStatement() }
        isEscapeNext = previous?.kind == .unicodeString && isWord(token, "UESCAPE")
        switch token.kind {
        case .word where isEscapeNext: break
        case .word, .quotedName, .unicodeName: followName(token)
        case .symbol: followSymbol(token)
        case .dot: break
        case .comma: followComma()
        case .openParen: followOpening()
        case .closeParen:
            calls.close()
            place = .elsewhere
        case _ where token.isLiteral: followLiteral(token)
        default: place = .elsewhere
        }
        start.follow(token, in: text)
        previous = token
    }

    /// To be called when a constant turns out to hold SQL that goes on with a password.
    mutating func expectPassword() {
        isPasswordDue = true
    }

    private mutating func startStatement() {
        self = SQLSecretContext(text, keeping: calls)
    }

    private init(_ text: [UInt8], keeping calls: SQLCallStack) {
        self.text = text
        self.calls = calls
        self.calls.removeAll()
    }

    private mutating func followName(_ token: SQLToken) {
        if token.kind == .word, case .named(let name) = place, previous?.kind != .dot {
            if ["TO", "LIKE", "ILIKE", "IN"].contains(where: { isWord(token, $0) }) {
                place = .assigned(name)
                return
            }
        }
        if start.count >= 3, isWord(token, "SET") { isBehindRoleSet = true }
        if isWord(token, "BY"), let previous, isWord(previous, "IDENTIFIED") {
            // Other servers' form of PASSWORD, an error here.
            isRoleOption = true
            place = .named(Self.password)
            return
        }
        var name = secretName(token)
        if previous?.kind == .dot, case .named(let qualifier) = place {
            name = qualifier.qualifying(name)
        } else {
            isBehindSet = previous.map { isWord($0, "SET") || (isBehindSet && isScope($0)) } ?? false
            isRoleOption = start.count == 3 || (previous.map(endsRoleOption) ?? false)
        }
        place = .named(name)
    }

    private mutating func followSymbol(_ token: SQLToken) {
        switch place {
        case .named(let name) where isAssignment(token): place = .assigned(name)
        case .valued(let name) where isSymbol(token, "||"): place = .assigned(name)
        case .named(let name) where name.isPassword && start.isRole && isSymbol(token, "%"):
            expectPassword()
            place = .elsewhere
        default: place = .elsewhere
        }
    }

    private mutating func followComma() {
        calls.nextArgument()
        if case .valued(let name) = place, isBehindSet, calls.isEmpty {
            place = .assigned(name)
        } else {
            place = .elsewhere
        }
    }

    private mutating func followOpening() {
        var isSecret = false
        if case .assigned(let name) = place { isSecret = isSecretValue(of: name) }
        let name = previous.flatMap { $0.isName ? nameRange($0) : nil }
        calls.open(behind: name, in: text, isSecret: isSecret)
        place = .elsewhere
    }

    private mutating func followLiteral(_ token: SQLToken) {
        if calls.expectsSettingName {
            let name = SQLConstant.decoded(token, in: text, unicodeEscape: SQLBytes.backslash).bytes
            let secret = SQLSecretName(name, 0..<name.count)
            if secret.holdsWord, !secret.isHarmless { calls.noteSecretSettingName() }
        }
        switch place {
        case .named(let name), .assigned(let name): place = .valued(name)
        case .valued where previous.map { isWord($0, "UESCAPE") } ?? false: break
        default: place = .elsewhere
        }
    }

    // MARK: Words

    private static let password: SQLSecretName = {
        var name = SQLSecretName()
        (name.holdsWord, name.endsInWord, name.isPassword) = (true, true, true)
        return name
    }()

    private func secretName(_ token: SQLToken) -> SQLSecretName {
        if token.kind == .unicodeName {
            let name = SQLConstant.decodedName(token, in: text)
            return SQLSecretName(name, 0..<name.count)
        }
        return SQLSecretName(text, nameRange(token))
    }

    private func nameRange(_ token: SQLToken) -> Range<Int> {
        SQLConstant.content(of: token, in: text)
    }

    private func endsRoleOption(_ token: SQLToken) -> Bool {
        token.isLiteral || token.kind == .number || SQLStatementStart.isRoleOption(token, in: text)
    }

    private func isScope(_ token: SQLToken) -> Bool {
        isWord(token, "LOCAL") || isWord(token, "SESSION")
    }

    private func isAssignment(_ token: SQLToken) -> Bool {
        ["=", ":=", "=>", "==", "<>", "!="].contains { isSymbol(token, $0) }
    }

    private func isWord(_ token: SQLToken, _ keyword: String) -> Bool {
        token.kind == .word && SQLBytes.matches(text, token.start..<token.end, keyword)
    }

    private func isSymbol(_ token: SQLToken, _ symbol: String) -> Bool {
        token.kind == .symbol && SQLBytes.matches(text, token.start..<token.end, symbol)
    }
}
