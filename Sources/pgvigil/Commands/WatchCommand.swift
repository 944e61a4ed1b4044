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

              pgvigil watch                         every log of a Pigsty or Debian node
              pgvigil watch /pg/log/postgres
              pgvigil watch --store /var/lib/pgvigil/pgvigil.db '/pg/log/postgres/*.csv'
            """)

    @OptionGroup var common: CommonOptions

    @Argument(
        help: .init(
            "Log files, folders or patterns; default: `sources` of the configuration, else the logs of this node.",
            valueName: "path"),
        completion: .file())
    var paths: [String] = []

    func run() throws {
        try reporting {
            let settings = try common.load()
            let watch: Watch
            do {
                watch = try Watch(paths: paths, store: common.storePath(settings), configuration: settings)
            } catch let problem as WatchProblem { throw Failure(problem, code: 2) }
            try watch.run { line in Talk.say(line) }
        }
    }
}
