import EventStore
import VigilModel

/// An alert about deliveries themselves.
enum OutboxNotice {
    private static let droppedRule = AlertRule(
        id: "outbox-dropped", name: "A sink's outbox was full", family: "server", version: "1", techniques: [],
        soc2: ["CC7.2"], mlps: [])

    /// More waited for a sink than may, so the oldest was let go. One alert an hour and sink.
    static func dropped(_ count: Int, sink: SinkConfiguration) -> (alert: Alert, group: String) {
        let now = LogTime.wallClock
        let name = sink.subscription.name
        let hour = now.milliseconds / 3_600_000
        let alert = Alert(
            id: String(Fingerprint.sha256("outbox-dropped\0\(name)\0\(hour)".utf8).prefix(32)), time: now,
            rule: droppedRule, severity: .high, sourceIP: nil, user: nil, database: nil, eventCount: Int64(count),
            firstSeen: now, lastSeen: now, evidence: [],
            message:
                "sink \(name) has not taken what was sent: over \(sink.backlog) waited, \(count) were let go; they are "
                + "still in the store (pgvigil outbox --resend)")
        return (alert, name)
    }
}
