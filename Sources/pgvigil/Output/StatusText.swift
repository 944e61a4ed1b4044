import EventStore
import Vigil
import VigilModel

/// How things stand, for a person and for machines.
struct StatusText {
    private let report: StatusReport
    private let silence: Int64

    init(_ report: StatusReport, silence: Int64) {
        self.report = report
        self.silence = silence
    }

    // MARK: - For a person

    var lines: [String] { head + [""] + table + silentLogs }

    private var head: [String] {
        let store = report.store
        var lines: [String] = []
        func add(_ title: String, _ text: String) { lines.append("\(StoryText.padded(title, 12))\(text)") }
        let log = store.logBytes > 64 << 20 ? ", \(Sizes.bytes(store.logBytes)) of it in the write-ahead log" : ""
        add("store", "\(Shown.text(report.path)), \(Sizes.bytes(store.bytes))\(log)")
        add(
            "holds",
            "\(Sizes.plural(Int(store.events), "event")), \(Sizes.plural(Int(store.alerts), "alert")), "
                + Sizes.plural(Int(store.bans), "ban"))
        add("grows", forecast)
        add("head", "\(store.head)")
        if report.processes.isEmpty { add("in use by", "nobody that can be seen from here: no watch follows the logs") }
        for process in report.processes {
            add(
                "in use by",
                "\(Shown.text(process.command, limit: 40)), pid \(process.pid), \(Sizes.bytes(process.memory)) of memory"
            )
        }
        if let last = store.lastEvent { add("last event", "\(last), \(ago(last))") }
        let isBehind = store.waiting > 0
        add(
            "rules",
            isBehind
                ? "\(Sizes.plural(Int(store.waiting), "event")) behind; the next watch or replay takes them up"
                : "have looked at every event")
        for held in report.heldBack {
            add(
                "held back",
                "\(Sizes.plural(Int(held.count), "alert")) of \(held.rule), the last \(ago(held.last)): "
                    + Shown.text(held.reason, limit: 100))
        }
        for giveUp in report.giveUps {
            add(
                "gave up",
                "pattern \(Shown.text(giveUp.pattern)), \(Sizes.plural(Int(giveUp.count), "time")), "
                    + "the last \(ago(giveUp.last)): its expression costs too much on some texts")
        }
        for list in report.lists { add("list", text(list)) }
        for sink in report.sinks { add("sink", text(sink)) }
        return lines
    }

    private var forecast: String {
        let forecast = report.forecast
        guard forecast.eventsPerDay > 0 else { return "not at all: it holds no event" }
        func days(_ number: Double) -> String { number < 1 ? "less than a day" : Sizes.plural(Int(number), "day") }
        let rate =
            "by \(Sizes.count(Int64(forecast.eventsPerDay.rounded(.up)))) events (\(Sizes.bytes(Int64(forecast.bytesPerDay)))) a "
            + "day, after the last days of the log"
        if let number = forecast.daysToFull, number == forecast.days {
            return "\(rate): THE DISK IS FULL in \(days(number)), \(Sizes.bytes(forecast.free)) are free"
        }
        if let number = forecast.daysToLimit {
            return "\(rate): at `size` (\(Sizes.bytes(forecast.limit ?? 0))) in \(days(number)); then the oldest go"
        }
        return "\(rate): there is room for as long as events are kept"
    }

    private func text(_ sink: SinkState) -> String {
        var parts = ["\(sink.name): \(Sizes.count(sink.sent)) sent"]
        if let last = sink.lastSuccess { parts[0] += ", the last \(ago(last))" }
        if sink.alerts + sink.events > 0 {
            let oldest = sink.oldest.map { ", the oldest \(ago($0))" } ?? ""
            parts.append("\(Sizes.count(sink.alerts)) alerts and \(Sizes.count(sink.events)) events wait\(oldest)")
        }
        if sink.aside > 0 { parts.append("\(Sizes.count(sink.aside)) refused (pgvigil outbox --aside)") }
        if sink.dropped > 0 { parts.append("\(Sizes.count(sink.dropped)) let go") }
        if let failing = sink.failingSince {
            parts.append("FAILING since \(failing), \(ago(failing)): \(Shown.text(sink.problem ?? "", limit: 200))")
        } else if let problem = sink.problem {
            parts.append(Shown.text(problem, limit: 200))
        }
        return parts.joined(separator: "; ")
    }

    private func text(_ list: ListState) -> String {
        let name = "\(Shown.text(list.path, limit: 100)) (\(list.format))"
        let written =
            list.written.map { "\(Sizes.plural(list.bans ?? 0, "ban")), written \(ago($0))" } ?? "never written"
        let told = list.told.map { ", its reader told \(ago($0))" } ?? ""
        guard let failing = list.failing else { return "\(name): \(written)\(told)" }
        return "\(name): NOT CURRENT since \(failing), \(ago(failing)): "
            + "\(Shown.text(list.problem ?? "", limit: 200)); \(written)\(told)"
    }

    private var table: [String] {
        guard !report.logs.isEmpty else { return ["no log was read yet: pgvigil watch, or pgvigil replay"] }
        let titles = ["log", "format", "instance", "files", "records", "last record", "last read", "to read", "unread"]
        let rows = report.logs.map { log in
            [
                Shown.text(log.path, limit: 70), log.format, Shown.text(log.instance ?? log.cluster ?? "", limit: 30),
                log.present == log.files ? "\(log.files)" : "\(log.files), \(log.files - log.present) gone",
                Sizes.count(log.records), log.lastRecord.map(ago) ?? "never", log.lastRead.map(ago) ?? "",
                log.backlog > 0 ? Sizes.bytes(log.backlog) : "",
                log.unread > 0 ? "\(Sizes.count(log.unread)) (\(Sizes.bytes(log.unreadBytes)))" : "",
            ]
        }
        let used = titles.indices.filter { column in rows.contains { !$0[column].isEmpty } }
        let widths = used.map { column in ([titles] + rows).map { $0[column].count }.max() ?? 0 }
        return ([titles] + rows).map { row in
            var line = zip(used, widths).map { StoryText.padded(row[$0], $1) }.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    private var silentLogs: [String] {
        let silent = report.logs.filter { $0.isSilent(for: silence, at: report.now) }
        guard !silent.isEmpty else { return [] }
        var lines = ["", "silent for more than \(Shown.duration(silence)):"]
        for log in silent.prefix(10) {
            lines.append("  \(Shown.text(log.path)): no record since \(log.lastRecord?.description ?? "ever")")
        }
        if silent.count > 10 { lines.append("  … and \(silent.count - 10) more; --format jsonl shows all") }
        return lines
    }

    private func ago(_ time: LogTime) -> String {
        let apart = report.now.milliseconds - time.milliseconds
        return apart < 0 ? "in \(Shown.duration(-apart))" : "\(Shown.duration(apart)) ago"
    }

    // MARK: - For machines

    static let logKeys = [
        "kind", "log.file.path", "format", "service.name", "service.node.name", "files", "files.present", "records",
        "last_record", "lag_ms", "last_read", "backlog_bytes", "unread", "unread_bytes", "silent",
    ]

    var rows: [ShownRow] {
        let store = report.store
        var first: ShownRow = [
            ("kind", .text("store")), ("path", .text(report.path)), ("bytes", .number(store.bytes)),
            ("wal_bytes", .number(store.logBytes)), ("events", .number(store.events)),
            ("alerts", .number(store.alerts)), ("bans", .number(store.bans)),
            ("events_waiting", .number(store.waiting)), ("used_bytes", .number(report.forecast.used)),
            ("events_per_day", .number(Int64(report.forecast.eventsPerDay.rounded(.up)))),
            ("bytes_per_day", .number(Int64(report.forecast.bytesPerDay))), ("head", .text(store.head.description)),
        ]
        if let days = report.forecast.daysToLimit { first.append(("days_to_limit", .number(Int64(days)))) }
        if let days = report.forecast.daysToFull { first.append(("days_to_full", .number(Int64(days)))) }
        if let last = store.lastEvent { first.append(("last_event", .time(last))) }
        let processes = report.processes.map { process -> ShownRow in
            [
                ("kind", .text("process")), ("process.pid", .number(Int64(process.pid))),
                ("command", .text(process.command)), ("memory_bytes", .number(process.memory)),
            ]
        }
        let held = report.heldBack.map { held -> ShownRow in
            [
                ("kind", .text("exception")), ("reason", .text(held.reason)), ("rule.id", .text(held.rule)),
                ("alerts.held_back", .number(held.count)), ("last_seen", .time(held.last)),
            ]
        }
        let giveUps = report.giveUps.map { giveUp -> ShownRow in
            [
                ("kind", .text("give_up")), ("pattern", .text(giveUp.pattern)), ("count", .number(giveUp.count)),
                ("last_seen", .time(giveUp.last)),
            ]
        }
        return [first] + processes + held + giveUps + listRows + sinkRows + logRows
    }

    private var sinkRows: [ShownRow] {
        report.sinks.map { sink in
            var row: ShownRow = [
                ("kind", .text("sink")), ("sink", .text(sink.name)), ("alerts", .number(sink.alerts)),
                ("events", .number(sink.events)), ("set_aside", .number(sink.aside)), ("sent", .number(sink.sent)),
                ("dropped", .number(sink.dropped)),
            ]
            if let oldest = sink.oldest { row.append(("waiting_since", .time(oldest))) }
            if let last = sink.lastSuccess { row.append(("last_success", .time(last))) }
            if let failing = sink.failingSince { row.append(("failing_since", .time(failing))) }
            if let problem = sink.problem { row.append(("problem", .text(problem))) }
            return row
        }
    }

    private var listRows: [ShownRow] {
        report.lists.map { list in
            var row: ShownRow = [
                ("kind", .text("list")), ("path", .text(list.path)), ("format", .text(list.format)),
                ("current", .text(list.failing == nil && list.written != nil ? "yes" : "no")),
            ]
            if let bans = list.bans { row.append(("bans", .number(Int64(bans)))) }
            if let written = list.written { row.append(("written", .time(written))) }
            if let told = list.told { row.append(("told", .time(told))) }
            if let failing = list.failing { row.append(("failing_since", .time(failing))) }
            if let problem = list.problem { row.append(("problem", .text(problem))) }
            return row
        }
    }

    var logRows: [ShownRow] {
        report.logs.map { log in
            var row: ShownRow = [
                ("kind", .text("log")), ("log.file.path", .text(log.path)), ("format", .text(log.format)),
            ]
            if let cluster = log.cluster { row.append(("service.name", .text(cluster))) }
            if let instance = log.instance { row.append(("service.node.name", .text(instance))) }
            row += [
                ("files", .number(Int64(log.files))), ("files.present", .number(Int64(log.present))),
                ("records", .number(log.records)),
            ]
            if let last = log.lastRecord {
                row += [
                    ("last_record", .time(last)), ("lag_ms", .number(report.now.milliseconds - last.milliseconds)),
                ]
            }
            if let read = log.lastRead { row.append(("last_read", .time(read))) }
            row += [
                ("backlog_bytes", .number(log.backlog)), ("unread", .number(log.unread)),
                ("unread_bytes", .number(log.unreadBytes)),
                ("silent", .text(log.isSilent(for: silence, at: report.now) ? "yes" : "no")),
            ]
            return row
        }
    }
}
