import Patterns
import VigilModel

/// A rule as documents of Sigma.
struct SigmaWriter {
    let rule: Rule
    let fields: ExportFields
    /// What a match asks for, in the fields of the rows.
    let reading: (EventMatch, inout Notes) throws(NotExpressible) -> Reading

    func documents(_ notes: inout Notes) throws(NotExpressible) -> [SigmaDocument] {
        if rule.reset != nil { throw NotExpressible("counting that begins anew at an event (reset)") }
        switch rule.condition {
        case .match:
            let (detection, reading) = try detection(rule.match, &notes)
            return [
                SigmaDocument(
                    head(notes), part: "rule", title: rule.about.name, service: service(reading), detection: detection,
                    isWhole: true)
            ]
        case .threshold(let count, let within):
            return try counted(type: "event_count", key: nil, count: count, within: within, &notes)
        case .distinct(let key, let count, let within):
            return try counted(type: "value_count", key: key, count: count, within: within, &notes)
        case .sequence(let count, let within, let then):
            return try ordered(count: count, within: within, then: then, &notes)
        case .firstSeen: throw NotExpressible("what was never seen before: Sigma has no memory of what was learnt")
        case .absence: throw NotExpressible("silence: Sigma sees what is there, not who has gone quiet")
        }
    }

    private func head(_ notes: Notes) -> SigmaDocument.Head {
        SigmaDocument.Head(rule: rule, fields: fields, notes: notes.texts)
    }

    private func service(_ reading: Reading) -> String? {
        let services = ["pgvigil": "pgvigil", "postgres": "postgresql", "syslog": "pgbouncer"]
        guard reading.jobs.count == 1, let job = reading.jobs.first else { return nil }
        return services[job] ?? job
    }

    /// Rows of a match. Those that lack a key are not counted.
    private func detection(
        _ match: EventMatch, keys: [EventKey] = [], _ notes: inout Notes
    ) throws(NotExpressible) -> (SigmaDetection, Reading) {
        let reading = try reading(match, &notes)
        let needed = keys.filter { ![.cluster, .instance, .path].contains($0) }.compactMap { reading.fields[$0] }
        let condition = Condition.and([reading.condition] + needed.map { Condition.has($0) })
        guard condition.fields.isDisjoint(with: reading.derived) else {
            throw NotExpressible("the client's address stands in one field with its port")
        }
        return (try SigmaDetection(condition), reading)
    }

    private func groupBy(_ reading: Reading) throws(NotExpressible) -> [String] {
        let names = rule.groupBy.compactMap { reading.fields[$0] }
        guard reading.derived.isDisjoint(with: names) else {
            throw NotExpressible("the client's address stands in one field with its port")
        }
        return names
    }

    private func counted(
        type: String, key: EventKey?, count: Int, within: Int64, _ notes: inout Notes
    ) throws(NotExpressible) -> [SigmaDocument] {
        let (detection, reading) = try detection(rule.match, keys: rule.groupBy + [key].compactMap { $0 }, &notes)
        let groups = try groupBy(reading)
        let head = head(notes)
        let correlation = SigmaCorrelation(
            type: type, rules: [head.name("events")], groupBy: groups, window: within, count: count,
            field: key.flatMap { reading.fields[$0] })
        return [
            SigmaDocument(
                head, part: "events", title: "\(rule.about.name): what is counted", service: service(reading),
                detection: detection, isWhole: false),
            SigmaDocument(
                head, part: "rule", title: rule.about.name, correlation: correlation, isWhole: true),
        ]
    }

    /// Steps in their order; one that must come several times is a correlation of its own.
    private func ordered(
        count: Int, within: Int64, then: [EventMatch], _ notes: inout Notes
    ) throws(NotExpressible) -> [SigmaDocument] {
        notes.add("the steps are in order; how often each comes is counted over the whole window")
        var documents: [SigmaDocument] = []
        var names: [String] = []
        var groups: [String] = []
        for (index, step) in ([(rule.match, count)] + SigmaWriter.runs(then)).enumerated() {
            let (detection, reading) = try detection(step.0, keys: rule.groupBy, &notes)
            groups = try groupBy(reading)
            let head = head(notes)
            let part = "step_\(index + 1)"
            documents.append(
                SigmaDocument(
                    head, part: part, title: "\(rule.about.name): step \(index + 1)", service: service(reading),
                    detection: detection, isWhole: false))
            names.append(head.name(part))
            if step.1 > 1 {
                let correlation = SigmaCorrelation(
                    type: "event_count", rules: [head.name(part)], groupBy: groups, window: within, count: step.1)
                documents.append(
                    SigmaDocument(
                        head, part: part + "_count", title: "\(rule.about.name): step \(index + 1), counted",
                        correlation: correlation, isWhole: false))
                names[names.count - 1] = head.name(part + "_count")
            }
        }
        documents.append(
            SigmaDocument(
                head(notes), part: "rule", title: rule.about.name,
                correlation: SigmaCorrelation(
                    type: "temporal_ordered", rules: names, groupBy: groups, window: within), isWhole: true))
        return documents
    }

    /// Like steps one behind the other are one step that comes so often.
    private static func runs(_ then: [EventMatch]) -> [(EventMatch, Int)] {
        var runs: [(match: EventMatch, count: Int)] = []
        for match in then {
            if let last = runs.last, "\(last.match)" == "\(match)" {
                runs[runs.count - 1].count += 1
            } else {
                runs.append((match, 1))
            }
        }
        return runs.map { ($0.match, $0.count) }
    }
}
