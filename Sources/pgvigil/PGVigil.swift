import ArgumentParser
import Vigil

/// The program: its commands.
@main
struct PGVigil: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pgvigil",
        abstract: "Finds attacks and changes that matter in the logs of PostgreSQL.",
        discussion: """
            Replays archived logs, follows live ones, keeps events and alerts in one SQLite file and gives block lists.

              pgvigil replay /pg/log/postgres/*.csv     what happened, in one screen
              pgvigil watch /pg/log/postgres            the same, while it happens
              pgvigil alerts --severity high            what a person should look at
              pgvigil story 203.0.113.7                 what one address, user or session did
              pgvigil blocklist --format plain          who is kept out now
            """,
        version: Version.text,
        subcommands: [
            ReplayCommand.self, WatchCommand.self, EventsCommand.self, AlertsCommand.self, ActivityCommand.self,
            StoryCommand.self, StatusCommand.self, BlocklistCommand.self, BansCommand.self, BanCommand.self,
            UnbanCommand.self, WhyCommand.self, EnforceCommand.self,
            OutboxCommand.self, VerifyCommand.self, ActsCommand.self, PruneCommand.self, ExplainCommand.self,
            CheckCommand.self, PatternsCommand.self,
        ])
}
