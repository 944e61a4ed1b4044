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
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: "Format of the files that are named; without it, it is found by content.")
    var format: InputFormat?

    @Option(help: .init("Only events from this time on (UTC unless it says otherwise).", valueName: "time"))
    var since: TimeArgument?

    @Option(help: .init("Only events before this time.", valueName: "time"))
    var until: TimeArgument?

    @Option(help: .init("Files read at the same time; of fewer files each has two threads.", valueName: "number"))
    var jobs: Int = max(1, ProcessInfo.processInfo.activeProcessorCount)

    @Option(help: .init("Exit with code 3 when a new alert of at least this severity fired.", valueName: "severity"))
    var failOn: Severity?

    @Argument(
        help: .init("Log files, folders, patterns, or - for standard input.", valueName: "path"), completion: .file())
    var paths: [String]

    func validate() throws {
        guard jobs >= 1, jobs <= 256 else { throw ValidationError("--jobs takes a number from 1 to 256.") }
        if let since, let until, since.time >= until.time {
            throw ValidationError("--since must be before --until.")
        }
    }

    func run() throws {
        try reporting {
            let settings = try common.load()
            let options = Replay.Options(
                paths: paths, format: format?.name, store: common.storePath(settings),
                since: since?.time, until: until?.time, jobs: jobs)
            let replay: Replay
            do { replay = try Replay(options, configuration: settings) } catch { throw Failure(error, code: 2) }
            let progress = Progress()
            let summary = try replay.run { read, total in progress.show(read, of: total) }
            progress.clear()
            SummaryText(summary, storeIsDefault: common.store == nil).print()
            if summary.isFailure { throw ExitCode(1) }
            if let failOn, summary.alerts.contains(where: { $0.severity >= failOn }) { throw ExitCode(3) }
        }
    }
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
