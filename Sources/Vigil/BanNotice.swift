import Responses
import VigilModel

/// An alert about a ban that was not made, though a rule asked for it. Its rules are no files, since they look at no
/// events, but at what is decided about other alerts.
struct BanNotice {
    let alert: Alert
    let group: String

    /// More bans than the caps allow.
    static let cappedRule = AlertRule(
        id: "bans-capped", name: "More bans than the cap allows", family: "conn", version: "1", techniques: ["T1110"],
        soc2: ["CC7.2", "CC7.4"], mlps: [])
    /// An address with good sessions, or perhaps some, attacks.
    static let sparedRule = AlertRule(
        id: "ban-spared", name: "An address that others use is not banned", family: "auth", version: "1",
        techniques: ["T1110"], soc2: ["CC6.1", "CC7.4"], mlps: [])

    /// A file of `blocklists` cannot be written, or its reader cannot be told: bans do not hold there.
    static let listRule = AlertRule(
        id: "list-failed", name: "A block list is not current", family: "server", version: "1", techniques: [],
        soc2: ["CC7.2", "CC7.4"], mlps: [])
    static let rules = [cappedRule, sparedRule, listRule]

    static let severity = Severity.high
    /// One alert about the caps in so many milliseconds.
    static let pause: Int64 = 3_600_000

    static func capped(_ alert: Alert, _ policy: BanPolicy) -> BanNotice {
        BanNotice(
            alert, cappedRule,
            "no ban of \(alert.sourceIP.map { "\($0)" } ?? "?"), nor of others: \(policy.perMinute) new ones a minute and "
                + "\(policy.total) in all are the limit (bans.per_minute, bans.total)")
    }

    static func spared(_ alert: Alert, _ block: CIDR, sessions: Int64, users: [String: Int64]) -> BanNotice {
        let order = users.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
        let names = order.prefix(5).map { Shown.quoted(String($0.key.prefix(63))) }.joined(separator: ", ")
        let more = order.count > 5 ? " and \(order.count - 5) more" : ""
        return BanNotice(
            alert, sparedRule,
            "\(block) is not banned: \(sessions) good sessions of \(users.count) users in the 30 days before "
                + "(\(names)\(more))")
    }

    static func unknown(_ alert: Alert, _ block: CIDR) -> BanNotice {
        BanNotice(
            alert, sparedRule,
            "\(block) is not banned: a private address, and no server logs good sessions (log_connections)")
    }

    /// About a list that fails since a moment. The one alert here that is no function of events: what fails is outside.
    static func failed(_ path: String, format: String, problem: String, since: LogTime) -> Alert {
        Alert(
            id: String(
                Fingerprint.sha256("\(listRule.id)\0\(path)\0\(format)\0\(since.milliseconds)".utf8).prefix(32)),
            time: since, rule: listRule, severity: severity, sourceIP: nil, user: nil, database: nil, eventCount: 1,
            firstSeen: since, lastSeen: since, evidence: [],
            message: "block list \(Shown.text(path)) (\(format)) is not current, it is tried again: \(problem)")
    }

    private init(_ cause: Alert, _ rule: AlertRule, _ message: String) {
        group = cause.sourceIP.map(\.description) ?? ""
        alert = Alert(
            id: String(Fingerprint.sha256("\(rule.id)\0\(cause.id)".utf8).prefix(32)), time: cause.time, rule: rule,
            severity: BanNotice.severity, sourceIP: cause.sourceIP, user: cause.user, database: cause.database,
            eventCount: cause.eventCount, firstSeen: cause.firstSeen, lastSeen: cause.lastSeen,
            evidence: cause.evidence,
            message: message)
    }
}
