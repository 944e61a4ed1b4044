import EventStore
import Responses
import VigilModel

/// Bans of a store as a configuration sees them.
public struct BanBook {
    private let store: Store
    private let policy: BanPolicy

    /// Takes the store and what holds for it.
    public init(_ store: Store, _ configuration: Configuration) throws {
        self.store = store
        policy = configuration.bans
    }

    /// The list at a moment.
    public func list(at moment: LogTime) throws -> BlockList {
        BanLedger(bans: try store.bans(from: moment, to: moment), acts: try store.acts())
            .list(under: policy, at: moment)
    }
}
