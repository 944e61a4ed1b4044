import ArgumentParser
import EventStore
import Vigil
import VigilModel

/// Lets go what has had its time, at once.
struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Let go what has had its time, as `watch` does every hour.",
        discussion: """
            For stores that only `replay` writes: replay itself lets nothing go. What may go, and when, stands under \
            `retention` in the configuration. Ages count from the newest record. The chain still holds, and an act tells \
            what went. The file does not shrink, its room is used again; `sqlite3 FILE VACUUM` while nobody has it open \
            makes it smaller.

              pgvigil prune --store /var/lib/pgvigil/pgvigil.db
            """)

    @OptionGroup var common: CommonOptions

    func run() throws {
        try reporting {
            let settings = try common.load()
            let store = try Store(existing: common.storePath(settings))
            let went = try Retention(StoreWriter(store), settings.retention).run()
            let rows = went.rows.sorted { $0.key < $1.key }.map { "\(Sizes.count(Int64($0.value))) \($0.key)" }
            Talk.say(rows.isEmpty ? "nothing has had its time" : "\(rows.joined(separator: ", ")) went")
            if went.isOverfull {
                Talk.warning("the store is larger than `size`, and nothing ordinary is left that may go")
            }
        }
    }
}
