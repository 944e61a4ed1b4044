import Patterns
import VigilModel

/// What a record must show to be a pattern's, as a condition on the fields that Pigsty ships.
struct RawPattern {
    let condition: RecordCondition
    private(set) var notes: [String] = []

    init(_ condition: RecordCondition) { self.condition = condition }

    private var dataset: LogDataset { condition.dataset }

    /// The condition; `notes` say afterwards where it is not quite the pattern's.
    mutating func translated() throws(NotExpressible) -> Condition {
        switch dataset {
        case .postgresql: return try ofServer()
        case .pgbouncer: return .and([.equals("app", ["pgbouncer"])] + (try poolerParts()))
        case .patroni, .pgbackrest: return .and(try parts(behind: RawPattern.heads[dataset] ?? ""))
        case .pgaudit, .haproxy: throw NotExpressible("Pigsty ships no \(dataset.name)")
        }
    }

    /// What may stand before the message, when the shipper leaves it there.
    private static let heads: [LogDataset: String] = [
        .patroni: #"(?:[-0-9]+ [0-9:.,]+ (?:\S+ )?[A-Z]+: )?"#,
        .pgbackrest: #"(?:(?:[-0-9]+ [0-9:.]+ )?P[0-9]+ +[A-Z]+: )?"#,
    ]

    // MARK: - The server's own log

    private mutating func ofServer() throws(NotExpressible) -> Condition {
        var parts: [Condition] = []
        let classes = condition.states.filter { $0.count == 2 }
        let states = condition.states.filter { $0.count != 2 }
        if !condition.states.isEmpty {
            parts.append(.or([.equals("code", states)] + classes.map { .test(field: "code", .starts($0)) }))
        }
        if !condition.severities.isEmpty { parts.append(.equals("lv", condition.severities.texts)) }
        if !condition.commandTags.isEmpty { parts.append(words("cmd", condition.commandTags.texts)) }
        // Records before PostgreSQL 13 have no such column.
        if !condition.backendTypes.isEmpty {
            let types = condition.backendTypes.texts.filter { $0 != "background process" }
            parts.append(.or([.equals("btype", types), .inverse(.has("btype"))]))
        }
        for column in condition.absent {
            parts.append(.inverse(.has(try RawColumns.field(column, of: dataset))))
        }
        if let about = condition.about {
            parts.append(try RawPattern.messages("msg", condition.messages, about: about.source))
        } else if !condition.messages.isEmpty {
            parts.append(RawPattern.messages("msg", condition.messages))
        }
        if !condition.messagesAboutUser.isEmpty {
            parts.append(aboutUser("msg", condition.messagesAboutUser, mayGoOn: true))
        }
        if !condition.detailsAboutUser.isEmpty {
            parts.append(aboutUser("detail", condition.detailsAboutUser, mayGoOn: true))
        }
        for (column, regex) in condition.expressions {
            parts.append(
                try PortableRegex.condition(regex.source, field: try RawColumns.field(column, of: dataset)))
        }
        return .and(parts)
    }

    private func words(_ field: String, _ words: [String]) -> Condition {
        let some = Condition.equals(field, words.filter { !$0.isEmpty })
        return words.contains("") ? .or([some, .inverse(.has(field))]) : some
    }

    /// A message with the record's own user in its blank: no engine compares the two.
    private mutating func aboutUser(_ field: String, _ templates: [MessageTemplate], mayGoOn: Bool) -> Condition {
        notes.append("the name in \(field) is not compared with the user of the record")
        let texts = templates.map { template in
            template.texts.map(PortableRegex.quoted).joined(separator: #"[^\n]*?"#)
        }
        return .test(field: field, .regex(PortableRegex(plain: #"^(?:\#(texts.joined(separator: "|")))(?:\n|$)"#)))
    }

    /// One of several messages, each by its beginning and its end.
    static func messages(_ field: String, _ templates: [MessageTemplate]) -> Condition {
        var exact: [String] = []
        var starts: [String] = []
        var whole: [String] = []
        for template in templates {
            let texts = template.texts
            if texts.count == 1 {
                exact.append(texts[0])
            } else if template.endsOpen {
                starts.append(texts[0])
            } else {
                let ends = [texts[0], texts[texts.count - 1]].map(PortableRegex.quoted)
                whole.append(ends.joined(separator: ".*") + "$")
            }
        }
        if starts.count == 1, whole.isEmpty {
            return .or([.equals(field, exact), .test(field: field, .starts(starts[0]))])
        }
        let expressions = starts.map(PortableRegex.quoted) + whole
        guard !expressions.isEmpty else { return .equals(field, exact) }
        let regex = PortableRegex(plain: "^(?:\(expressions.joined(separator: "|")))")
        return .or([.equals(field, exact), .test(field: field, .regex(regex))])
    }

    /// A message whose first argument an expression is about: the expression goes where the blank is.
    static func messages(
        _ field: String, _ templates: [MessageTemplate], about source: String
    ) throws(NotExpressible) -> Condition {
        guard source.hasPrefix("^"), PortableRegex.alternatives(source).count == 1 else {
            throw NotExpressible("what is asked of the name in a message does not begin with ^: \(source.prefix(60))")
        }
        let body = try PortableRegex(String(source.dropFirst()))
        var texts: [String] = []
        for template in templates {
            let pieces = template.texts.map(PortableRegex.quoted)
            let first = template.firstArgument
            guard pieces.count > first else { continue }
            let before = pieces[..<first].joined(separator: ".*?")
            // The end of the name is where the message goes on.
            texts.append(before + "(?:" + body.pattern.replacing("$", with: pieces[first]) + ")")
        }
        return .test(field: field, .regex(PortableRegex(plain: "^(?:\(texts.joined(separator: "|")))")))
    }

    // MARK: - Logs of other programs

    private static let levels: [String: [String]] = [
        "ERROR": ["err", "error", "ERROR"], "WARNING": ["warning", "warn", "WARNING"],
        "WARN": ["warning", "warn", "WARN"], "INFO": ["info", "INFO"], "DETAIL": ["detail", "debug", "DETAIL"],
        "CRITICAL": ["crit", "critical", "CRITICAL"],
    ]

    private func parts(behind head: String) throws(NotExpressible) -> [Condition] {
        var parts: [Condition] = []
        if !condition.severities.isEmpty {
            parts.append(
                .equals("level", condition.severities.texts.flatMap { RawPattern.levels[$0] ?? [$0.lowercased()] }))
        }
        guard condition.absent.isEmpty, condition.commandTags.isEmpty else {
            throw NotExpressible("columns of \(dataset.name) other than its message")
        }
        for (column, regex) in condition.expressions {
            let field = try RawColumns.field(column, of: dataset)
            parts.append(try RawPattern.behind(head, regex.source, field: field))
        }
        return parts
    }

    /// An expression for the beginning of a message, for a line in which more may come before it.
    private static func behind(
        _ head: String, _ source: String, field: String
    ) throws(NotExpressible) -> Condition {
        let choices = PortableRegex.alternatives(source)
        var texts: [String] = []
        var ignoresCase = false
        for choice in choices {
            let regex = try PortableRegex(choice)
            ignoresCase = ignoresCase || regex.ignoresCase
            guard regex.pattern.hasPrefix("^") else {
                throw NotExpressible("an expression that does not begin with the message: \(source.prefix(60))")
            }
            texts.append(String(regex.pattern.dropFirst()))
        }
        let body = "^\(head)(?:\(texts.joined(separator: "|")))"
        return .test(field: field, .regex(PortableRegex(plain: ignoresCase ? "(?i:\(body))" : body)))
    }

    private static let poolerStart = #"\A(?:closing because: |pooler error: )"#

    /// A line of PgBouncer's about a client. Of the lines that one failure makes, only that which names its reason behind
    /// `pooler error:` is taken: it comes once, and no text of a client's ends it.
    private mutating func poolerParts() throws(NotExpressible) -> [Condition] {
        var parts: [Condition] = []
        if condition.absent.contains(.sessionID) {
            parts.append(.inverse(.test(field: "_msg", .regex(PortableRegex(plain: #"[CS]-0x[0-9a-f]+: "#)))))
        }
        if !condition.severities.isEmpty {
            let words = condition.severities.texts.joined(separator: "|")
            parts.append(.test(field: "_msg", .regex(PortableRegex(plain: #"\] (?:\#(words)) "#))))
        }
        for (column, regex) in condition.expressions where column != .sessionID {
            guard column == .message else { throw NotExpressible("\(column.name) of \(dataset.name)") }
            guard !condition.absent.contains(.sessionID) else {
                parts.append(try RawPattern.behind(#"(?:.*\] [A-Z]+ )?"#, regex.source, field: "_msg"))
                continue
            }
            let choices = PortableRegex.alternatives(regex.source)
            let taken = choices.filter { $0.hasPrefix(RawPattern.poolerStart) }
            guard !taken.isEmpty else { throw NotExpressible("lines of PgBouncer that end in a client's text") }
            notes.append(
                "of the lines that a failure at PgBouncer makes, 'pooler error:' is counted, without an order of patterns"
            )
            var texts: [String] = []
            for choice in taken {
                let rest = try PortableRegex(String(choice.dropFirst(RawPattern.poolerStart.count)))
                texts.append("pooler error: " + rest.pattern)
            }
            let body = #"C-0x[0-9a-f]+: .*@\S+ (?:\#(texts.joined(separator: "|")))"#
            parts.append(.test(field: "_msg", .regex(PortableRegex(plain: body))))
        }
        return parts
    }
}
