import EventStore
import VigilModel

/// A story as rows for machines: like events in a row are one.
public struct StoryRows {
    private var line: StoryLine?
    private let write: (ShownRow) -> Void

    /// Keys of a row, in order.
    public static let keys = [
        "@timestamp", "last_seen", "kind", "event.severity", "event.action", "event.reason", "event.outcome", "tags",
        "event.count", "message", "source.address", "source.port", "source.nat.ip", "user.name", "user.target.name",
        "db.namespace", "db.operation.name", "db.object.name", "postgresql.log.session_id",
        "postgresql.log.application_name", "service.name", "service.node.name", "event.id", "alert.id", "rule.id",
        "cidr", "end", "mode", "pgaudit.class",
    ]

    /// Takes where rows go.
    public init(_ write: @escaping (ShownRow) -> Void) { self.write = write }

    /// Takes the next thing.
    public mutating func take(_ item: StoryItem) {
        switch item {
        case .event(let event):
            if line?.takes(event) == true {
                line?.take(event)
                return
            }
            flush()
            line = StoryLine(event)
        case .alert(let alert):
            flush()
            write([
                ("@timestamp", .time(alert.time)), ("kind", .text("alert")),
                ("event.severity", .text(alert.severity.rawValue)), ("event.count", .number(alert.eventCount)),
                ("message", .text(alert.message)), ("alert.id", .text(alert.id)), ("rule.id", .text(alert.rule)),
            ])
        case .ban(let ban):
            flush()
            // A person's ban follows from no alert.
            let alert = ban.alertID.map { [("alert.id", ShownValue.text($0))] } ?? []
            write(
                [
                    ("@timestamp", .time(ban.start)), ("kind", .text("ban")), ("event.count", .number(ban.eventCount)),
                    ("message", .text(ban.reason)), ("source.address", .text(ban.sourceIP.description)),
                ] + alert + [
                    ("rule.id", .text(ban.ruleID)),
                    ("cidr", .text(ban.cidr.description)), ("end", .time(ban.end)), ("mode", .text(ban.mode.rawValue)),
                ])
        }
    }

    /// Writes what a user did too often for a row each.
    public mutating func take(_ activity: UserActivity, of user: String) {
        flush()
        var row: ShownRow = [
            ("@timestamp", .time(activity.first)), ("last_seen", .time(activity.last)), ("kind", .text("activity")),
            ("event.count", .number(activity.count)), ("user.name", .text(user)),
        ]
        if let database = activity.database { row.append(("db.namespace", .text(database))) }
        row.append(("db.operation.name", .text(activity.command)))
        if let object = activity.object { row.append(("db.object.name", .text(object))) }
        if let auditClass = activity.auditClass { row.append(("pgaudit.class", .text(auditClass))) }
        write(row)
    }

    /// Writes what waits.
    public mutating func flush() {
        guard let line else { return }
        self.line = nil
        let event = line.event
        var row: ShownRow = [("@timestamp", .time(event.time))]
        func add(_ key: String, _ text: String?) { if let text { row.append((key, .text(text))) } }
        if line.last > event.time { row.append(("last_seen", .time(line.last))) }
        add("kind", "event")
        add("event.severity", event.severity.rawValue)
        add("event.action", event.action)
        add("event.reason", event.reason)
        add("event.outcome", event.outcome)
        if !event.tags.isEmpty { row.append(("tags", .list(event.tags))) }
        if line.count > 1 { row.append(("event.count", .number(line.count))) }
        add("message", event.message)
        add("source.address", event.address)
        if let port = event.port { row.append(("source.port", .number(port))) }
        add("source.nat.ip", event.proxy)
        add("user.name", event.user)
        add("user.target.name", event.targetUser)
        add("db.namespace", event.database)
        add("db.operation.name", event.operation)
        add("db.object.name", event.object)
        add("postgresql.log.session_id", event.session)
        add("postgresql.log.application_name", event.application)
        add("service.name", event.cluster)
        add("service.node.name", event.instance)
        add("event.id", event.id)
        write(row)
    }
}
