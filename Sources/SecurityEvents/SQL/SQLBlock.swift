/// Reads the statements in the body of a DO block or a function: those of PL/pgSQL (manual "PL/pgSQL", "Basic
/// Statements", "Control Structures"), and those that it puts into constants behind EXECUTE.
///
/// What a variable or parameter holds is not known, so that this finds what is written out, and no more.
struct SQLBlock {
    /// How deep blocks and constants within them are read.
    private static let depthLimit = 3
    /// How many statements of a body are read.
    private static let limit = 100_000

    private let depth: Int
    private(set) var statements: [SQLStatement] = []

    private init(depth: Int) {
        self.depth = depth
    }

    /// The statements in the body that a DO, CREATE FUNCTION or CREATE PROCEDURE gives; none in another language.
    static func statements(in statement: SQLStatement) -> [SQLStatement] {
        var block = SQLBlock(depth: 0)
        block.read(bodyOf: statement)
        return block.statements
    }

    private mutating func read(bodyOf statement: SQLStatement) {
        let isDo = statement.command == "DO"
        guard isDo || statement.command == "CREATE FUNCTION" || statement.command == "CREATE PROCEDURE",
            depth < Self.depthLimit
        else { return }
        guard let language = Self.language(of: statement) ?? (isDo ? "plpgsql" : nil) else { return }
        guard language == "plpgsql" || language == "sql" else { return }
        for (index, token) in statement.tokens.enumerated() where token.isLiteral {
            let previous = index > 0 ? Self.word(statement.tokens[index - 1], in: statement.text) : ""
            // Of a function the body is the constant behind AS; a DO has no other one but its language.
            guard isDo ? previous != "LANGUAGE" : previous == "AS" else { continue }
            readBody(SQLConstant.decoded(token, in: statement.text, unicodeEscape: SQLBytes.backslash).bytes)
        }
    }

    private static func language(of statement: SQLStatement) -> String? {
        let tokens = statement.tokens
        for index in tokens.indices.dropLast() where word(tokens[index], in: statement.text) == "LANGUAGE" {
            let token = tokens[index + 1]
            let name =
                token.isLiteral
                ? SQLConstant.decoded(token, in: statement.text, unicodeEscape: SQLBytes.backslash).bytes
                : SQLConstant.decodedName(token, in: statement.text)
            return String(decoding: name.map(SQLBytes.lower), as: UTF8.self)
        }
        return nil
    }

    private mutating func readBody(_ text: [UInt8]) {
        var lexer = SQLLexer(text)
        var tokens: [SQLToken] = []
        while let token = lexer.nextSignificant(), statements.count < Self.limit {
            // A statement ends at its semicolon and behind what opens a list of statements.
            let isEnd = token.kind == .semicolon || Self.openers.contains(Self.word(token, in: text))
            if !isEnd || tokens.first.map({ Self.word($0, in: text) == "CREATE" }) ?? false, token.kind != .semicolon {
                tokens.append(token)
                continue
            }
            take(tokens, in: text)
            tokens.removeAll()
        }
        take(tokens, in: text)
    }

    private static let openers: Set<String> = ["BEGIN", "DECLARE", "THEN", "ELSE", "LOOP", "EXCEPTION"]

    private mutating func take(_ tokens: [SQLToken], in text: [UInt8]) {
        guard let first = tokens.first, let last = tokens.last else { return }
        let range = first.start..<last.end
        let verb = Self.word(first, in: text)
        if verb == "EXECUTE" || tokens.contains(where: { Self.word($0, in: text) == "EXECUTE" }) {
            readDynamic(tokens, in: text)
        }
        var facts = SQLCommandReader.facts(of: tokens, in: text)
        // PERFORM, assignments, conditions and loops run expressions as SELECT does.
        if facts.command.isEmpty || verb == "EXECUTE" { facts = SQLFacts(command: "SELECT") }
        let statement = SQLStatement(range: range, facts: facts, text: text, tokens: tokens)
        statements.append(statement)
        guard statement.command == "DO" else { return }
        readInner([statement])
    }

    /// The first constant behind EXECUTE, also when it is an argument of `format` or goes on with `||`.
    private mutating func readDynamic(_ tokens: [SQLToken], in text: [UInt8]) {
        guard depth < Self.depthLimit, let start = tokens.firstIndex(where: { Self.word($0, in: text) == "EXECUTE" }),
            let constant = tokens[start...].first(where: \.isLiteral)
        else { return }
        let sql = SQLConstant.decoded(constant, in: text, unicodeEscape: SQLBytes.backslash).bytes
        let inner = SQLReader.statements(in: Self.filled(sql), limit: Self.limit)
        statements += inner
        readInner(inner)
    }

    private mutating func readInner(_ inner: [SQLStatement]) {
        var block = SQLBlock(depth: depth + 1)
        for statement in inner { block.read(bodyOf: statement) }
        statements += block.statements
    }

    /// The blanks of `format` as what they stand for: `%L` a constant, `%I` and `%s` a name.
    private static func filled(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(UInt8(ascii: "%")) else { return text }
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "%"), index + 1 < text.count {
                switch text[index + 1] {
                case UInt8(ascii: "L"): result += Array("''".utf8)
                case UInt8(ascii: "I"), UInt8(ascii: "s"): result.append(UInt8(ascii: "x"))
                default: result += text[index...(index + 1)]
                }
                index += 2
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }

    private static func word(_ token: SQLToken, in text: [UInt8]) -> String {
        guard token.kind == .word, token.end - token.start <= 16 else { return "" }
        return String(decoding: text[token.start..<token.end].map(SQLBytes.upper), as: UTF8.self)
    }
}
