import EventStore
import Vigil
import VigilModel

/// One alert for a person: what it says, why the rule is there, what it rests on.
struct AlertText {
    private(set) var lines: [String] = []
    private let report: AlertReport
    private var alert: AlertDetail { report.alert }

    /// Events shown at either end of a long list.
    private static let ends = 5

    init(_ report: AlertReport, all: Bool) {
        self.report = report
        head()
        rule()
        bans()
        evidence(all: all)
    }

    private func value(_ key: String) -> String? { AlertText.value(key, alert.row) }

    private static func value(_ key: String, _ row: ShownRow) -> String? {
        row.first { $0.key == key }.map { Shown.text($0.value.text) }
    }

    private mutating func add(_ title: String, _ text: String?) {
        guard let text, !text.isEmpty else { return }
        lines.append("\(StoryText.padded(title, 13))\(text)")
    }

    private mutating func head() {
        lines.append("\((value("event.severity") ?? "").uppercased())  \(value("message") ?? "")")
        lines.append("")
        add("alert", alert.id)
        add("time", value("@timestamp"))
        let count = value("event.count") ?? "0"
        add("events", "\(count), from \(value("first_seen") ?? "?") to \(value("last_seen") ?? "?")")
        add("address", value("source.ip"))
        add("user", value("user.name"))
        add("database", value("db.namespace"))
        add("group", Shown.text(alert.group))
    }

    private mutating func rule() {
        add("rule", "\(alert.rule): \(value("rule.name") ?? "")")
        guard let rule = report.rule else {
            add("", "the catalogue has no such rule any more (version \(alert.version))")
            return
        }
        add("", rule.description)
        if report.isOlderRule {
            add("", "the rule was changed since (version \(alert.version) then); what is said of it here is of today")
        }
        for (index, text) in rule.falsePositives.enumerated() { add(index == 0 ? "may be" : "", text) }
        add("technique", value("threat.technique.id"))
        add("SOC 2", value("compliance.soc2"))
        add("MLPS", value("compliance.mlps"))
        add("file", "\(Shown.text(rule.place)), version \(alert.version)")
    }

    private mutating func bans() {
        if alert.bans.isEmpty { add("ban", "none came of it") }
        for ban in alert.bans {
            let mode = ban.mode == .observe ? " (observed, not enforced)" : ""
            add("ban", "\(ban.cidr) from \(ban.start) to \(ban.end)\(mode)")
        }
    }

    private mutating func evidence(all: Bool) {
        let events = alert.evidence
        lines += ["", "what it rests on: \(Sizes.plural(events.count, "event")), oldest first"]
        for (index, event) in events.enumerated() {
            let isEnd = index < AlertText.ends || index >= events.count - AlertText.ends
            if all || isEnd || events.count <= AlertText.ends * 2 + 1 {
                show(event, index + 1)
            } else if index == AlertText.ends {
                lines += ["", "… \(events.count - AlertText.ends * 2) more; --all shows them"]
            }
        }
    }

    private mutating func show(_ event: EvidenceEvent, _ number: Int) {
        func value(_ key: String) -> String? { AlertText.value(key, event.row) }
        let reason = value("event.reason").map { " (\($0))" } ?? ""
        let count = value("event.count").map { "\($0) × " } ?? ""
        let port = value("source.port").map { " port \($0)" } ?? ""
        let from = value("source.address").map { " from \($0)\(port)" } ?? ""
        let proxy = value("source.nat.ip").map { " through \($0)" } ?? ""
        let names = StoryText.names(raw("user.name", event.row), raw("db.namespace", event.row))
        lines += [
            "",
            "\(number)  \(value("@timestamp") ?? "")  \(count)\(value("event.action") ?? "")\(reason), "
                + "\(value("event.outcome") ?? "")  \(names)\(from)\(proxy)",
            "   event \(value("event.id") ?? "")",
        ]
        for place in event.places { show(place) }
    }

    private func raw(_ key: String, _ row: ShownRow) -> String? {
        row.first { $0.key == key }.map { $0.value.text }
    }

    private mutating func show(_ place: RecordPlace) {
        let instance = place.instance.map { " (\(Shown.text($0)))" } ?? ""
        lines.append("   \(Shown.text(place.path)) byte \(place.offset), \(place.format)\(instance)")
        switch report.record(at: place) {
        case .absent(let reason): lines.append("     the record cannot be shown: \(Shown.text(reason))")
        case .record(let columns):
            // What is read first has its own lines; the rest stands together.
            let long = ["message", "detail", "hint", "internal_query", "context", "query"]
            let short = FoundRecord.record(columns.filter { !long.contains($0.name) })
            lines.append("     \(short.text ?? "")")
            for (name, value) in columns where long.contains(name) {
                lines.append("     \(name): \(Shown.text(value, limit: 2000))")
            }
        }
    }
}
