import ArgumentParser
import EventStore
import Foundation
import Vigil
import VigilModel

/// Bans by hand.
struct BanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ban", abstract: "Ban an address or a block by hand.",
        discussion: """
            Recorded with your name and the reason. Nothing wider than /24 (IPv6: /48) is banned, and nobody whom the \
            configuration protects.

              pgvigil ban 203.0.113.66 --for 6h --reason "guesses by hand"
            """)

    @OptionGroup var common: CommonOptions
    @Argument(help: .init("An address (IPv6 by its /64) or CIDR.", valueName: "address")) var address: String
    @Option(name: .customLong("for"), help: .init("How long: 90s, 10m, 6h, 7d.", valueName: "time"))
    var length: LengthArgument = .init(milliseconds: 3_600_000)
    @Option(help: .init("Why, for those who come after you.", valueName: "text")) var reason: String
    @Option(help: .init("From when on; default: now.", valueName: "time")) var at: TimeArgument?

    func run() throws {
        try reporting {
            let settings = try common.load()
            let store = try Store(path: common.storePath(settings))
            let desk = try BanDesk(store, settings, by: BanDesk.caller(), now: .wallClock)
            let ban = try desk.ban(address, for: length.milliseconds, reason: reason, from: at?.time)
            Talk.say("\(ban.cidr) is banned until \(ban.end)")
            let account = try AddressAccount(of: ban.cidr, in: store, settings, at: ban.start)
            if account.sessions > 0 {
                let users = account.users.keys.sorted().prefix(5).map { Shown.text($0, limit: 40) }
                Talk.warning(
                    "it had \(account.sessions) good sessions in the 30 days before, of \(account.users.count) users "
                        + "(\(users.joined(separator: ", "))); `pgvigil unban` frees it")
            }
            if ban.mode == .observe { Talk.say("bans.mode is observe: only `blocklist` shows it, nothing is written") }
        }
    }
}

/// Frees by hand.
struct UnbanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unban", abstract: "End the bans of an address or a block.",
        discussion: """
            Holds at once, in every list. Rules may ban the address again when it goes on; who shall never be banned \
            belongs under `allow` in the configuration.

              pgvigil unban 203.0.113.66 --reason "the office's new line"
            """)

    @OptionGroup var common: CommonOptions
    @Argument(help: .init("An address or CIDR.", valueName: "address")) var address: String
    @Option(help: .init("Why, for those who come after you.", valueName: "text")) var reason: String
    @Option(help: .init("From when on; default: now.", valueName: "time")) var at: TimeArgument?

    func run() throws {
        try reporting {
            let settings = try common.load()
            let store = try Store(existing: common.storePath(settings))
            let desk = try BanDesk(store, settings, by: BanDesk.caller(), now: .wallClock)
            let ended = try desk.unban(address, reason: reason, from: at?.time)
            if ended.bans.isEmpty && ended.blocks.isEmpty { Talk.say("no ban in force holds \(Shown.text(address))") }
            for ban in ended.bans {
                Talk.say("\(ban.cidr) is free; it was banned until \(ban.end): \(Shown.text(ban.reason))")
            }
            for block in ended.blocks {
                Talk.say(
                    "\(Shown.text(address)) is free; \(block.cidr) is no longer listed as a block, who is banned in it "
                        + "each for himself")
            }
        }
    }
}

/// Bans, and all lists at once.
struct BansCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bans", abstract: "List bans; pause and resume all of them.",
        discussion: """
              pgvigil bans
              pgvigil bans --all --format jsonl
              pgvigil bans pause --reason "maintenance of the VPN"
            """,
        subcommands: [List.self, Pause.self, Resume.self, Refresh.self], defaultSubcommand: List.self)

    /// Shows them.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List bans (what `bans` alone does).", discussion: "  pgvigil bans --all")

        @OptionGroup var common: CommonOptions
        @Flag(help: "Ended ones, too.") var all = false
        @Flag(
            help:
                "Compare the table of nftables (as root), what HAProxy holds, and the files of `blocklists` with the bans; code 1 when they differ."
        )
        var verify = false
        @Option(help: .init("As they stood at a moment; default: now.", valueName: "time")) var at: TimeArgument?
        @Option(help: "table, jsonl or csv.") var format: OutputFormat = .table

        private static let keys = [
            "cidr", "source.ip", "state", "start", "end", "rule.id", "alert.id", "reason", "event.count", "mode", "by",
            "freed.at", "freed.by", "freed.reason",
        ]

        func run() throws {
            try reporting {
                let settings = try common.load()
                if verify { return try check(settings) }
                let book = try BanBook(try Store(existing: common.storePath(settings)), settings)
                let table = List.keys.filter { $0 != "source.ip" && $0 != "alert.id" && $0 != "freed.at" }
                var writer = RowWriter(format, columns: format == .table ? table : List.keys)
                let moment = at?.time ?? .wallClock
                for entry in try book.entries(at: moment, all: all) { writer.write(List.row(entry)) }
                writer.finish()
                if writer.count == 0 {
                    Talk.say(
                        all ? "there are no bans" : "no ban is in force at \(moment); --all shows those that ended")
                }
            }
        }

        private func check(_ settings: Configuration) throws {
            let store = try Store(existing: common.storePath(settings))
            let check = try ListCheck(store, settings, nft: "/usr/sbin/nft", at: at?.time ?? .wallClock)
            var writer = RowWriter(format, columns: ["list", "state", "cidr"])
            for drift in check.drift {
                writer.write([
                    ("list", .text(drift.place)), ("state", .text(drift.isMissing ? "missing" : "extra")),
                    ("cidr", .text("\(drift.cidr)")),
                ])
            }
            writer.finish()
            for problem in check.problems { Talk.warning(Shown.text(problem)) }
            let places = check.places.isEmpty ? "no list is there to compare" : check.places.joined(separator: ", ")
            Talk.say(check.drift.isEmpty ? "no difference: \(places)" : "\(check.drift.count) differences: \(places)")
            if !check.drift.isEmpty || !check.problems.isEmpty { throw ExitCode(1) }
        }

        private static func row(_ entry: BanBook.Entry) -> ShownRow {
            let ban = entry.ban
            var row: ShownRow = [
                ("cidr", .text("\(ban.cidr)")), ("source.ip", .text("\(ban.sourceIP)")),
                ("state", .text(entry.state.rawValue)), ("start", .time(ban.start)), ("end", .time(ban.end)),
                ("rule.id", .text(ban.ruleID)),
            ]
            if let alert = ban.alertID { row.append(("alert.id", .text(alert))) }
            row += [
                ("reason", .text(ban.reason)), ("event.count", .number(ban.eventCount)),
                ("mode", .text(ban.mode.rawValue)), ("by", .text(ban.by)),
            ]
            if let act = entry.act {
                row += [
                    ("freed.at", .time(act.time)), ("freed.by", .text(act.by)), ("freed.reason", .text(act.reason)),
                ]
            }
            if let protection = entry.protection { row.append(("freed.reason", .text(protection))) }
            return row
        }
    }

    /// Empties every list.
    struct Pause: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Empty every list at once; bans go on being computed.",
            discussion: "  pgvigil bans pause --reason \"maintenance of the VPN\"")

        @OptionGroup var common: CommonOptions
        @Option(help: .init("Why, for those who come after you.", valueName: "text")) var reason: String

        func run() throws {
            try reporting {
                let isNew = try desk(common).setPaused(true, reason: reason)
                Talk.say(
                    isNew ? "every list is empty until `pgvigil bans resume --reason …`" : "lists are paused already")
            }
        }
    }

    /// Fills the lists again.
    struct Resume: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fill the lists again.", discussion: "  pgvigil bans resume --reason \"done\"")

        @OptionGroup var common: CommonOptions
        @Option(help: .init("Why, for those who come after you.", valueName: "text")) var reason: String

        func run() throws {
            try reporting {
                let isNew = try desk(common).setPaused(false, reason: reason)
                Talk.say(isNew ? "lists hold the bans in force again" : "lists are not paused")
            }
        }
    }

    /// Writes the lists once.
    struct Refresh: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the files of `blocklists` as they should be now, when no watch does.",
            discussion: """
                For pgvigil-refresh.timer: while `watch` is stopped, bans end also in files that have no clock of their \
                own. Does nothing while a watch keeps them. Ends with code 1 when a list is not current.

                  pgvigil bans refresh
                """)

        @OptionGroup var common: CommonOptions

        func run() throws {
            try reporting {
                let settings = try common.load()
                let refresh = try ListRefresh(try Store(existing: common.storePath(settings)), settings)
                for message in refresh.messages { Talk.say(message) }
                if !refresh.isDone { return Talk.say("a watch keeps the lists") }
                if !refresh.failing.isEmpty { throw ExitCode(1) }
            }
        }
    }

    private static func desk(_ common: CommonOptions) throws -> BanDesk {
        let settings = try common.load()
        return try BanDesk(
            try Store(path: common.storePath(settings)), settings, by: BanDesk.caller(), now: .wallClock)
    }
}

/// A length of time of the command line: a whole number and a unit.
struct LengthArgument: ExpressibleByArgument {
    let milliseconds: Int64

    init(milliseconds: Int64) { self.milliseconds = milliseconds }

    init?(argument: String) {
        let units: [Character: Int64] = ["s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let unit = argument.last.flatMap({ units[$0] }), let number = Int64(argument.dropLast()),
            number > 0, number <= 3650 * 86_400_000 / unit
        else { return nil }
        milliseconds = number * unit
    }

    var defaultValueDescription: String { Shown.duration(milliseconds) }
}
