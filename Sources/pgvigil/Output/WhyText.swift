import EventStore
import Responses
import Vigil
import VigilModel

/// What is known of an address, on one screen.
struct WhyText {
    private let ip: IPAddress
    private let account: AddressAccount
    private let settings: Configuration
    private(set) var lines: [String] = []
    private var alerts: [String] = []

    init(_ ip: IPAddress, _ account: AddressAccount, _ settings: Configuration, at moment: LogTime) {
        self.ip = ip
        self.account = account
        self.settings = settings
        let held = account.bans.filter { $0.state == .inForce }
        let verdict = held.isEmpty ? "not banned" : "banned"
        let mode = settings.bans.mode == .observe && !held.isEmpty ? " (bans.mode is observe: nobody is kept out)" : ""
        lines.append("\(ip) is \(verdict) at \(moment)\(mode)")
        for entry in held { lines.append("  \(WhyText.text(entry.ban))") }
        if let protection = account.protection { add("protection", protection) } else { add("protection", "none") }
        if let pause = account.pause {
            add(
                "lists", "empty since \(pause.time) by \(Shown.text(pause.by)): \(Shown.text(pause.reason, limit: 100))"
            )
        }
        failures()
        sessions()
        earlier()
    }

    private mutating func add(_ name: String, _ text: String) {
        lines.append("  \(name.padding(toLength: 13, withPad: " ", startingAt: 0)) \(text)")
    }

    private mutating func failures() {
        guard let first = account.firstFailure, let last = account.lastFailure else {
            return add("failures", "none")
        }
        let from = account.block.isHost ? "" : " from \(account.block)"
        add("failures", "\(account.failures)\(from), \(first) to \(last)")
        add("  reasons", WhyText.counts(account.reasons))
        add("  users", WhyText.counts(account.failedUsers))
    }

    private mutating func sessions() {
        if !account.knowsSessions {
            add("good sessions", "unknown: no successful login is logged (log_connections = on)")
        } else if let last = account.lastSession {
            add("good sessions", "\(account.sessions) in 30 days, the last \(last)")
            add("  users", WhyText.counts(account.users))
        } else {
            add("good sessions", "none in 30 days")
        }
    }

    private mutating func earlier() {
        let others = account.bans.filter { $0.state != .inForce }
        for entry in others.suffix(5) {
            let by = entry.act.map { " by \(Shown.text($0.by)): \(Shown.text($0.reason, limit: 100))" } ?? ""
            add("earlier ban", "\(WhyText.text(entry.ban)); \(entry.state.rawValue)\(by)")
        }
        if others.count > 5 { add("", "and \(others.count - 5) before: pgvigil bans --all") }
    }

    /// A row of `alerts`.
    mutating func add(alert row: ShownRow) {
        func text(_ key: String) -> String {
            row.first { $0.key == key }.map { Shown.text($0.value.text, limit: 120) } ?? ""
        }
        alerts.append("\(text("@timestamp")) \(text("event.severity")) \(text("message")) [\(text("rule.id"))]")
    }

    /// The end: alerts, lists, and what to do. `store` is what a command needs to find this store again.
    mutating func finish(store: String) {
        if alerts.isEmpty { add("alerts", "none about this address") }
        for alert in alerts { add("alert", alert) }
        let held = account.bans.filter { $0.state == .inForce }
        for list in settings.blockLists where settings.bans.mode == .enforce && !held.isEmpty {
            add("in list", "\(list.path) (\(list.format.rawValue))")
        }
        if held.isEmpty {
            if account.protection == nil { add("to ban it", "pgvigil ban\(store) \(ip) --for 1h --reason '…'") }
        } else {
            add("to free it", "pgvigil unban\(store) \(ip) --reason '…'")
            add("for good", "`allow: [{cidr: \(account.block), reason: …}]` in the configuration")
        }
    }

    private static func text(_ ban: Ban) -> String {
        let count = ban.eventCount > 0 ? ", \(ban.eventCount) events" : ""
        let by = ban.by == "rule" ? "rule \(ban.ruleID)" : "by \(Shown.text(ban.by))"
        return "\(ban.cidr) from \(ban.start) until \(ban.end): \(Shown.text(ban.reason, limit: 100))\(count), \(by)"
    }

    private static func counts(_ counts: [String: Int64]) -> String {
        let sorted = counts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
        let shown = sorted.prefix(8).map { "\(Shown.text($0.key, limit: 40)) (\($0.value))" }.joined(separator: ", ")
        return shown + (sorted.count > 8 ? " and \(sorted.count - 8) more" : "")
    }
}
