import ArgumentParser
import EventStore
import Foundation
import Vigil
import VigilModel

/// Applies the bans to the kernel.
struct EnforceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enforce", abstract: "Apply the bans to nftables, until stopped.",
        discussion: """
            For a service of its own with CAP_NET_ADMIN, so that what reads logs needs no rights. It reads the store and \
            the configuration, which nobody else may be able to write, and keeps the table `inet pgvigil`: new \
            connections of who is banned are dropped. Needs `bans: {mode: enforce}`; with `observe` it empties the \
            table and ends. When it stops, bans end by themselves; `nft delete table inet pgvigil` ends all at once.

              pgvigil enforce --once
              pgvigil enforce --dry-run
            """)

    @OptionGroup var common: CommonOptions
    @Flag(help: "Apply the bans as they are now, and end.") var once = false
    @Flag(help: "Print what nft would be given, and change nothing.") var dryRun = false
    @Option(help: .init("The program nft(8).", valueName: "path")) var nft = "/usr/sbin/nft"
    @Option(
        help: .init("A user, beside root, pgvigil and yourself, whose store is trusted.", valueName: "user"))
    var trust: [String] = []

    func run() throws {
        try reporting {
            if dryRun { return print(try enforcer().script(), terminator: "") }
            do {
                var current = try trusted()
                if once { return Talk.say("applied: \(try current.apply()) bans") }
                while try current.run(tell: { Talk.say($0) }) {
                    do { current = try trusted() } catch let observing as Observing { throw observing } catch {
                        Talk.say("the configuration stays as it was: \(error)")
                    }
                }
            } catch let observing as Observing { throw Failure(observing, code: 2) }
        }
    }

    /// Nothing may be enforced.
    private struct Observing: Error, CustomStringConvertible {
        let description = "bans.mode is observe\n  hint: `bans: {mode: enforce}` in the configuration"
    }

    private func enforcer() throws -> Enforcer {
        let settings = try common.load()
        return Enforcer(try Store(existing: common.storePath(settings), readOnly: true), settings, nft: nft)
    }

    /// What may tell root what to do, looked at before it is opened.
    private func trusted() throws -> Enforcer {
        let settings = try common.load()
        for file in common.configurationFiles { try Trust.check(file, users: trust) }
        guard settings.bans.mode == .enforce else {
            // What enforcing left in the kernel would hold for days.
            do {
                if try Enforcer.empty(settings, nft: nft) { Talk.say("bans.mode is observe: the table was emptied") }
            } catch { Talk.warning("the table cannot be emptied: \(Shown.text("\(error)", limit: 300))") }
            throw Observing()
        }
        try Trust.check(common.storePath(settings), users: trust)
        return try enforcer()
    }
}
