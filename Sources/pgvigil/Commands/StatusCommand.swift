import ArgumentParser
import EventStore
import Foundation
import Vigil
import VigilModel

/// Says how things stand.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Say how far the logs are read, which are silent, what the store holds, and how lists stand.",
        discussion: """
            Logs of one folder, format and instance are one line. What is to read counts files that are still where they \
            were. A log is silent when its files are there and had no record for an hour (--silent).

              pgvigil status
              pgvigil status --store /var/lib/pgvigil/pgvigil.db --silent 15m
              pgvigil status --all --format jsonl
            """)

    @OptionGroup var common: CommonOptions

    @Flag(help: "A line for each file.") var all = false
    @Option(help: .init("After so long without a record a log is silent.", valueName: "time"))
    var silent: DurationArgument = DurationArgument(milliseconds: 3_600_000)
    @Option(help: "table, jsonl or csv (the logs only).") var format: OutputFormat = .table

    func run() throws {
        try reporting {
            let settings = try common.load()
            let store = try Store(existing: common.storePath(settings))
            let now = LogTime.wallClock
            let lists = settings.bans.mode == .enforce ? settings.blockLists : []
            let report = try StatusReport(
                store, eachFile: all, blockLists: lists, limits: settings.retention, at: now)
            let text = StatusText(report, silence: silent.milliseconds)
            if format == .table { return Output.write(text.lines) }
            var writer = RowWriter(format, columns: StatusText.logKeys)
            for row in format == .jsonl ? text.rows : text.logRows { writer.write(row) }
            writer.finish()
        }
    }
}

/// A length of time of the command line: `90s`, `15m`, `6h`, `2d`.
struct DurationArgument: ExpressibleByArgument {
    let milliseconds: Int64

    init(milliseconds: Int64) { self.milliseconds = milliseconds }

    init?(argument: String) {
        let units: [Character: Int64] = ["s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let unit = argument.last.flatMap({ units[$0] }), let number = Int64(argument.dropLast()), number > 0,
            number < 1_000_000
        else { return nil }
        milliseconds = number * unit
    }

    var defaultValueDescription: String { Shown.duration(milliseconds) }
}
