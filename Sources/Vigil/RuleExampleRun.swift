import Detections
import LogRecords
import Patterns
import SecurityEvents
import VigilModel

/// Runs an example of a rule: its records go the way of a real log, its events straight to the rule.
struct RuleExampleRun {
    /// What the rule gave, in order.
    private(set) var alerts: [Alert] = []
    /// Rows that no reader took.
    private(set) var unread = 0

    init(_ example: RuleExample, _ rule: Rule, _ catalogue: EventCatalogue) {
        var detector = Detector(rules: [rule], publicNetworks: [])
        let events = self.events(of: example, catalogue)
        for event in events { alerts += detector.take(event) { "event \($0)" }.map(\.alert) }
        // A rule that waits for silence: the example ends an hour after its last event unless an event says otherwise.
        if let end = events.last?.time { alerts += detector.advance(to: end) { "event \($0)" }.map(\.alert) }
    }

    private mutating func events(of example: RuleExample, _ catalogue: EventCatalogue) -> [DetectionEvent] {
        var events: [DetectionEvent] = []
        var rows: [(time: Int64, text: String)] = []
        for (number, step) in example.steps.enumerated() {
            for repetition in 1...max(1, step.times) {
                let time = step.at + Int64(repetition - 1) * step.every
                switch step.what {
                case .event(let values):
                    events.append(RuleExampleRun.event(values, Int64(events.count), at: time, repetition))
                case .record(let text):
                    rows.append((time, RuleExampleRun.row(text, at: time, number * 1000 + repetition)))
                }
            }
        }
        if !rows.isEmpty {
            // Rows of the same time stay in their order.
            let ordered = rows.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            events += read(ordered.map(\.element.text).joined(separator: "\n") + "\n", catalogue)
        }
        return events.sorted { ($0.time, $0.seq) < ($1.time, $1.seq) }
    }

    /// Examples begin at noon of a Monday.
    private static let start = LogTime(milliseconds: 1_772_452_800_000)

    private static func event(
        _ values: [EventKey: String], _ seq: Int64, at time: Int64, _ number: Int
    ) -> DetectionEvent {
        let values = values.mapValues { filled($0, ["{n}": String(number)]) }
        let action = values[.action] ?? ""
        let tags = values[.tags].map { $0.split(separator: " ").map(String.init) } ?? []
        let kind = EventKind(
            dataset: values[.dataset] ?? "postgresql.log", category: values[.category] ?? "", action: action,
            outcome: values[.outcome].flatMap(EventOutcome.init) ?? .unknown, reason: values[.reason],
            severity: values[.severity].flatMap(Severity.init) ?? .info, tags: Set(tags + [action]).sorted())
        let address = values[.ip] ?? values[.address]
        return DetectionEvent(
            seq: seq, time: start.adding(milliseconds: time), kind: kind, ip: address.flatMap { IPAddress($0) },
            address: address, user: values[.user], database: values[.database],
            count: values[.count].flatMap { Int64($0) } ?? 1, details: values)
    }

    private static func row(_ text: String, at time: Int64, _ number: Int) -> String {
        let moment = start.adding(milliseconds: time)
        // `2026-03-02T12:00:00.000Z` in the form that PostgreSQL prints.
        let printed = moment.description.map { $0 == "T" ? " " : $0 }.filter { $0 != "Z" }
        return filled(
            text,
            [
                "{time}": String(printed), "{n}": String(number % 1000),
                "{session}": "69a57b80.\(String(4096 + number, radix: 16))", "{pid}": String(4096 + number),
            ])
    }

    private static func filled(_ text: String, _ values: [String: String]) -> String {
        values.reduce(text) { text, value in
            text.split(separator: value.key, omittingEmptySubsequences: false).joined(separator: value.value)
        }
    }

    private mutating func read(_ text: String, _ catalogue: EventCatalogue) -> [DetectionEvent] {
        var collector = Collector(reader: EventReader(catalogue: catalogue))
        let bytes = Array(text.utf8)
        let format = LogFormat.detect(bytes, path: "") ?? .csvlog
        format.reader(ReadingFacts(timezone: nil, head: bytes)).read(bytes, into: &collector)
        collector.reader.settle()
        unread += collector.unread
        let evidence = Dictionary(grouping: collector.reader.takeEvidence(), by: \.event)
        return collector.reader.takeEvents().enumerated().map { number, event in
            let more = evidence[event.identity] ?? []
            var kind = event.kind.tagged(Set(more.flatMap(\.kind.tags)))
            if more.contains(where: { $0.kind.outcome == .failure }) { kind = kind.failed }
            var seen = DetectionEvent(event, seq: Int64(number), kind: kind)
            for (key, value) in [
                (EventKey.auditClass, more.compactMap(\.auditClass).min()),
                (.object, more.compactMap(\.objectName).min()),
            ] where seen.details[key] == nil { seen.details[key] = value }
            return seen
        }
    }

    private struct Collector: RecordConsumer {
        var reader: EventReader
        var unread = 0
        mutating func take(_ records: RecordBatch) { reader.read(records) }
        mutating func takeUnfinished(_ records: RecordBatch) { reader.read(records) }
        mutating func skip(_ unread: Unread) { self.unread += 1 }
        mutating func pass(_ line: TextLine) {}
    }
}
