import LocatedYAML
import VigilModel

/// Reads the files of `patterns/rules/`, one rule each.
struct RuleReader {
    let sets: NamedSets
    let frameworks: Frameworks
    /// Every word for `event.action` and `tags` that some pattern can give.
    let words: Set<String>

    /// False where they were left out.
    let readsExamples: Bool

    /// Takes a catalogue with everything but its rules.
    init(_ catalogue: Catalogue, readsExamples: Bool = true) {
        self.readsExamples = readsExamples
        sets = catalogue.sets
        frameworks = catalogue.frameworks
        words = catalogue.events.words
    }

    private static let families = [
        "auth", "conn", "ddl", "priv", "danger", "tamper", "forgery", "exfil", "secret", "perm", "sqli", "server", "ha",
        "backup", "pooler",
    ]

    private static let keys = [
        "id", "name", "description", "family", "severity", "needs", "match", "except", "group_by", "condition", "reset",
        "suppress", "ban", "message", "attack", "soc2", "mlps", "false_positives", "examples",
    ]

    func read(_ file: YAMLValue, name: String, text: String) throws(YAMLProblem) -> Rule {
        let keys = try file.mapping(
            RuleReader.keys,
            required: ["id", "name", "description", "family", "severity", "match", "suppress", "examples"])
        func value(_ key: String) throws(YAMLProblem) -> YAMLValue {
            guard let value = keys[key] else { throw file.problem("the key '\(key)' is missing") }
            return value
        }
        let family = try value("family")
        guard RuleReader.families.contains(try family.text()) else {
            throw family.problem("unknown family", hint: "known: \(RuleReader.families.joined(separator: ", "))")
        }
        let about = AlertRule(
            id: try value("id").text(), name: try value("name").text(), family: try family.text(),
            version: String(Fingerprint.sha256(text.utf8).prefix(12)),
            techniques: try frameworks.ids(keys["attack"], of: "attack"),
            soc2: try frameworks.ids(keys["soc2"], of: "soc2"),
            mlps: try frameworks.ids(keys["mlps"], of: "mlps"),
            framework: keys["attack"] == nil ? nil : frameworks.all["attack"]?.name)
        var groupBy: [EventKey] = []
        for key in try keys["group_by"]?.oneOrMore() ?? [] { groupBy.append(try key.word(EventKey.self)) }
        if let ban = keys["ban"], !groupBy.contains(.ip) {
            throw ban.problem("only a rule grouped by source.ip can ban")
        }
        let match = try EventMatch(value("match"), sets: sets)
        try check(match, value("match"))
        let examples = readsExamples ? try self.examples(value("examples"), file: name) : []
        return Rule(
            about: about, description: try value("description").text(), place: "\(name):\(file.line)",
            severity: try value("severity").word(Severity.self), needs: try texts(keys["needs"]), match: match,
            except: try excepts(keys["except"]), groupBy: groupBy, condition: try condition(keys["condition"]),
            reset: try keys["reset"].map { value throws(YAMLProblem) in try EventMatch(value, sets: sets) },
            suppress: try value("suppress").duration(), ban: try keys["ban"]?.duration(),
            message: try keys["message"].map { value throws(YAMLProblem) in try MessageForm(value) },
            examples: examples, falsePositives: try texts(keys["false_positives"]))
    }

    private func texts(_ value: YAMLValue?) throws(YAMLProblem) -> [String] {
        var result: [String] = []
        for entry in try value?.oneOrMore() ?? [] { result.append(try entry.text()) }
        return result
    }

    /// A rule for a word that nothing gives could never fire.
    private func check(_ match: EventMatch, _ place: YAMLValue) throws(YAMLProblem) {
        for word in (match.words(of: .action) ?? []) + (match.words(of: .tags) ?? []) {
            let isGiven = word.hasSuffix("*") ? words.contains { $0.hasPrefix(word.dropLast()) } : words.contains(word)
            guard !isGiven else { continue }
            throw place.problem(
                "no pattern gives '\(word)'", hint: nearest(to: word, among: Array(words)).map { "did you mean \($0)?" }
            )
        }
    }

    private func excepts(_ value: YAMLValue?) throws(YAMLProblem) -> [RuleExcept] {
        var result: [RuleExcept] = []
        for entry in try value?.list() ?? [] {
            let reason = try entry.mapping(
                EventKey.allCases.map(\.rawValue) + ["network", "any", "not", "reason"], required: ["reason"])["reason"]
            result.append(
                RuleExcept(
                    match: try EventMatch(entry, sets: sets, beside: ["reason"]), reason: try reason?.text() ?? ""))
        }
        return result
    }

    private func condition(_ value: YAMLValue?) throws(YAMLProblem) -> RuleCondition {
        guard let value else { return .match }
        let kinds = ["threshold", "distinct", "sequence", "first_seen", "absence"]
        let keys = try value.mapping(kinds)
        guard keys.count == 1, let (name, body) = keys.first else {
            throw value.problem("exactly one of \(kinds.joined(separator: ", ")) belongs here")
        }
        switch name {
        case "threshold":
            let parts = try body.mapping(["count", "within"], required: ["count", "within"])
            return .threshold(count: try parts.count(), within: try parts.time("within"))
        case "distinct":
            let parts = try body.mapping(["key", "count", "within"], required: ["key", "count", "within"])
            return .distinct(
                key: try parts["key"]?.word(EventKey.self) ?? .ip, count: try parts.count(),
                within: try parts.time("within"))
        case "sequence":
            let parts = try body.mapping(["count", "within", "then"], required: ["count", "within", "then"])
            var then: [EventMatch] = []
            for step in try parts["then"]?.oneOrMore() ?? [] {
                let match = try EventMatch(step, sets: sets, beside: ["times"])
                try check(match, step)
                let times = try step.entries().first { $0.key == "times" }?.value.integer(1...1000) ?? 1
                then += Array(repeating: match, count: times)
            }
            return .sequence(count: try parts.count(), within: try parts.time("within"), then: then)
        case "first_seen":
            let parts = try body.mapping(
                ["key", "events", "learn", "forget"], required: ["key", "events", "learn", "forget"])
            return .firstSeen(
                key: try parts["key"]?.word(EventKey.self) ?? .ip, count: try parts.count("events"),
                learn: try parts.time("learn"), forget: try parts.time("forget"))
        default:
            return .absence(try body.mapping(["for"], required: ["for"]).time("for"))
        }
    }
}

extension [String: YAMLValue] {
    fileprivate func count(_ key: String = "count") throws(YAMLProblem) -> Int {
        try self[key]?.integer(1...100_000) ?? 1
    }

    fileprivate func time(_ key: String) throws(YAMLProblem) -> Int64 { try self[key]?.duration() ?? 0 }
}
