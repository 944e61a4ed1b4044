import ArgumentParser
import Vigil

/// The catalogue.
struct PatternsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "patterns", abstract: "List, check or export what records and runs of events mean.",
        subcommands: [List.self, Check.self, ExportCommand.self])

    /// Shows the catalogue.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List patterns and rules.", discussion: "  pgvigil patterns list --format jsonl")

        @OptionGroup var common: CommonOptions
        @Option(help: "table, jsonl or csv.") var format: OutputFormat = .table

        func run() throws {
            try reporting {
                let settings = try common.load()
                let entries = try CatalogueList(settings.catalogue()).rows
                var writer = RowWriter(format, columns: ["id", "kind", "action", "severity", "place", "description"])
                for entry in entries { writer.write(entry) }
                writer.finish()
            }
        }
    }

    /// Runs the examples.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read every file and run every example.",
            discussion: """
                  pgvigil patterns check                 the catalogue in use
                  pgvigil patterns check my-patterns     a folder with messages/, events/ and rules/
                """)

        @OptionGroup var common: CommonOptions
        @Argument(help: .init("A folder to check instead.", valueName: "folder"), completion: .directory)
        var folder: String?

        func run() throws {
            try reporting {
                var settings = try common.load()
                if let folder { settings.patterns = folder }
                let result: CatalogueCheck
                do { result = try CatalogueCheck(settings.catalogue(withExamples: true)) } catch {
                    throw Failure(error, code: 2)
                }
                for failure in result.failures { Talk.error(failure) }
                Talk.say(result.summary)
                if !result.failures.isEmpty { throw ExitCode(1) }
            }
        }
    }
}
