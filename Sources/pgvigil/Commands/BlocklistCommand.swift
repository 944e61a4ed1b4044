import ArgumentParser
import EventStore
import Foundation
import Responses
import Vigil
import VigilModel

/// Gives the bans in force.
struct BlocklistCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blocklist", abstract: "Print the bans in force now, or at a moment.",
        discussion: """
            Addresses of the allow list are never printed. `replay` says with which --at its bans are shown.

              pgvigil blocklist --format plain > /etc/haproxy/blocked.lst
              pgvigil blocklist --format fail2ban --at 2026-03-02T23:59:00Z
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: "plain (a CIDR a line) or fail2ban (a log line for each ban).")
    var format: BlockListFormat = .plain

    @Option(help: .init("The moment; default: now.", valueName: "time"))
    var at: TimeArgument?

    func run() throws {
        try reporting {
            let settings = try common.load()
            let store = try Store(existing: common.storePath(settings))
            let moment = at?.time ?? LogTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
            let bans = settings.bans.inForce(try store.bans(from: moment, to: moment), at: moment)
            FileHandle.standardOutput.write(Data(format.render(bans).utf8))
            if bans.isEmpty, Talk.isTerminal { Talk.say("no ban is in force at \(moment)") }
        }
    }
}

extension BlockListFormat: ExpressibleByArgument {}
