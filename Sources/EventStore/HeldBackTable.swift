import GRDB
import VigilModel

/// An alert that an exception of the configuration held back.
public struct HeldBackAlert: Sendable {
    /// The id that the alert would have had.
    public let id: String
    /// When, in event time.
    public let time: LogTime
    /// The rule and what it was about.
    public let rule, group: String
    /// The exception's reason.
    public let reason: String
    /// What the alert would have said.
    public let message: String

    /// Takes all parts.
    public init(id: String, time: LogTime, rule: String, group: String, reason: String, message: String) {
        self.id = id
        self.time = time
        self.rule = rule
        self.group = group
        self.reason = reason
        self.message = message
    }
}

extension Store {
    /// Keeps what was held back; what is kept already stays as it is.
    public func note(_ alerts: [HeldBackAlert]) throws {
        guard !alerts.isEmpty else { return }
        try pool.write { db in
            for alert in alerts {
                try db.execute(
                    sql:
                        "INSERT OR IGNORE INTO held_back (id, time, rule, group_key, reason, message) VALUES (?, ?, ?, ?, ?, ?)",
                    arguments: [
                        alert.id, alert.time.milliseconds, alert.rule, alert.group, alert.reason, alert.message,
                    ])
            }
        }
    }

    /// The last of each rule and group in a time span: what would still suppress the next.
    public func lastHeldBack(after: LogTime, through: LogTime) throws -> [(rule: String, group: String, time: LogTime)]
    {
        try pool.read { db in
            try Row.fetchAll(
                db,
                sql:
                    "SELECT rule, group_key, max(time) AS time FROM held_back WHERE time > ? AND time <= ? GROUP BY rule, group_key",
                arguments: [after.milliseconds, through.milliseconds]
            ).map { ($0["rule"], $0["group_key"], LogTime(milliseconds: $0["time"])) }
        }
    }

    /// How many alerts each exception held back, and when the last: by reason and rule.
    public func heldBack() throws -> [(reason: String, rule: String, count: Int64, last: LogTime)] {
        try pool.read { db in
            try Row.fetchAll(
                db,
                sql:
                    "SELECT reason, rule, count(*) AS count, max(time) AS last FROM held_back GROUP BY reason, rule ORDER BY reason, rule"
            ).map { ($0["reason"], $0["rule"], $0["count"], LogTime(milliseconds: $0["last"])) }
        }
    }
}
