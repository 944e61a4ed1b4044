/// A kind of object that commands name, with the words that name it (manual part VI "SQL Commands").
struct SQLObjectKind {
    /// The commands that know the kind.
    struct Verbs: OptionSet {
        let rawValue: UInt8
        static let create = Verbs(rawValue: 1)
        static let alter = Verbs(rawValue: 2)
        static let drop = Verbs(rawValue: 4)
        static let grant = Verbs(rawValue: 8)
        /// COMMENT ON and SECURITY LABEL ON.
        static let comment = Verbs(rawValue: 16)
        static let all: Verbs = [.create, .alter, .drop, .comment]
    }

    let words: [String]
    /// The kind in a command tag: `ROLE` for `USER`.
    let tag: String
    /// The kind in `SQLStatement.objectType`.
    let type: String
    let verbs: Verbs

    init(_ words: String, _ verbs: Verbs, tag: String? = nil) {
        self.words = words.split(separator: " ").map(String.init)
        self.tag = tag ?? words
        self.type = (tag ?? words).lowercased()
        self.verbs = verbs
    }

    /// Kinds of several words stand before those of their first word alone.
    private static let kinds: [SQLObjectKind] = [
        SQLObjectKind("ACCESS METHOD", [.create, .drop, .comment]),
        SQLObjectKind("AGGREGATE", .all),
        SQLObjectKind("CAST", [.create, .drop, .comment]),
        SQLObjectKind("COLLATION", .all),
        SQLObjectKind("COLUMN", .comment),
        SQLObjectKind("CONSTRAINT", .comment),
        SQLObjectKind("CONVERSION", .all),
        SQLObjectKind("DATABASE", [.all, .grant]),
        SQLObjectKind("DOMAIN", [.all, .grant]),
        SQLObjectKind("EVENT TRIGGER", .all),
        SQLObjectKind("EXTENSION", .all),
        SQLObjectKind("FOREIGN DATA WRAPPER", [.all, .grant]),
        SQLObjectKind("FOREIGN SERVER", .grant, tag: "SERVER"),
        SQLObjectKind("FOREIGN TABLE", .all),
        SQLObjectKind("FUNCTION", [.all, .grant]),
        SQLObjectKind("GROUP", [.create, .alter, .drop], tag: "ROLE"),
        SQLObjectKind("INDEX", .all),
        SQLObjectKind("LANGUAGE", [.all, .grant]),
        SQLObjectKind("LARGE OBJECT", [.alter, .comment, .grant]),
        SQLObjectKind("MATERIALIZED VIEW", .all),
        SQLObjectKind("OPERATOR CLASS", .all),
        SQLObjectKind("OPERATOR FAMILY", .all),
        SQLObjectKind("OPERATOR", .all),
        SQLObjectKind("PARAMETER", .grant),
        SQLObjectKind("POLICY", .all),
        SQLObjectKind("PROCEDURE", [.all, .grant]),
        SQLObjectKind("PUBLICATION", .all),
        SQLObjectKind("ROLE", .all),
        SQLObjectKind("ROUTINE", [.alter, .drop, .comment, .grant]),
        SQLObjectKind("RULE", .all),
        SQLObjectKind("SCHEMA", [.all, .grant]),
        SQLObjectKind("SEQUENCE", [.all, .grant]),
        SQLObjectKind("SERVER", .all),
        SQLObjectKind("STATISTICS", .all),
        SQLObjectKind("SUBSCRIPTION", .all),
        SQLObjectKind("TABLE", [.all, .grant]),
        SQLObjectKind("TABLESPACE", [.all, .grant]),
        SQLObjectKind("TEXT SEARCH CONFIGURATION", .all),
        SQLObjectKind("TEXT SEARCH DICTIONARY", .all),
        SQLObjectKind("TEXT SEARCH PARSER", .all),
        SQLObjectKind("TEXT SEARCH TEMPLATE", .all),
        SQLObjectKind("TRANSFORM", [.create, .drop, .comment]),
        SQLObjectKind("TRIGGER", .all),
        SQLObjectKind("TYPE", [.all, .grant]),
        SQLObjectKind("USER MAPPING", [.create, .alter, .drop]),
        SQLObjectKind("USER", [.create, .alter, .drop], tag: "ROLE"),
        SQLObjectKind("VIEW", .all),
    ]

    private static let kindsByFirstWord = Dictionary(grouping: kinds) { $0.words.first ?? "" }

    /// Steps over the words of a kind that the command knows, and gives it.
    static func take(from cursor: inout SQLCursor, for verb: Verbs) -> SQLObjectKind? {
        for kind in kindsByFirstWord[cursor.keyword()] ?? [] where kind.verbs.contains(verb) {
            // `CREATE USER mapping` makes a user of that name; a user mapping has FOR or IF next.
            if kind.tag == "USER MAPPING", !cursor.isWord("FOR", ahead: 2), !cursor.isWord("IF", ahead: 2) { continue }
            if cursor.takeAll(kind.words) { return kind }
        }
        return nil
    }
}
