import EventStore
import Foundation
import Responses
import VigilModel

/// The list as it is now, asked for again and again: of the events only new ones are looked at.
struct CurrentList {
    private let store: Store
    private let configuration: Configuration
    private let known: KnownAddresses

    init(_ store: Store, _ configuration: Configuration) {
        self.store = store
        self.configuration = configuration
        known = KnownAddresses(store, monitors: configuration.topology.monitors)
    }

    func get() throws -> BlockList {
        let policy = try known.policy(configuration.bans)
        let now = LogTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        return try BanBook(store, policy: policy).list(at: now)
    }
}
