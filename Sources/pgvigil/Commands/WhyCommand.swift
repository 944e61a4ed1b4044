import ArgumentParser
import EventStore
import Foundation
import Responses
import Vigil
import VigilModel

/// Why an address is or is not banned.
struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Say why an address is or is not banned, and how to free it.",
        discussion: """
              pgvigil why 203.0.113.66
              pgvigil why 203.0.113.66 --at 2026-03-02T12:30:00Z
            """)

    @OptionGroup var common: CommonOptions
    @Argument(help: .init("An address.", valueName: "address")) var address: String
    @Option(help: .init("As it was at a moment; default: now.", valueName: "time")) var at: TimeArgument?

    func validate() throws {
        if IPAddress(address) == nil { throw ValidationError("'\(Shown.text(address, limit: 60))' is no address.") }
    }

    func run() throws {
        try reporting {
            guard let ip = IPAddress(address) else { return }
            let settings = try common.load()
            let path = common.storePath(settings)
            let store = try Store(existing: path)
            let moment = at?.time ?? .wallClock
            let account = try AddressAccount(of: ip, in: store, settings, at: moment)
            var text = WhyText(ip, account, settings, at: moment)
            var filter = EventFilter()
            filter.until = moment
            filter.values = [("source.ip", ip.description)]
            filter.limit = 5
            try store.query(.alerts, filter) { text.add(alert: $0) }
            text.finish(store: common.store == nil ? "" : " --store \(path)")
            print(text.lines.joined(separator: "\n"))
        }
    }
}
