import EventStore
import Foundation
import Responses
import VigilModel

/// Keeps the table of nftables as the store says. Needs CAP_NET_ADMIN and nothing else: it reads the store and the
/// configuration, and gives nft(8) addresses that it has read as such.
public final class Enforcer {
    private let store: Store
    private let configuration: Configuration
    private let table: NftablesTable

    /// Seconds between two looks at the store, and at the kernel.
    private static let interval = 0.5, verifyInterval = 10.0

    /// Takes the store, what holds for it, and the program nft(8).
    public init(_ store: Store, _ configuration: Configuration, nft: String) {
        self.store = store
        self.configuration = configuration
        table = NftablesTable(program: nft)
    }

    private func list() throws -> BlockList {
        try BanBook(store, configuration).list(at: .wallClock)
    }

    /// What would be given to nft.
    public func script() throws -> String { BlockListFormat.nft.render(try list(), configuration.listOptions) }

    /// Applies the list as it is; gives the number of bans.
    public func apply() throws -> Int {
        let list = try list()
        try table.apply(list, configuration.listOptions)
        return list.bans.count
    }

    /// Empties the table when it bans somebody; gives whether it did.
    public static func empty(_ configuration: Configuration, nft: String) throws -> Bool {
        let table = NftablesTable(program: nft)
        guard try table.blocks()?.isEmpty == false else { return false }
        try table.apply(BlockList(bans: [], moment: .wallClock), configuration.listOptions)
        return true
    }

    /// Applies every change until SIGTERM or SIGINT, or until SIGHUP asks for another configuration, which gives true. The
    /// table stays: its bans end by themselves. `tell` gets a line for
    /// each change and each new problem.
    public func run(tell: (String) -> Void) throws -> Bool {
        let stop = try StopSignal.shared()
        let lists = CurrentList(store, configuration)
        var applied: [Ban]?
        var verifiedAt = Date.distantPast
        var problem: String?
        var pause = Enforcer.interval
        while true {
            do {
                let current = try lists.get().list
                var reason = current.bans == applied ? nil : "\(current.bans.count) bans"
                if reason == nil, Date().timeIntervalSince(verifiedAt) > Enforcer.verifyInterval {
                    verifiedAt = Date()
                    // Whoever loads a firewall anew may flush the tables of others.
                    if try table.blocks() == nil { reason = "the table was gone; \(current.bans.count) bans" }
                }
                if let reason {
                    try table.apply(current, configuration.listOptions)
                    applied = current.bans
                    verifiedAt = Date()
                    tell("applied: \(reason)")
                }
                problem = nil
                pause = Enforcer.interval
            } catch {
                let text = Shown.text("\(error)", limit: 500)
                if problem != text { tell("not applied, trying again: \(text)") }
                problem = text
                pause = min(pause * 2, 60)
            }
            var waiting = pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&waiting, 1, Int32(pause * 1000)) > 0 { break }
        }
        if stop.take() == .reload { return true }
        tell("stopped; the table stays, and its bans end by themselves")
        return false
    }
}
