import EventStore
import Foundation
import Responses
import VigilModel

/// The list as it is now, asked for again and again: what takes a look at all events is remembered for a while.
struct CurrentList {
    private let store: Store
    private let configuration: Configuration
    private var policy: BanPolicy?
    private var madeAt = Date.distantPast
    private var version: [Int64] = []

    /// Seconds after which the fleet is looked for again in the logs; new bans and acts do so at once.
    private static let memory = 600.0

    init(_ store: Store, _ configuration: Configuration) {
        self.store = store
        self.configuration = configuration
    }

    mutating func get() throws -> BlockList {
        let current = try store.banVersion()
        let policy: BanPolicy
        if let known = self.policy, current == version, Date().timeIntervalSince(madeAt) < CurrentList.memory {
            policy = known
        } else {
            policy = try BanBook.policy(configuration, store)
            (self.policy, madeAt, version) = (policy, Date(), current)
        }
        let now = LogTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        return try BanBook(store, policy: policy).list(at: now)
    }
}
