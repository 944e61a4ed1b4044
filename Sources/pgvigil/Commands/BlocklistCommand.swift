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
            For firewalls, fail2ban, HAProxy and PostgreSQL; docs/blocklists.md tells how to wire each. Addresses of the \
            allow list and of the fleet are never printed, and nothing is while `bans pause` holds. The same bans give \
            the same bytes; an empty list is a valid file. `replay` says with which --at its bans are shown.

              pgvigil blocklist --format haproxy > /etc/haproxy/pgvigil.acl
              pgvigil blocklist --format nft | nft -f -
              pgvigil blocklist --format fail2ban --at 2026-03-02T23:59:00Z
              pgvigil blocklist --format plain --diff yesterday.txt

            pg_hba: `include_if_exists` is known from PostgreSQL 16 on. Before, the lines go to the top of pg_hba.conf \
            itself: an include there keeps a server from starting.
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: "The form; plain is a CIDR a line, IPv4 first.")
    var format: BlockListFormat = .plain

    @Option(help: .init("The moment; default: now.", valueName: "time"))
    var at: TimeArgument?

    @Option(
        help: .init(
            "Print what changed since a file of the same form was written: +CIDR and -CIDR, a line each.",
            valueName: "file"), completion: .file())
    var diff: String?

    @Option(help: .init("haproxy_runtime: the file of the ACL, as haproxy.cfg names it.", valueName: "file"))
    var acl: String?

    @Option(
        help: .init(
            "haproxy_runtime: the version that HAProxy gives next (`show acl`: next_ver + 1).", valueName: "number"))
    var aclVersion: Int?

    func validate() throws {
        if acl != nil || aclVersion != nil, format != .haproxyRuntime {
            throw ValidationError("--acl and --acl-version belong to --format haproxy_runtime.")
        }
        if let acl, acl.isEmpty || acl.contains(where: { $0.isWhitespace || $0 == ";" || $0 == "\\" }) {
            throw ValidationError("--acl takes a path without blanks, semicolons and backslashes.")
        }
        if let aclVersion, aclVersion < 1 { throw ValidationError("--acl-version takes a number from 1.") }
    }

    func run() throws {
        try reporting {
            let settings = try common.load()
            let store = try Store(existing: common.storePath(settings))
            let moment = at?.time ?? .wallClock
            let list = try BanBook(store, settings).list(at: moment)
            FileHandle.standardOutput.write(Data(try text(list, settings).utf8))
            if list.bans.isEmpty, Talk.isTerminal { Talk.say("no ban is in force at \(moment)") }
        }
    }

    private func text(_ list: BlockList, _ settings: Configuration) throws -> String {
        guard let diff else {
            var options = settings.listOptions
            if let acl { options.aclFile = acl }
            if let aclVersion { options.aclVersion = aclVersion }
            return format.render(list, options)
        }
        guard let bytes = FileManager.default.contents(atPath: diff) else {
            throw Failure(ValidationError("\(diff): this file cannot be read\n  hint: --diff takes an earlier list"))
        }
        return BlockListChange(from: String(decoding: bytes, as: UTF8.self), to: list, format: format).text
    }
}

extension BlockListFormat: ExpressibleByArgument {}
