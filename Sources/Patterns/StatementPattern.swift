import VigilModel

/// Says what a statement means. All that is given must hold. A class, so that looking at one costs nothing.
public final class StatementPattern: Sendable {
    /// Name of the pattern, unique in the catalogue.
    public let id: String
    /// What it recognises, for people.
    public let description: String
    /// The file and line it stands at.
    public let place: String
    /// Command tags; one that ends in ` *` stands for all that start so, `query` for all that run expressions.
    public let commands: [String]
    /// One of these words must stand anywhere in the text, also in constants: looked for before the SQL is read.
    public let words: Set<String>
    /// A text without comments and escapes in which one of these words stands outside of constants and parentheses is
    /// none of it: told before the SQL is read.
    public let unless: Set<String>
    /// One of these functions must be called.
    public let calls: Set<String>
    /// One of these names must stand in it.
    public let names: Set<String>
    /// What must match the type and name of its object, as in `parameter log_statement`.
    public let object: Regex?
    /// PCRE2 over the statement's normal form (keywords upper-case, literals as `?`, quoted names quoted).
    public let shape: Regex?
    /// What must match one of its constants.
    public let literal: Regex?
    /// The secret that must stand in it: `password` or `hash`.
    public let secret: String?
    /// The values of its parameters must have been logged.
    public let needsParameters: Bool
    /// It is about a text, not about what the text would do: it holds for one that the server could not parse, too.
    public let isAboutText: Bool
    /// What follows.
    public let kind: EventKind

    init(
        id: String, description: String, place: String, commands: [String], words: Set<String>, unless: Set<String>,
        calls: Set<String>, names: Set<String>, object: Regex?, shape: Regex?, literal: Regex?, secret: String?,
        needsParameters: Bool, isAboutText: Bool, kind: EventKind
    ) {
        self.id = id
        self.description = description
        self.place = place
        self.commands = commands
        self.words = words
        self.unless = unless
        self.calls = calls
        self.names = names
        self.object = object
        self.shape = shape
        self.literal = literal
        self.secret = secret
        self.needsParameters = needsParameters
        self.isAboutText = isAboutText
        self.kind = kind
    }

    /// True when the command is one of those named.
    public func isMeant(command: String) -> Bool {
        for pattern in commands {
            if pattern == command || (pattern.hasSuffix(" *") && command.hasPrefix(pattern.dropLast())) { return true }
            if pattern == StatementPattern.query, StatementPattern.runsExpressions(command) { return true }
        }
        return false
    }

    /// True when it can be told from the words of a text that the pattern does not fit. Names and calls are such words.
    public var firstLook: Set<String> { words.union(calls).union(names) }

    /// True when its normal form must end in an empty `--`, which cuts off what follows.
    public var asksForCutOff: Bool {
        guard let source = shape?.source else { return false }
        return source.hasSuffix(" --$") && !source.contains("|") && !source.contains("(?")
    }

    /// True when the command alone does not tell.
    public var asksForText: Bool {
        !firstLook.isEmpty || !unless.isEmpty || object != nil || shape != nil || literal != nil || secret != nil
            || needsParameters
    }

    /// The word for all commands that run expressions.
    static let query = "query"

    /// False for those that only name functions and tables: `GRANT EXECUTE ON FUNCTION f` calls nothing. Bodies of
    /// functions are read for themselves.
    private static func runsExpressions(_ command: String) -> Bool {
        switch command {
        case "", "GRANT", "REVOKE", "GRANT ROLE", "REVOKE ROLE", "COMMENT", "SECURITY LABEL", "ALTER FUNCTION",
            "ALTER PROCEDURE", "ALTER ROUTINE", "ALTER AGGREGATE", "ALTER EXTENSION", "ALTER DEFAULT PRIVILEGES",
            "CREATE FUNCTION", "CREATE PROCEDURE", "CREATE AGGREGATE", "CREATE CAST", "CREATE OPERATOR", "VACUUM",
            "ANALYZE", "REINDEX", "CLUSTER":
            false
        default: !command.hasPrefix("DROP ")
        }
    }
}
