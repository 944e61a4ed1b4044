import Foundation
import Vigil
import VigilModel

/// The summary of a replay, for a person.
struct SummaryText {
    private let summary: ReplaySummary
    private let storeIsDefault: Bool

    init(_ summary: ReplaySummary, storeIsDefault: Bool) {
        self.summary = summary
        self.storeIsDefault = storeIsDefault
    }

    func print() {
        var lines: [String] = []
        reading(&lines)
        table("events", summary.actions, &lines)
        table("failed logins, top addresses", summary.addresses, &lines, limit: 10)
        alerts(&lines)
        bans(&lines)
        if !summary.deliveries.isEmpty { lines += [""] + DeliveryText.lines(summary.deliveries) }
        Talk.say(lines.joined(separator: "\n"))
    }

    private func reading(_ lines: inout [String]) {
        let rate = summary.seconds > 0 ? Int64(Double(summary.bytes) / summary.seconds) : 0
        lines.append(
            "read \(Sizes.plural(summary.files, "file")), \(Sizes.bytes(summary.bytes)), "
                + "\(Sizes.count(summary.records)) records in \(String(format: "%.2f", summary.seconds)) s "
                + "(\(Sizes.bytes(rate))/s)")
        if summary.servers > 0 {
            lines.append(
                "  of \(Sizes.plural(summary.servers, "server")) of logs \(Sizes.count(Int64(summary.rows))) rows, "
                    + "\(Sizes.count(Int64(summary.repeatedRows))) known, \(Sizes.count(Int64(summary.lateRows))) late")
        }
        for lost in summary.lostRows { lines.append("  \(lost)") }
        if summary.empty > 0 { lines.append("  \(Sizes.plural(summary.empty, "empty file"))") }
        if !summary.passedOver.isEmpty {
            lines.append("  passed over \(Sizes.plural(summary.passedOver.count, "other file")):")
            for (path, reason) in summary.passedOver.prefix(10) { lines.append("    \(Shown.text(path)): \(reason)") }
            if summary.passedOver.count > 10 { lines.append("    … and \(summary.passedOver.count - 10) more") }
        }
        sameLogs(&lines)
        for problem in summary.failed { lines.append("  failed: \(problem)") }
        let result = summary.result
        lines.append(
            "events: \(Sizes.count(Int64(result.inserted))) new, \(Sizes.count(Int64(result.known))) known")
        if summary.textLines > 0 {
            lines.append("text: \(Sizes.count(summary.textLines)) lines that are no records (child processes' output)")
        }
        if summary.clockSteps > 0 { lines.append("the clock was set back \(summary.clockSteps) times") }
        if !summary.unknownZones.isEmpty {
            lines.append(
                "zones read as UTC: \(summary.unknownZones.sorted().map { Shown.text($0) }.joined(separator: ", ")); "
                    + "set sources.timezone")
        }
        unread(&lines)
        for giveUp in summary.giveUps {
            lines.append(
                "pattern \(giveUp.pattern) gave up \(Sizes.plural(Int(giveUp.count), "time")): its expression costs too much "
                    + "on some texts, and was taken not to match them")
        }
    }

    /// By folder and the file that was read: `postgresql-Mon.csv: also postgresql-Mon.json, postgresql-Mon.log`.
    private func sameLogs(_ lines: inout [String]) {
        guard !summary.sameLogs.isEmpty else { return }
        lines.append(
            "  passed over \(Sizes.plural(summary.sameLogs.count, "file")): the same log as another in another format; "
                + "name a file itself to read it")
        let groups = Dictionary(grouping: summary.sameLogs, by: \.richer).sorted { $0.key < $1.key }
        for (richer, others) in groups.prefix(50) {
            let names = others.map { Shown.text(URL(fileURLWithPath: $0.path).lastPathComponent) }.sorted()
            lines.append("    \(Shown.text(richer)): also \(names.joined(separator: ", "))")
        }
        if groups.count > 50 { lines.append("    … and of \(groups.count - 50) more") }
    }

    private func unread(_ lines: inout [String]) {
        lines.append(
            "unread: \(summary.unreadCount)"
                + (summary.unread.isEmpty ? "" : " (\(Sizes.bytes(summary.unreadBytes)))"))
        for span in summary.unread.prefix(5) {
            lines.append("  byte \(span.offset), \(Sizes.plural(Int(span.length), "byte")): \(span.reason)")
        }
        if summary.unreadCount > 5 { lines.append("  … and \(summary.unreadCount - 5) more") }
    }

    private func table(_ title: String, _ counts: [String: Int64], _ lines: inout [String], limit: Int = 40) {
        guard !counts.isEmpty else { return }
        lines += ["", title]
        let sorted = counts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
        for (name, count) in sorted.prefix(limit) {
            let number = Sizes.count(count)
            lines.append("  \(String(repeating: " ", count: max(0, 10 - number.count)))\(number)  \(Shown.text(name))")
        }
        if sorted.count > limit { lines.append("  … and \(sorted.count - limit) more") }
    }

    private func alerts(_ lines: inout [String]) {
        lines += ["", "new alerts: \(summary.alerts.count)"]
        let ordered = Severity.allCases.sorted(by: >).lazy.flatMap { severity in
            summary.alerts.indices.lazy.filter { summary.alerts[$0].severity == severity }
        }
        for alert in ordered.prefix(20).map({ summary.alerts[$0] }) {
            let severity = alert.severity.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
            lines.append(
                "  \(colour(alert.severity))\(severity)\(Talk.hasColour ? "\u{1B}[0m" : "")  \(alert.time)  \(alert.message)  [\(alert.rule.id)]"
            )
        }
        if summary.alerts.count > 20 { lines.append("  … and \(summary.alerts.count - 20) more: pgvigil alerts") }
        guard !summary.heldBack.isEmpty else { return }
        lines.append("held back by exceptions: \(summary.heldBack.values.reduce(0, +))")
        for (reason, count) in summary.heldBack.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            lines.append("  \(Sizes.count(count)) × \(Shown.text(reason, limit: 120))")
        }
    }

    private func colour(_ severity: Severity) -> String {
        guard Talk.hasColour else { return "" }
        switch severity {
        case .critical: return "\u{1B}[1;31m"
        case .high: return "\u{1B}[31m"
        case .medium: return "\u{1B}[33m"
        default: return ""
        }
    }

    private func bans(_ lines: inout [String]) {
        guard let end = summary.end else { return }
        lines += ["", "bans in force at the end of the input (\(end)): \(summary.bans.count)"]
        for ban in summary.bans.prefix(20) {
            let mode = ban.mode == .observe ? " (observed, not enforced)" : ""
            lines.append("  \(ban.cidr) until \(ban.end): \(ban.reason), \(ban.eventCount) events\(mode)")
        }
        if summary.bans.count > 20 { lines.append("  … and \(summary.bans.count - 20) more") }
        guard !summary.bans.isEmpty else { return }
        let store = storeIsDefault ? "" : " --store \(summary.store)"
        lines.append("show them again: pgvigil blocklist\(store) --format plain --at \(end)")
    }
}
