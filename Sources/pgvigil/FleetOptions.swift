import ArgumentParser
import Vigil

/// Servers of logs as sources.
struct FleetOptions: ParsableArguments {
    @Option(
        help: .init(
            "A VictoriaLogs server to read the logs of a fleet from: victorialogs://HOST:9428, or victorialogs+https://.",
            discussion: "Credentials and all else of a server are in `sources` of the configuration.",
            valueName: "url"))
    var from: [String] = []

    @Option(help: .init("Only rows that this filter of LogsQL takes, such as 'cls:=pg-shop'.", valueName: "filter"))
    var query: String?

    func check() throws {
        guard query == nil || !from.isEmpty else { throw ValidationError("--query goes with --from.") }
    }

    /// What was named, with what the configuration knows of it.
    func sources(_ configuration: Configuration) throws -> [FleetSource] {
        do { return try from.map { try FleetSource.named($0, query: query, in: configuration) } } catch {
            throw Failure(error, code: 2)
        }
    }
}
