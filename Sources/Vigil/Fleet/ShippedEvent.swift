import Foundation
import VigilModel

/// An event that another pgvigil found, as `events --format jsonl` shows it and VictoriaLogs gives it back: values are
/// texts there, lists JSON in a text.
struct ShippedEvent {
    var event: SecurityEvent
    /// The connection through a proxy that it came over.
    var hop: ProxyHop?

    /// Nil for a row that lacks what every event has.
    init?(_ line: [UInt8], time: LogTime, offset: Int64) {
        guard let object = (try? JSONSerialization.jsonObject(with: Data(line))) as? [String: Any] else { return nil }
        func text(_ key: String) -> String? {
            switch object[key] {
            case let text as String: text.isEmpty ? nil : text
            case let number as NSNumber: number.stringValue
            default: nil
            }
        }
        func number(_ key: String) -> Int64? { text(key).flatMap { Int64($0) } }
        guard let id = text("event.id").flatMap(ShippedEvent.identity), let dataset = text("event.dataset"),
            let action = text("event.action"), let category = text("event.category"),
            let severity = text("event.severity").flatMap(Severity.init),
            let outcome = text("event.outcome").flatMap(EventOutcome.init)
        else { return nil }
        let tags = ShippedEvent.list(object["tags"])
        // The store adds this one by itself, from the hop.
        let isCandidate = tags.contains("proxy.candidate")
        let kind = EventKind(
            dataset: dataset, category: category, action: action, outcome: outcome, reason: text("event.reason"),
            severity: severity, tags: tags.filter { $0 != "proxy.candidate" }.sorted())
        let proxy = text("source.nat.ip")
        let client = (address: text("source.address"), port: number("source.port").flatMap { Int(exactly: $0) })
        let time = text("@timestamp").flatMap { LogTime(parsing: $0) } ?? time
        event = SecurityEvent(
            identity: id.identity, time: time, kind: kind,
            actor: EventActor(
                address: proxy ?? client.address, user: text("user.name"), database: text("db.namespace")))
        event.sourcePort = proxy == nil ? client.port : number("source.nat.port").flatMap { Int(exactly: $0) }
        if let proxy, let port = event.sourcePort {
            hop = ProxyHop(
                address: proxy, port: port, clientAddress: client.address ?? "", clientPort: client.port, start: time,
                end: time, isExact: !isCandidate)
        }
        event.content = text("event.hash").flatMap { UInt64($0, radix: 16) }.map { Int64(bitPattern: $0) } ?? id.content
        event.count = max(1, number("event.count") ?? 1)
        // Events of one moment are in order by where they stood.
        event.offset = number("log.offset") ?? offset
        event.processID = number("process.pid")
        event.sqlState = text("postgresql.log.sql_state_code")
        event.sessionID = text("postgresql.log.session_id")
        event.sessionLine = number("postgresql.log.session_line_number")
        event.applicationName = text("postgresql.log.application_name")
        event.query = text("db.query.text")
        // Where there is no message, the action stands in its place.
        event.message = (text("_msg") ?? text("message")).flatMap { $0 == action ? nil : $0 }
        event.targetUser = text("user.target.name")
        event.operation = text("db.operation.name")
        event.objectName = text("db.object.name")
        event.objectType = text("db.object.type")
        event.auditClass = text("pgaudit.class")
        event.authMethod = text("postgresql.auth.method")
        event.hbaRule = text("postgresql.hba.rule")
        event.tlsVersion = text("tls.version")
        event.secretFingerprint = text("secret.fingerprint")
    }

    /// The identity in an id, and the hash behind it where one id stands for several events.
    private static func identity(_ id: String) -> (identity: EventIdentity, content: Int64)? {
        let parts = id.split(separator: "~", maxSplits: 1)
        guard let first = parts.first, let identity = EventIdentity(parsing: String(first)) else { return nil }
        guard parts.count == 2 else { return (identity, 0) }
        return UInt64(parts[1], radix: 16).map { (identity, Int64(bitPattern: $0)) }
    }

    private static func list(_ value: Any?) -> [String] {
        if let list = value as? [String] { return list }
        guard let text = value as? String else { return [] }
        return (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String] ?? [text]
    }
}
