import Detections
import LogRecords
import Patterns
import SecurityEvents
import VigilModel

/// Runs every example of a catalogue.
public struct CatalogueCheck {
    /// What did not give what its file says.
    public private(set) var failures: [String] = []
    private var examples = 0
    private let catalogue: Catalogue

    /// One line for a person.
    public var summary: String {
        let events = catalogue.events
        return "\(events.patterns.count) record patterns, \(events.statements.count) statement patterns, "
            + "\(events.texts.count) text patterns, \(events.gaps.count) gap patterns, "
            + "\(catalogue.rules.count) rules; \(examples) examples, \(failures.count) failed"
    }

    /// Runs all of them.
    public init(_ catalogue: Catalogue) {
        self.catalogue = catalogue
        for example in catalogue.events.examples { check(example) }
        for rule in catalogue.rules {
            for example in rule.examples { check(example, rule) }
        }
        // On texts this short nothing may cost much.
        var giveUps = GiveUps(catalogue)
        for giveUp in giveUps.take() {
            failures.append(
                "\(giveUp.pattern): its expression gives up on the catalogue's own examples\n"
                    + "  hint: avoid a repetition within a repetition, such as (a+)+, and alternatives that match the same"
            )
        }
    }

    private mutating func check(_ example: PatternExample) {
        examples += 1
        let reading = ExampleReading(example, catalogue.events)
        guard let gives = example.gives else {
            if reading.patterns.contains(example.pattern) {
                failures.append("\(example.place): the counter-example matches \(example.pattern)")
            }
            return
        }
        guard let event = reading.events.first else {
            failures.append("\(example.place): the example gives no event")
            return
        }
        if !reading.patterns.contains(example.pattern) {
            failures.append(
                "\(example.place): the example does not match \(example.pattern) but "
                    + (reading.patterns.isEmpty ? "nothing" : reading.patterns.joined(separator: ", ")))
        }
        for (key, wanted) in gives.sorted(by: { $0.key < $1.key }) {
            let found = ExampleReading.value(of: key, in: event)
            if found != wanted {
                failures.append("\(example.place): \(key) is \(found ?? "absent"), not \(wanted)")
            }
        }
    }

    private mutating func check(_ example: RuleExample, _ rule: Rule) {
        examples += 1
        let run = RuleExampleRun(example, rule, catalogue.events)
        let place = "\(example.place): \(rule.about.id), '\(example.name)'"
        if run.unread > 0 { failures.append("\(place): \(run.unread) pieces are no records") }
        if run.alerts.count != example.alerts {
            failures.append("\(place): \(run.alerts.count) alerts instead of \(example.alerts)")
        }
        guard let alert = run.alerts.first else { return }
        for (key, wanted) in example.gives.sorted(by: { $0.key < $1.key }) {
            let found = CatalogueCheck.value(of: key, in: alert)
            if found != wanted { failures.append("\(place): \(key) is \(found ?? "absent"), not \(wanted)") }
        }
    }

    private static func value(of key: String, in alert: Alert) -> String? {
        switch key {
        case "source.ip": alert.sourceIP?.description
        case "user.name": alert.user
        case "db.namespace": alert.database
        case "event.count": String(alert.eventCount)
        case "message": alert.message
        default: nil
        }
    }
}

/// What an example's records or statement give.
private struct ExampleReading {
    var events: [SecurityEvent] = []
    /// Ids of the patterns that matched.
    var patterns: [String] = []

    init(_ example: PatternExample, _ catalogue: EventCatalogue) {
        if example.isStatement {
            let result = ExampleReader.statement(example.input, catalogue)
            (events, patterns) = (result.events, result.patterns)
            return
        }
        var collector = Collector(reader: ExampleReader(catalogue))
        let bytes = Array((example.input + "\n").utf8)
        let format = LogFormat.detect(bytes, path: "") ?? .csvlog
        format.reader(ReadingFacts(timezone: nil, head: bytes)).read(bytes, into: &collector)
        collector.reader.finish()
        (events, patterns) = (collector.reader.events, collector.reader.patterns)
    }

    private struct Collector: RecordConsumer {
        var reader: ExampleReader
        mutating func take(_ records: RecordBatch) {
            for index in 0..<records.count { reader.read(records[index], records) }
        }
        mutating func takeUnfinished(_ records: RecordBatch) { take(records) }
        mutating func skip(_ unread: Unread) {}
        mutating func pass(_ line: TextLine) {}
    }

    static func value(of key: String, in event: SecurityEvent) -> String? {
        switch key {
        case "event.dataset": return event.kind.dataset
        case "pgaudit.class": return event.auditClass
        case "event.action": return event.kind.action
        case "event.category": return event.kind.category
        case "event.outcome": return event.kind.outcome.rawValue
        case "event.reason": return event.kind.reason
        case "event.severity": return event.kind.severity.rawValue
        case "tags": return event.kind.tags.joined(separator: " ")
        case "source.address": return event.actor.address
        case "source.ip": return event.actor.ip?.description
        case "source.port": return event.sourcePort.map(String.init)
        case "user.name": return event.actor.user
        case "user.target.name": return event.targetUser
        case "db.namespace": return event.actor.database
        case "db.operation.name": return event.operation
        case "db.object.name": return event.objectName
        case "db.object.type": return event.objectType
        case "db.query.text": return event.query
        case "message": return event.message
        case "postgresql.auth.method": return event.authMethod
        case "postgresql.hba.rule": return event.hbaRule
        case "postgresql.log.application_name": return event.applicationName
        case "postgresql.log.sql_state_code": return event.sqlState
        case "tls.version": return event.tlsVersion
        case "secret.fingerprint": return event.secretFingerprint
        default: return nil
        }
    }
}
