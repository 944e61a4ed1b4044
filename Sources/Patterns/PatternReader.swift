import LocatedYAML
import VigilModel

/// Reads the files of `patterns/events/` and `patterns/messages/`.
struct PatternReader {
    /// The server's message formats by name, in all its languages.
    var messages: [String: [MessageTemplate]] = [:]
    /// Names of all of them as written, for severities.
    private var texts: [String: [String]] = [:]

    /// Reads one file of message formats.
    mutating func readMessages(_ file: YAMLValue) throws(YAMLProblem) {
        for (name, value) in try file.entries() {
            if messages[name] != nil { throw value.problem("the message '\(name)' is given twice") }
            var formats: [String] = []
            for format in try value.oneOrMore() { formats.append(try format.text()) }
            texts[name] = formats
            let isDuration = name.hasPrefix("duration")
            messages[name] = formats.map { MessageTemplate($0, startsWithNumber: isDuration) }
        }
    }

    /// A message without blanks in every language.
    func words(_ name: String) -> [[UInt8]] { (texts[name] ?? []).map { Array($0.utf8) } }

    /// Reads one file of event patterns.
    func readPatterns(_ file: YAMLValue, name: String, into catalogue: inout EventCatalogue) throws(YAMLProblem) {
        let keys = try file.mapping(["about", "patterns", "statements", "texts", "gaps"])
        for entry in try keys["patterns"]?.list() ?? [] {
            catalogue.patterns.append(try pattern(entry, file: name, &catalogue.examples))
        }
        for entry in try keys["statements"]?.list() ?? [] {
            catalogue.statements.append(try statement(entry, file: name, &catalogue.examples))
        }
        for entry in try keys["texts"]?.list() ?? [] {
            catalogue.texts.append(try text(entry, file: name, &catalogue.examples))
        }
        for entry in try keys["gaps"]?.list() ?? [] {
            catalogue.gaps.append(try gap(entry, file: name, &catalogue.examples))
        }
    }

    private func pattern(
        _ entry: YAMLValue, file: String, _ examples: inout [PatternExample]
    ) throws(YAMLProblem) -> EventPattern {
        let keys = try entry.mapping(
            [
                "id", "description", "when", "object", "read", "event", "login", "evidence", "statement", "count",
                "once", "session",
                "examples",
                "counterexamples",
            ], required: ["id", "description", "when"])
        let id = try required(keys, "id", entry).text()
        let condition = try condition(try required(keys, "when", entry))
        try readExamples(keys, id: id, file: file, isStatement: false, &examples)
        return EventPattern(
            id: id, description: try required(keys, "description", entry).text(), place: "\(file):\(entry.line)",
            condition: condition, objects: try objects(keys["object"]),
            readings: try condition.expressions + readings(keys["read"]),
            effect: try effect(keys, entry, condition.dataset),
            counter: try keys["count"]?.text(),
            once: try keys["once"].map { value throws(YAMLProblem) in try Once(value, id: id) },
            session: try keys["session"]?.word(SessionStep.self))
    }

    private func statement(
        _ entry: YAMLValue, file: String, _ examples: inout [PatternExample]
    ) throws(YAMLProblem) -> StatementPattern {
        let keys = try entry.mapping(
            [
                "id", "description", "command", "words", "unless", "calls", "names", "object", "shape", "literal",
                "secret",
                "parameters", "unparsed", "event", "examples", "counterexamples",
            ], required: ["id", "description", "command", "event"])
        let id = try required(keys, "id", entry).text()
        var commands: [String] = []
        for command in try required(keys, "command", entry).oneOrMore() { commands.append(try self.command(command)) }
        try readExamples(keys, id: id, file: file, isStatement: true, &examples)
        return StatementPattern(
            id: id, description: try required(keys, "description", entry).text(), place: "\(file):\(entry.line)",
            commands: commands, words: try words(keys["words"], hint: PatternReader.wordHint),
            unless: try words(keys["unless"]),
            calls: try words(keys["calls"]), names: try words(keys["names"]),
            object: try keys["object"].map { value throws(YAMLProblem) in try regex(value) },
            shape: try keys["shape"].map { value throws(YAMLProblem) in try regex(value) },
            literal: try keys["literal"].map { value throws(YAMLProblem) in try regex(value) },
            secret: try keys["secret"]?.word(SecretWord.self).rawValue,
            needsParameters: try keys["parameters"]?.word(ParameterWord.self) == .logged,
            isAboutText: try keys["unparsed"]?.boolean() ?? false,
            kind: try kind(try required(keys, "event", entry)))
    }

    private func text(
        _ entry: YAMLValue, file: String, _ examples: inout [PatternExample]
    ) throws(YAMLProblem) -> TextPattern {
        let names = ["id", "description", "of", "matches", "event"]
        let keys = try entry.mapping(names + ["examples", "counterexamples"], required: names)
        let id = try required(keys, "id", entry).text()
        var places: [TextPattern.Place] = []
        for place in try required(keys, "of", entry).oneOrMore() {
            places.append(try place.word(TextPattern.Place.self))
        }
        try readExamples(keys, id: id, file: file, isStatement: true, &examples)
        return TextPattern(
            id: id, description: try required(keys, "description", entry).text(), place: "\(file):\(entry.line)",
            places: places, regex: try regex(try required(keys, "matches", entry)),
            kind: try kind(try required(keys, "event", entry)))
    }

    private func gap(
        _ entry: YAMLValue, file: String, _ examples: inout [PatternExample]
    ) throws(YAMLProblem) -> GapPattern {
        let names = ["id", "description", "of", "event"]
        let keys = try entry.mapping(names + ["examples", "counterexamples"], required: names)
        let id = try required(keys, "id", entry).text()
        try readExamples(keys, id: id, file: file, isStatement: false, &examples)
        return GapPattern(
            id: id, description: try required(keys, "description", entry).text(), place: "\(file):\(entry.line)",
            counter: try required(keys, "of", entry).word(GapPattern.Counter.self),
            kind: try kind(try required(keys, "event", entry)))
    }

    private enum SecretWord: String, CaseIterable {
        case password, hash
    }

    private enum ParameterWord: String, CaseIterable {
        case logged
    }

    private static let wordHint =
        "a word has letters, digits and underscores only; '://', '--', '@@' and '1=1' are words, too"

    /// A command tag, or `query`.
    private func command(_ value: YAMLValue) throws(YAMLProblem) -> String {
        let text = try value.text()
        guard text == StatementPattern.query || !text.isEmpty && text == text.uppercased() else {
            throw value.problem(
                "a command tag is in upper case", hint: "\(StatementPattern.query) stands for all that run expressions")
        }
        return text
    }

    /// Words in lower case, as they are compared.
    private func words(_ value: YAMLValue?, hint: String? = nil) throws(YAMLProblem) -> Set<String> {
        var result: Set<String> = []
        for entry in try value?.oneOrMore() ?? [] {
            let word = try entry.text()
            let isWord = word.utf8.allSatisfy {
                (97...122).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 36 || $0 >= 128
            }
            guard (isWord && !word.isEmpty) || (hint != nil && ["://", "--", "@@", "1=1"].contains(word)) else {
                throw entry.problem("a word in lower case belongs here", hint: hint)
            }
            result.insert(word)
        }
        return result
    }

    /// Types of objects, and the messages whose first blank names one.
    private func objects(
        _ value: YAMLValue?
    ) throws(YAMLProblem) -> [(type: String, messages: [MessageTemplate])] {
        var result: [(type: String, messages: [MessageTemplate])] = []
        for (type, names) in try value?.entries() ?? [] { result.append((type, try templates(names))) }
        return result
    }

    private func required(
        _ keys: [String: YAMLValue], _ name: String, _ entry: YAMLValue
    ) throws(YAMLProblem) -> YAMLValue {
        guard let value = keys[name] else { throw entry.problem("the key '\(name)' is missing") }
        return value
    }

    private func effect(
        _ keys: [String: YAMLValue], _ entry: YAMLValue, _ dataset: LogDataset
    ) throws(YAMLProblem) -> EventPattern.Effect {
        let given = ["event", "login", "evidence", "statement"].filter { keys[$0] != nil }
        guard given.count <= 1 else {
            throw entry.problem("only one of \(given.joined(separator: ", ")) may stand here")
        }
        if let value = keys["event"] { return .event(try kind(value, dataset)) }
        if let value = keys["login"] { return .login(try kind(value, dataset)) }
        if keys["evidence"] != nil { return .evidence }
        if let value = keys["statement"] { return .statement(try value.word(StatementCarrier.self)) }
        guard keys["count"] != nil else {
            throw entry.problem("a pattern needs event, login, evidence, statement or count")
        }
        return .counted
    }

    private func kind(
        _ value: YAMLValue, _ dataset: LogDataset = .postgresql
    ) throws(YAMLProblem) -> EventKind {
        let keys = try value.mapping(
            ["category", "action", "outcome", "reason", "severity", "tags"],
            required: ["category", "action", "severity"])
        let action = try keys["action"]?.text() ?? ""
        var tags: Set<String> = [action]
        for tag in try keys["tags"]?.list() ?? [] { tags.insert(try tag.text()) }
        return EventKind(
            dataset: dataset.name, category: try keys["category"]?.text() ?? "",
            action: action, outcome: try keys["outcome"]?.word(EventOutcome.self) ?? .unknown,
            reason: try keys["reason"]?.text(), severity: try keys["severity"]?.word(Severity.self) ?? .info,
            tags: tags.sorted())
    }

    private func regex(_ value: YAMLValue) throws(YAMLProblem) -> Regex {
        let text = try value.text()
        do { return try Regex(text) } catch {
            throw value.problem("\(error.message) at character \(error.offset) of the expression")
        }
    }

    private func readings(_ value: YAMLValue?) throws(YAMLProblem) -> [(column: LogColumn, regex: Regex)] {
        var result: [(column: LogColumn, regex: Regex)] = []
        for (name, value) in try value?.entries() ?? [] {
            guard let column = PatternReader.columns[name] else { throw PatternReader.unknownColumn(name, value) }
            let regex = try regex(value)
            for (group, _) in regex.groups where EventField(rawValue: group) == nil {
                throw value.problem(
                    "no event key is named '\(group)'",
                    hint: "known: \(EventField.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            result.append((column, regex))
        }
        return result
    }

    static func unknownColumn(_ name: String, _ value: YAMLValue) -> YAMLProblem {
        let hint = nearest(to: name, among: PatternReader.columns.keys).map { "did you mean \($0)?" }
        return value.problem("no column is named '\(name)'", hint: hint)
    }

    /// Columns by the names of the PostgreSQL manual (19.8.4) that a pattern may look at.
    static let columns: [String: LogColumn] = Dictionary(
        uniqueKeysWithValues: [
            LogColumn.message, .detail, .hint, .context, .query, .internalQuery, .userName, .databaseName,
            .connectionFrom, .applicationName, .commandTag, .sessionID, .location,
        ].map { ($0.name, $0) })

    private func condition(_ value: YAMLValue) throws(YAMLProblem) -> RecordCondition {
        let keys = try value.mapping([
            "dataset", "severity", "sqlstate", "command_tag", "backend_type", "absent", "message",
            "message_about_user", "detail_about_user", "matches", "about",
        ])
        var condition = RecordCondition()
        if let value = keys["dataset"] { condition.dataset = try dataset(value) }
        let isServer = condition.dataset == .postgresql
        for state in try keys["sqlstate"]?.oneOrMore() ?? [] { condition.states.append(try sqlState(state)) }
        for severity in try keys["severity"]?.oneOrMore() ?? [] {
            let word = try severity.text()
            // Only PostgreSQL translates its severities.
            guard isServer else {
                condition.severities.insert(Array(word.utf8))
                continue
            }
            guard let words = texts["severity_" + word.lowercased()] else {
                throw severity.problem("no severity of PostgreSQL")
            }
            for word in words { condition.severities.insert(Array(word.utf8)) }
        }
        for tag in try keys["command_tag"]?.oneOrMore() ?? [] {
            condition.commandTags.insert(Array(try tag.text().utf8))
        }
        for type in try keys["backend_type"]?.oneOrMore() ?? [] {
            condition.backendTypes.insert(Array(try type.text().utf8))
        }
        // A stderr log without `%b` tells no more than that a record is not a client's.
        let ofClients = ["client backend", "not initialized", "walsender"].map { Array($0.utf8) }
        if !condition.backendTypes.isEmpty, !ofClients.contains(where: condition.backendTypes.contains) {
            condition.backendTypes.insert(Array("background process".utf8))
        }
        for name in try keys["absent"]?.oneOrMore() ?? [] {
            guard let column = PatternReader.columns[try name.text()] else {
                throw PatternReader.unknownColumn(try name.text(), name)
            }
            condition.absent.append(column)
        }
        condition.messages = try templates(keys["message"])
        condition.messagesAboutUser = try templates(keys["message_about_user"])
        condition.detailsAboutUser = try templates(keys["detail_about_user"])
        condition.expressions = try readings(keys["matches"])
        if let about = keys["about"] {
            guard !condition.messages.isEmpty else {
                throw about.problem("'about' needs a message: it looks at what stands in its first blank")
            }
            condition.about = try regex(about)
        }
        guard isServer else { return condition }
        if condition.states.isEmpty { throw value.problem("a pattern must name SQLSTATEs or classes (28*)") }
        if condition.covers(state: "00000"),
            condition.messages.contains(where: { !$0.isFoundByItsStart }) || condition.messages.isEmpty
        {
            throw value.problem("a pattern for SQLSTATE 00000 must name messages that start with at least four bytes")
        }
        return condition
    }

    private func dataset(_ value: YAMLValue) throws(YAMLProblem) -> LogDataset {
        let name = try value.text()
        guard let dataset = LogDataset(name: name) else {
            throw value.problem(
                "no dataset is named '\(name)'",
                hint: "known: \(LogDataset.allCases.map(\.name).joined(separator: ", "))")
        }
        return dataset
    }

    private func sqlState(_ value: YAMLValue) throws(YAMLProblem) -> String {
        let text = try value.text()
        let state = text.hasSuffix("*") ? String(text.dropLast()) : text
        guard state.count == (text.hasSuffix("*") ? 2 : 5),
            state.utf8.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) })
        else {
            throw value.problem("a SQLSTATE has five characters, a class two and a star", hint: "write 28P01 or 28*")
        }
        return state
    }

    /// Names of `patterns/messages/`, all languages of each.
    private func templates(_ value: YAMLValue?) throws(YAMLProblem) -> [MessageTemplate] {
        var result: [MessageTemplate] = []
        for entry in try value?.oneOrMore() ?? [] {
            let name = try entry.text()
            guard let found = messages[name] else {
                throw entry.problem(
                    "no message is named '\(name)' in patterns/messages",
                    hint: nearest(to: name, among: messages.keys).map { "did you mean \($0)?" })
            }
            result += found
        }
        return result
    }

    private func readExamples(
        _ keys: [String: YAMLValue], id: String, file: String, isStatement: Bool, _ examples: inout [PatternExample]
    ) throws(YAMLProblem) {
        // A statement pattern may show whole records, too.
        let known = isStatement ? ["sql", "record"] : ["record"]
        for (list, isWanted) in [("examples", true), ("counterexamples", false)] {
            for value in try keys[list]?.list() ?? [] {
                let parts = try value.mapping(known + (isWanted ? ["gives"] : []), required: isWanted ? ["gives"] : [])
                guard let (key, input) = known.lazy.compactMap({ key in parts[key].map { (key, $0) } }).first else {
                    throw value.problem("the key '\(known[0])' is missing")
                }
                var gives: [String: String] = [:]
                for (name, wanted) in try parts["gives"]?.entries() ?? [] { gives[name] = try wanted.text() }
                examples.append(
                    PatternExample(
                        pattern: id, place: "\(file):\(value.line)", input: try input.text(),
                        isStatement: key == "sql", gives: isWanted ? gives : nil))
            }
        }
    }
}

/// A real record or statement and what it must give.
public struct PatternExample: Sendable {
    /// The pattern it belongs to.
    public let pattern: String
    /// File and line.
    public let place: String
    /// One or more csvlog rows, or a SQL text.
    public let input: String
    /// Whether it is a SQL text.
    public let isStatement: Bool
    /// Event keys and values; nil for a counter-example, which must not match its pattern.
    public let gives: [String: String]?
}
