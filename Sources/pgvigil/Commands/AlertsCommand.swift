import ArgumentParser
import EventStore
import Vigil
import VigilModel

/// Shows alerts.
struct AlertsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "Show alerts of the store, or one with the records behind it.",
        discussion: """
            An alert has a key of events (--action, --session, --instance and their like) when an event behind it has.

              pgvigil alerts --severity high
              pgvigil alerts --source-ip 203.0.113.0/24 --format jsonl
              pgvigil alerts --group-by rule.id
              pgvigil alerts show ef028254
            """,
        subcommands: [AlertCommand.self])

    @OptionGroup var common: CommonOptions
    @OptionGroup(title: "Which alerts") var filter: FilterOptions

    func run() throws {
        try reporting {
            let store = try Store(existing: common.storePath(try common.load()))
            try filter.show(
                .alerts, in: store,
                tableKeys: ["@timestamp", "event.severity", "rule.id", "event.count", "alert.id", "message"])
        }
    }
}

/// Shows one alert whole.
struct AlertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one alert whole, with the records behind it.",
        discussion: """
            The records are read back from their files, at the bytes where they stood, and shown without secrets. Of a \
            file that is gone, was rotated or packed, what the store holds of the event is all there is.

              pgvigil alerts show ef028254
              pgvigil alerts show ef028254 --all
              pgvigil alerts show ef028254 --format jsonl
            """)

    @ParentCommand var list: AlertsCommand
    @OptionGroup var common: CommonOptions

    @Argument(help: .init("The alert's id, or as much of it as is its alone.", valueName: "id"))
    var id: String

    @Flag(help: "All records; a table shows the first and the last five events.") var all = false
    // For --help only: the list, whose options come first, has taken it.
    @Option(name: .customLong("format"), help: "table, or jsonl: the alert, then a line for each record.")
    var shownFormat: OutputFormat?

    private var format: OutputFormat { list.filter.format }

    func validate() throws {
        if format == .csv {
            throw ValidationError("--format takes table or jsonl here: an alert and its records differ.")
        }
        guard list.filter.isEmpty else { throw ValidationError("alerts show takes an id, and no choice of alerts.") }
    }

    func run() throws {
        try reporting {
            let settings = try common.load()
            let store = try Store(existing: common.storePath(settings))
            let report = try AlertReport(id, in: store, configuration: settings)
            if format == .table {
                Output.write(AlertText(report, all: all).lines)
            } else {
                write(report)
            }
        }
    }

    private func write(_ report: AlertReport) {
        var writer = RowWriter(.jsonl, columns: [])
        var row = report.alert.row + [("alert.group", .text(report.alert.group))]
        if let rule = report.rule {
            row.append(("rule.description", .text(rule.description)))
            row.append(("rule.false_positives", .list(rule.falsePositives)))
        }
        writer.write(row)
        for ban in report.alert.bans { writer.write(ban.row) }
        for event in report.alert.evidence {
            for place in event.places {
                var row = event.row.filter { $0.key != "log.file.path" && $0.key != "log.offset" }
                row += [("log.file.path", .text(place.path)), ("log.offset", .number(place.offset))]
                switch report.record(at: place) {
                case .absent(let reason): row.append(("record.absent", .text(reason)))
                case let found: if let text = found.text { row.append(("event.original", .text(text))) }
                }
                writer.write(row)
            }
        }
        writer.finish()
    }
}

extension Ban {
    /// The keys of a ban.
    fileprivate var row: ShownRow {
        [
            ("cidr", .text(cidr.description)), ("source.ip", .text(sourceIP.description)), ("start", .time(start)),
            ("end", .time(end)), ("rule.id", .text(ruleID)),
        ] + (alertID.map { [("alert.id", ShownValue.text($0))] } ?? []) + [
            ("reason", .text(reason)), ("event.count", .number(eventCount)), ("mode", .text(mode.rawValue)),
            ("by", .text(by)),
        ]
    }
}
