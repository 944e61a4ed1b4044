import ArgumentParser
import EventStore
import Foundation
import Vigil
import VigilModel

/// Looks at the set-up.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check configuration, access to the logs, and what these do not tell.",
        discussion: """
            Reads a little of every log, the server's settings and the store, and changes nothing. Says which rules \
            cannot fire since what they need is not logged, and what to set. Exit code 1 when something does not work.

              pgvigil check
              pgvigil check --send-test
              pgvigil check /var/log/postgresql --store /var/lib/pgvigil/pgvigil.db
            """)

    @OptionGroup var common: CommonOptions

    @Argument(
        help: .init("Logs; default: `sources` of the configuration, else the logs of this node.", valueName: "path"),
        completion: .file())
    var paths: [String] = []

    @Flag(
        help: """
            Send a test alert or event to each sink and find out whether it reaches somebody: an Alertmanager may have \
            nobody to tell.
            """)
    var sendTest = false

    @Option(help: "table, jsonl or csv.") var format: OutputFormat = .table

    func run() throws {
        try reporting {
            let settings = try common.load()
            var findings = try SetupCheck(settings).run(paths: paths, store: common.storePath(settings))
            if sendTest { findings += try SinkCheck(settings).run() }
            if format == .table { return try show(findings) }
            var writer = RowWriter(format, columns: ["verdict", "subject", "found", "hint", "rules"])
            for finding in findings {
                var row: ShownRow = [
                    ("verdict", .text(finding.verdict.rawValue)), ("subject", .text(finding.subject)),
                    ("found", .text(finding.text)),
                ]
                if let hint = finding.hint { row.append(("hint", .text(hint))) }
                if !finding.rules.isEmpty { row.append(("rules", .list(finding.rules))) }
                writer.write(row)
            }
            writer.finish()
            if findings.contains(where: { $0.verdict == .fail }) { throw ExitCode(1) }
        }
    }

    /// For a person: what is wrong catches the eye, and what to do stands under it.
    private func show(_ findings: [SetupCheck.Finding]) throws {
        for finding in findings {
            let verdict = finding.verdict.rawValue.padding(toLength: 5, withPad: " ", startingAt: 0)
            print("\(verdict) \(Shown.text(finding.subject)): \(Shown.text(finding.text))")
            if let hint = finding.hint { print("      hint: \(hint)") }
        }
        if findings.contains(where: { $0.verdict == .fail }) { throw ExitCode(1) }
    }
}
