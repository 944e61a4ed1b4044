import ArgumentParser
import EventStore
import Vigil
import VigilModel

/// Shows what pgvigil did itself and what people did with it.
struct ActsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "acts", abstract: "Show what pgvigil did itself, and what people told it to do.",
        discussion: """
            Starts, stops and ends that were none, other configurations, rules and allow lists, pauses and bans lifted by \
            hand, lists that could not be written, rows that went by `retention`. They are in the chain that `pgvigil \
            verify` proves.

              pgvigil acts
              pgvigil acts --since 2026-03-01 --format jsonl
            """)

    @OptionGroup var common: CommonOptions
    @Option(help: .init("From then on.", valueName: "time")) var since: TimeArgument?
    @Option(help: .init("Before then.", valueName: "time")) var until: TimeArgument?
    @Option(help: "table, jsonl or csv.") var format: OutputFormat = .table

    private static let keys = ["written", "act", "time", "cidr", "item", "rows", "total", "by", "reason"]

    func run() throws {
        try reporting {
            let store = try Store(existing: common.storePath(try common.load()))
            let table = ActsCommand.keys.filter { !["time", "total"].contains($0) }
            var writer = RowWriter(format, columns: format == .table ? table : ActsCommand.keys)
            try store.forEachAct(since: since?.time ?? .distantPast, until: until?.time ?? .distantFuture) {
                writer.write($0)
            }
            writer.finish()
            if writer.count == 0 { Talk.say("no acts") }
        }
    }
}
