import EventStore
import Vigil
import VigilModel

/// What other rules would have made of events, for a person.
struct WhatIfText {
    private(set) var lines: [String] = []
    private let report: WhatIfReport

    /// Lines of a list that a screen holds.
    private static let limit = 30

    init(_ report: WhatIfReport) {
        self.report = report
        head()
        alerts()
        bans()
        rules()
    }

    private mutating func head() {
        let span = report.span.map { " from \($0.first) to \($0.last)" } ?? ""
        lines.append("what these rules make of \(Sizes.plural(Int(report.events), "event"))\(span)")
        if let store = report.store {
            lines.append("compared with \(Shown.text(store)), which stays as it is")
        } else {
            lines.append("there is no store to compare with: everything is gained")
        }
        if report.isSame { lines += ["", "the same alerts and bans"] }
    }

    private mutating func alerts() {
        let (gained, lost, moved) = (report.gainedAlerts, report.lostAlerts, report.movedAlerts)
        let same = report.keptAlerts + moved.count
        lines += [
            "",
            "alerts: \(same + lost.count) before, \(same + gained.count) now; \(gained.count) gained, "
                + "\(lost.count) lost, \(moved.count) earlier or later, \(report.keptAlerts) the same",
        ]
        list(gained.sorted { ($1.severity, $0.time) < ($0.severity, $1.time) }.map { WhatIfText.line("+", $0) })
        list(lost.sorted { ($1.severity, $0.time) < ($0.severity, $1.time) }.map { WhatIfText.line("-", $0) })
        list(
            moved.map { before, now in
                let apart = now.time.milliseconds - before.time.milliseconds
                let words = "\(Shown.duration(abs(apart))) \(apart < 0 ? "earlier" : "later")"
                return ["\(WhatIfText.line("~", now)[0]), \(words)"]
            })
        if !report.heldBack.isEmpty {
            lines.append("  held back by exceptions:")
            for (reason, count) in report.heldBack.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
                lines.append("    \(Sizes.count(count)) × \(Shown.text(reason, limit: 120))")
            }
        }
    }

    private static func line(_ sign: String, _ alert: KnownAlert) -> [String] {
        [
            "  \(sign) \(StoryText.padded(alert.severity.rawValue, 8))  \(alert.time)  "
                + "\(Shown.text(alert.message, limit: 200))  [\(alert.rule)] \(alert.id.prefix(8))"
        ]
    }

    private mutating func bans() {
        let (gained, lost, changed) = (report.gainedBans, report.lostBans, report.changedBans)
        let same = report.keptBans + changed.count
        lines += [
            "",
            "bans: \(same + lost.count) before, \(same + gained.count) now; \(gained.count) gained, "
                + "\(lost.count) lost, \(changed.count) of another time, \(report.keptBans) the same",
        ]
        list(gained.map { WhatIfText.line("+", $0.ban, "until \($0.ban.end)", $0) })
        list(
            changed.map {
                WhatIfText.line(
                    "~", $0.now.ban, "until \($0.now.ban.end) (was \($0.before.start) until \($0.before.end))", $0.now)
            })
        list(lost.map { WhatIfText.line("-", $0.ban, "until \($0.ban.end)", $0) })
    }

    private static func line(_ sign: String, _ ban: Ban, _ until: String, _ judged: JudgedBan) -> [String] {
        [
            "  \(sign) \(ban.cidr)  \(ban.start) \(until)  [\(ban.ruleID)]",
            "      \(sessions(judged))",
        ]
    }

    /// Whether somebody was at home there.
    private static func sessions(_ judged: JudgedBan) -> String {
        guard let before = judged.before, let during = judged.during else {
            return "good sessions: unknown, the logs tell of no successful logins (log_connections)"
        }
        func words(_ sessions: GoodSessions, _ none: String, _ some: String) -> String {
            guard sessions.logins > 0 else { return none }
            let users = sessions.users.map { Shown.quoted(String($0.prefix(60))) }.joined(separator: ", ")
            return "\(some) \(Sizes.plural(Int(sessions.logins), "login")) as \(users)"
        }
        return words(before, "no good session in the 30 days before", "CAREFUL: in the 30 days before")
            + "; " + words(during, "nobody kept out who logged in", "would have kept out")
    }

    private mutating func rules() {
        guard !report.rules.isEmpty else { return }
        let width = report.rules.map(\.rule.count).max() ?? 0
        lines += ["", "alerts by rule\(String(repeating: " ", count: max(0, width - 12)))  before    now"]
        for (rule, before, now) in report.rules {
            func number(_ count: Int) -> String {
                let text = Sizes.count(Int64(count))
                return String(repeating: " ", count: max(0, 7 - text.count)) + text
            }
            lines.append("  \(StoryText.padded(rule, max(width, 12)))\(number(before))\(number(now))")
        }
    }

    private mutating func list(_ items: [[String]]) {
        for item in items.prefix(WhatIfText.limit) { lines += item }
        if items.count > WhatIfText.limit {
            lines.append("  … and \(items.count - WhatIfText.limit) more; --format jsonl shows all")
        }
    }
}

/// The same as rows for machines.
enum WhatIfRows {
    static func rows(_ report: WhatIfReport) -> [ShownRow] {
        var summary: ShownRow = [("kind", .text("summary")), ("events", .number(report.events))]
        if let span = report.span { summary += [("first_seen", .time(span.first)), ("last_seen", .time(span.last))] }
        summary += [
            ("alerts.gained", .number(Int64(report.gainedAlerts.count))),
            ("alerts.lost", .number(Int64(report.lostAlerts.count))),
            ("alerts.moved", .number(Int64(report.movedAlerts.count))),
            ("alerts.same", .number(Int64(report.keptAlerts))),
            ("alerts.held_back", .number(report.heldBack.values.reduce(0, +))),
            ("bans.gained", .number(Int64(report.gainedBans.count))),
            ("bans.lost", .number(Int64(report.lostBans.count))),
            ("bans.changed", .number(Int64(report.changedBans.count))),
            ("bans.same", .number(Int64(report.keptBans))),
        ]
        return [summary]
            + report.rules.map {
                [
                    ("kind", .text("rule")), ("rule.id", .text($0.rule)), ("before", .number(Int64($0.before))),
                    ("now", .number(Int64($0.now))),
                ]
            }
            + report.heldBack.sorted { $0.key < $1.key }.map {
                [("kind", .text("exception")), ("reason", .text($0.key)), ("alerts.held_back", .number($0.value))]
            }
            + report.gainedAlerts.map { alert("gained", $0) } + report.lostAlerts.map { alert("lost", $0) }
            + report.movedAlerts.map { before, now in
                alert("moved", now) + [
                    ("@timestamp.before", .time(before.time)), ("alert.id.before", .text(before.id)),
                ]
            }
            + report.gainedBans.map { ban("gained", $0, nil) }
            + report.changedBans.map { ban("changed", $0.now, $0.before) }
            + report.lostBans.map { ban("lost", $0, nil) }
    }

    private static func alert(_ change: String, _ alert: KnownAlert) -> ShownRow {
        [
            ("kind", .text("alert")), ("change", .text(change)), ("@timestamp", .time(alert.time)),
            ("alert.id", .text(alert.id)), ("rule.id", .text(alert.rule)),
            ("event.severity", .text(alert.severity.rawValue)), ("message", .text(alert.message)),
        ]
    }

    private static func ban(_ change: String, _ judged: JudgedBan, _ before: Ban?) -> ShownRow {
        let ban = judged.ban
        var row: ShownRow = [
            ("kind", .text("ban")), ("change", .text(change)), ("cidr", .text(ban.cidr.description)),
            ("start", .time(ban.start)), ("end", .time(ban.end)),
        ]
        if let before { row += [("start.before", .time(before.start)), ("end.before", .time(before.end))] }
        row.append(("rule.id", .text(ban.ruleID)))
        if let alert = ban.alertID { row.append(("alert.id", .text(alert))) }
        for (name, sessions) in [("before", judged.before), ("kept_out", judged.during)] {
            guard let sessions else { continue }
            row.append(("logins.\(name)", .number(sessions.logins)))
            if !sessions.users.isEmpty { row.append(("users.\(name)", .list(sessions.users))) }
        }
        return row
    }
}
