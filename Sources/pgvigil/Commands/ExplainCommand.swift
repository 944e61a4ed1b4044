import ArgumentParser
import Foundation
import Vigil
import VigilModel

/// Says how lines are read.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say how lines of a log are read, and why.",
        discussion: """
            Reads lines from standard input. For each record: its fields, the pattern that \
            matched (or the nearest, and why it did not), the events it gives, and the rules \
            these feed. Nothing is stored.

              grep 69a5be11.51d8 samples/postgresql-Mon.csv | pgvigil explain
              journalctl -u pgbouncer -o cat -n 5 | pgvigil explain --format pgbouncer
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: "Format of the lines; without it, it is found by content.")
    var format: InputFormat?

    @Option(help: .init("log_line_prefix of stderr lines; without it, it is recognised.", valueName: "prefix"))
    var prefix: String?

    func run() throws {
        try reporting {
            let settings = try common.load()
            let bytes = Array(FileHandle.standardInput.readDataToEndOfFile())
            let explanation = try Explanation(bytes, format: format?.name, prefix: prefix, configuration: settings)
            guard let name = explanation.format else {
                throw Failure(
                    ValidationError(
                        bytes.isEmpty
                            ? "no lines came on standard input\n  hint: grep WORD postgresql-Mon.csv | pgvigil explain"
                            : "the lines are \(explanation.unread.first?.reason ?? "nothing")\n"
                                + "  hint: --format says what they are: \(Replay.formats.joined(separator: ", "))"))
            }
            print("format: \(name)")
            for (number, record) in explanation.records.enumerated() {
                show(record, number + 1, explanation)
            }
            for span in explanation.unread {
                print("\nunread: byte \(span.offset), \(span.length) bytes: \(span.reason)")
            }
            if explanation.textLines > 0 { print("\ntext: \(explanation.textLines) lines that are no records") }
        }
    }

    private func show(_ record: RecordReport, _ number: Int, _ explanation: Explanation) {
        print("\nrecord \(number), byte \(record.offset), \(record.time), \(record.dataset.name)")
        for (name, value) in record.columns where name != "log_time" {
            print("  \(name.padding(toLength: 22, withPad: " ", startingAt: 0)) \(Shown.text(value, limit: 400))")
        }
        if let pattern = record.pattern {
            print("  pattern: \(pattern.id) (\(pattern.place)): \(pattern.description)")
        } else {
            print("  pattern: none")
            for (pattern, reason) in record.nearest {
                print("    nearest: \(pattern.id) (\(pattern.place)): \(Shown.text(reason, limit: 300))")
            }
        }
        for statement in record.statements {
            let ids = statement.patterns.isEmpty ? "no pattern" : statement.patterns.joined(separator: ", ")
            print("  statement: \(Shown.text(statement.command, limit: 60)): \(ids)")
            print("    read as: \(Shown.text(statement.shape, limit: 300))")
        }
        for event in record.events {
            let reason = event.kind.reason.map { " (\($0))" } ?? ""
            let rules = explanation.rules(for: event)
            print(
                "  event: \(event.kind.action)\(reason), \(event.kind.severity.rawValue), \(event.kind.outcome.rawValue)"
            )
            print(
                "    tags: \(event.kind.tags.joined(separator: " "))  id: \(Shown.text(event.identity.text, limit: 100))"
            )
            print("    rules: \(rules.isEmpty ? "none looks at it" : rules.joined(separator: ", "))")
        }
        for part in record.evidence { print("  evidence of \(Shown.text(part.event.text, limit: 100))") }
        if record.events.isEmpty && record.evidence.isEmpty { print("  event: none") }
    }
}
