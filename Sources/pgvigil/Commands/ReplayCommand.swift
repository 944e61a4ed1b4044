import ArgumentParser
import Foundation
import Vigil
import VigilModel

/// Reads logs once.
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Read files, folders, patterns or standard input once and say what happened.",
        discussion: """
            Reading goes on where an earlier replay of a file ended; a copy of a file adds nothing. Files packed by gzip, \
            zstd, xz, bzip2 or lz4 are unpacked on the way. Of a server's csv, json and stderr log in one folder only the \
            richest is read, unless a file is named itself.

              pgvigil replay /pg/log/postgres
              pgvigil replay --store incident.db --since 2026-03-01 'archive/*.csv'
              ssh db1 cat /pg/log/postgres/postgresql-Mon.csv | pgvigil replay -
              pgvigil replay --what-if --config new.yml
              pgvigil replay --deliver --config /etc/pgvigil/pgvigil.yml archive
              pgvigil replay --what-if --patterns my-patterns /pg/log/postgres
            """)

    @OptionGroup var common: CommonOptions

    @Option(
        help: .init(
            "Format of the files that are named; without it, it is found by content. With --what-if also table or jsonl.",
            valueName: "format"))
    var format: [ReplayFormat] = []

    @Option(help: .init("Only events from this time on (UTC unless it says otherwise).", valueName: "time"))
    var since: TimeArgument?

    @Option(help: .init("Only events before this time.", valueName: "time"))
    var until: TimeArgument?

    @Option(help: .init("Files read at the same time; of fewer files each has two threads.", valueName: "number"))
    var jobs: Int = max(1, ProcessInfo.processInfo.activeProcessorCount)

    @Option(
        help: .init(
            "Exit with code 3 when a new alert of at least this severity fired (--what-if: was gained).",
            valueName: "severity"))
    var failOn: Severity?

    @Flag(
        help: """
            Store nothing: say what the rules of this configuration would have alerted and banned, beside what the store \
            holds. Without a path, of the events in the store.
            """)
    var whatIf = false

    @Flag(help: "Send what is found to the sinks of the configuration, however old it is. Without it nothing is sent.")
    var deliver = false

    @Option(
        help: .init("A folder of patterns and rules instead of the configured one.", valueName: "folder"),
        completion: .directory)
    var patterns: String?

    @Argument(
        help: .init(
            "Log files, folders, patterns, or - for standard input; may be left out with --what-if.", valueName: "path"),
        completion: .file())
    var paths: [String] = []

    private var inputFormat: InputFormat? { format.lazy.compactMap(\.input).first }
    private var outputFormat: OutputFormat { format.lazy.compactMap(\.output).first ?? .table }

    func validate() throws {
        guard whatIf || !paths.isEmpty else { throw ValidationError("Missing expected argument '<path> ...'") }
        guard format.compactMap(\.input).count <= 1, format.compactMap(\.output).count <= (whatIf ? 1 : 0) else {
            throw ValidationError(
                "--format takes one format of the logs"
                    + (whatIf ? ", and one of table or jsonl." : "; table and jsonl go with --what-if."))
        }
        guard !deliver || !whatIf else { throw ValidationError("--what-if finds nothing to --deliver.") }
        guard jobs >= 1, jobs <= 256 else { throw ValidationError("--jobs takes a number from 1 to 256.") }
        if let since, let until, since.time >= until.time {
            throw ValidationError("--since must be before --until.")
        }
    }

    func run() throws {
        try reporting {
            var settings = try common.load()
            if let patterns { settings.patterns = patterns }
            var options = Replay.Options(
                paths: paths, format: inputFormat?.name, store: common.storePath(settings),
                since: since?.time, until: until?.time, jobs: jobs)
            options.delivers = deliver
            if deliver, settings.sinks.isEmpty { throw Failure(NoSinks(), code: 2) }
            if whatIf { return try compare(options, settings) }
            let replay: Replay
            do { replay = try Replay(options, configuration: settings) } catch { throw Failure(error, code: 2) }
            let progress = Progress()
            let summary = try replay.run { read, total in progress.show(read, of: total) }
            progress.clear()
            SummaryText(summary, storeIsDefault: common.store == nil).print()
            if summary.isFailure || summary.deliveries.contains(where: { $0.waiting > 0 }) { throw ExitCode(1) }
            if let failOn, summary.alerts.contains(where: { $0.severity >= failOn }) { throw ExitCode(3) }
        }
    }
}

private struct NoSinks: Error, CustomStringConvertible {
    var description: String {
        "--deliver: the configuration names nobody to send to\n  hint: list them under `sinks` (docs/sinks.md)"
    }
}

extension ReplayCommand {
    /// Says what the rules would have made of it.
    private func compare(_ options: Replay.Options, _ settings: Configuration) throws {
        let whatIf: WhatIf
        do { whatIf = try WhatIf(options, configuration: settings) } catch { throw Failure(error, code: 2) }
        let progress = Progress()
        let report = try whatIf.run { read, total in progress.show(read, of: total) }
        progress.clear()
        if outputFormat == .table {
            Output.write(WhatIfText(report).lines)
        } else {
            var writer = RowWriter(.jsonl, columns: [])
            for row in WhatIfRows.rows(report) { writer.write(row) }
            writer.finish()
        }
        if let failOn, report.gainedAlerts.contains(where: { $0.severity >= failOn }) { throw ExitCode(3) }
    }
}

/// What `replay --format` takes: a format of logs, or how the answer is written.
struct ReplayFormat: ExpressibleByArgument {
    let input: InputFormat?
    let output: OutputFormat?

    init?(argument: String) {
        input = InputFormat(argument: argument)
        output = argument == "csv" ? nil : OutputFormat(argument: argument)
        if input == nil && output == nil { return nil }
    }

    static var allValueStrings: [String] { InputFormat.allValueStrings + ["table", "jsonl"] }
}

/// What `--format` takes: a format's name, or `auto`.
struct InputFormat: ExpressibleByArgument {
    /// nil: found by content.
    let name: String?

    init?(argument: String) {
        guard InputFormat.allValueStrings.contains(argument) else { return nil }
        name = argument == "auto" ? nil : argument
    }

    var defaultValueDescription: String { name ?? "auto" }
    static var allValueStrings: [String] { ["auto"] + Replay.formats }
}
