import ArgumentParser
import Foundation
import Vigil
import VigilModel

/// Follows logs.
struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Follow logs until stopped (SIGTERM or Ctrl-C).",
        discussion: """
            A file seen for the first time is read from its start; after a restart reading goes on where it was.
            SIGHUP reads the configuration again; one that is wrong leaves the old one in force.

              pgvigil watch                         every log of a Pigsty or Debian node
              pgvigil watch /pg/log/postgres
              pgvigil watch --from victorialogs://infra-1:9428 --store /var/lib/pgvigil/fleet.db
              pgvigil watch --store /var/lib/pgvigil/pgvigil.db '/pg/log/postgres/*.csv'
            """)

    @OptionGroup var common: CommonOptions

    @OptionGroup var fleet: FleetOptions

    @Argument(
        help: .init(
            "Log files, folders or patterns; default: `sources` of the configuration, else the logs of this node.",
            valueName: "path"),
        completion: .file())
    var paths: [String] = []

    func validate() throws { try fleet.check() }

    func run() throws {
        try reporting {
            var settings = try common.load()
            while try watch(settings).run(tell: { Talk.say($0) }) {
                do {
                    let changed = try common.load()
                    _ = try watch(changed)
                    settings = changed
                } catch { Talk.say("the configuration stays as it was: \(error)") }
            }
        }
    }

    private func watch(_ settings: Configuration) throws -> Watch {
        do {
            return try Watch(
                paths: paths, from: try fleet.sources(settings), store: common.storePath(settings), configuration: settings)
        } catch let problem as WatchProblem { throw Failure(problem, code: 2) }
    }
}
