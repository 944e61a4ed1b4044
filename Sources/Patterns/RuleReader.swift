import LocatedYAML
import VigilModel

/// Reads the files of `patterns/rules/`, one rule each.
enum RuleReader {
    private static let families = [
        "auth", "conn", "ddl", "priv", "danger", "tamper", "forgery", "exfil", "secret", "perm", "sqli", "server", "ha",
        "backup", "pooler",
    ]

    static func read(_ file: YAMLValue, name: String, text: String) throws(YAMLProblem) -> Rule {
        let keys = try file.mapping(
            [
                "id", "name", "description", "family", "severity", "match", "group_by", "condition",
                "suppress",
                "ban", "attack", "soc2", "mlps", "false_positives", "examples",
            ],
            required: ["id", "name", "description", "family", "severity", "match", "condition", "suppress", "examples"])
        func value(_ key: String) throws(YAMLProblem) -> YAMLValue {
            guard let value = keys[key] else { throw file.problem("the key '\(key)' is missing") }
            return value
        }
        let family = try value("family")
        guard families.contains(try family.text()) else {
            throw family.problem("unknown family", hint: "known: \(families.joined(separator: ", "))")
        }
        let about = AlertRule(
            id: try value("id").text(), name: try value("name").text(), family: try family.text(),
            version: String(Fingerprint.sha256(text.utf8).prefix(12)), techniques: try texts(keys["attack"]),
            soc2: try texts(keys["soc2"]), mlps: try texts(keys["mlps"]))
        var groupBy: [GroupKey] = []
        for key in try keys["group_by"]?.oneOrMore() ?? [] { groupBy.append(try key.word(GroupKey.self)) }
        if let ban = keys["ban"], !groupBy.contains(.sourceIP) {
            throw ban.problem("only a rule grouped by source.ip can ban")
        }
        var examples: [RuleExample] = []
        for example in try value("examples").list() { examples.append(try read(example: example, file: name)) }
        guard examples.contains(where: { $0.alerts > 0 }), examples.contains(where: { $0.alerts == 0 }) else {
            throw try value("examples").problem("a rule needs an example that fires and one that does not")
        }
        return Rule(
            about: about, description: try value("description").text(), place: "\(name):\(file.line)",
            severity: try value("severity").word(Severity.self), match: try match(value("match")), groupBy: groupBy,
            condition: try condition(value("condition")), suppress: try value("suppress").duration(),
            ban: try keys["ban"]?.duration(), examples: examples, falsePositives: try texts(keys["false_positives"]))
    }

    private static func texts(_ value: YAMLValue?) throws(YAMLProblem) -> [String] {
        var result: [String] = []
        for entry in try value?.oneOrMore() ?? [] { result.append(try entry.text()) }
        return result
    }

    private static func match(_ value: YAMLValue) throws(YAMLProblem) -> EventMatch {
        let keys = try value.mapping(["event.action", "event.reason", "network"], required: ["event.action"])
        var match = EventMatch()
        match.actions = Set(try texts(keys["event.action"]))
        match.reasons = Set(try texts(keys["event.reason"]))
        for network in try keys["network"]?.oneOrMore() ?? [] {
            match.networks.insert(try network.word(EventMatch.Network.self))
        }
        return match
    }

    private static func condition(_ value: YAMLValue) throws(YAMLProblem) -> RuleCondition {
        let keys = try value.mapping(["threshold", "distinct", "sequence"])
        guard keys.count == 1, let (name, body) = keys.first else {
            throw value.problem("exactly one of threshold, distinct, sequence belongs here")
        }
        let known = ["count", "within"] + (name == "distinct" ? ["key"] : name == "sequence" ? ["then"] : [])
        let parts = try body.mapping(known, required: known)
        let count = try parts["count"]?.integer(1...100_000) ?? 1
        let within = try parts["within"]?.duration() ?? 0
        if let key = parts["key"] {
            return .distinct(key: try key.word(GroupKey.self), count: count, within: within)
        }
        if let then = parts["then"] { return .sequence(count: count, within: within, then: try match(then)) }
        return .threshold(count: count, within: within)
    }

    private static func read(example: YAMLValue, file: String) throws(YAMLProblem) -> RuleExample {
        let keys = try example.mapping(["name", "events", "alerts"], required: ["name", "events", "alerts"])
        var events: [RuleExampleEvent] = []
        for value in try keys["events"]?.list() ?? [] {
            let parts = try value.mapping(
                ["action", "reason", "ip", "user", "at", "times", "every"], required: ["action"])
            events.append(
                RuleExampleEvent(
                    action: try parts["action"]?.text() ?? "", reason: try parts["reason"]?.text() ?? "",
                    ip: try parts["ip"]?.text() ?? "", user: try parts["user"]?.text() ?? "",
                    at: try parts["at"]?.duration() ?? 0, times: try parts["times"]?.integer(1...100_000) ?? 1,
                    every: try parts["every"]?.duration() ?? 0))
        }
        return RuleExample(
            name: try keys["name"]?.text() ?? "", place: "\(file):\(example.line)", events: events,
            alerts: try keys["alerts"]?.integer() ?? 0)
    }
}
