import LocatedYAML
import VigilModel

extension RuleReader {
    /// A rule's examples: at least one that fires and one that does not.
    func examples(_ value: YAMLValue, file: String) throws(YAMLProblem) -> [RuleExample] {
        var examples: [RuleExample] = []
        for example in try value.list() { examples.append(try read(example, file: file)) }
        guard examples.contains(where: { $0.alerts > 0 }), examples.contains(where: { $0.alerts == 0 }) else {
            throw value.problem("a rule needs an example that fires and one that does not")
        }
        return examples
    }

    private func read(_ example: YAMLValue, file: String) throws(YAMLProblem) -> RuleExample {
        let keys = try example.mapping(
            ["name", "events", "records", "alerts", "gives"], required: ["name", "alerts"])
        guard (keys["events"] == nil) != (keys["records"] == nil) else {
            throw example.problem("either events or records belong here")
        }
        var steps: [RuleExample.Step] = []
        for event in try keys["events"]?.list() ?? [] { steps.append(try step(event: event)) }
        for record in try keys["records"]?.oneOrMore() ?? [] { steps.append(try step(record: record)) }
        var gives: [String: String] = [:]
        for (key, value) in try keys["gives"]?.entries() ?? [] { gives[key] = try value.text() }
        return RuleExample(
            name: try keys["name"]?.text() ?? "", place: "\(file):\(example.line)", steps: steps,
            alerts: try keys["alerts"]?.integer() ?? 0, gives: gives)
    }

    private static let pace = ["at", "times", "every"]

    private func step(event value: YAMLValue) throws(YAMLProblem) -> RuleExample.Step {
        let parts = try value.mapping(EventKey.allCases.map(\.rawValue) + RuleReader.pace)
        var values: [EventKey: String] = [:]
        for key in EventKey.allCases {
            var texts: [String] = []
            for entry in try parts[key.rawValue]?.oneOrMore() ?? [] { texts.append(try entry.text()) }
            if !texts.isEmpty { values[key] = texts.joined(separator: " ") }
        }
        return try step(.event(values), parts)
    }

    private func step(record value: YAMLValue) throws(YAMLProblem) -> RuleExample.Step {
        guard value.isMapping else { return try step(.record(value.text()), [:]) }
        let parts = try value.mapping(["text"] + RuleReader.pace, required: ["text"])
        return try step(.record(parts["text"]?.text() ?? ""), parts)
    }

    private func step(
        _ what: RuleExample.What, _ parts: [String: YAMLValue]
    ) throws(YAMLProblem) -> RuleExample.Step {
        RuleExample.Step(
            what: what, at: try parts["at"]?.duration() ?? 0, times: try parts["times"]?.integer(1...100_000) ?? 1,
            every: try parts["every"]?.duration() ?? 0)
    }
}
