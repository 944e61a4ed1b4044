import EventStore
import Foundation
import Responses
import VigilModel

/// What is asked of the store for answers: over its connections for reading, so that whoever asks never holds up the
/// writer. Costly answers are kept for a while.
///
/// The store is the one that `watch` has open. Opening its file a second time would read its header, and closing that
/// descriptor would drop the locks of SQLite that this process has on it (https://www.sqlite.org/howtocorrupt.html, 2.2).
final class StoreFigures: @unchecked Sendable {
    // Unchecked: everything that changes is touched under the lock only.
    private let lock = NSLock()
    private let configuration: Configuration
    /// The store's file.
    let path: String
    private var store: Store?
    private var lists: CurrentList?
    private var list: (value: BlockList, pause: BanAct?, at: ContinuousClock.Instant)?
    private var status: (value: StoreStatus, at: ContinuousClock.Instant)?
    private var failures: Int64 = 0

    init(path: String, configuration: Configuration) {
        self.path = path
        self.configuration = configuration
    }

    /// What lists are made by.
    var listOptions: BlockListOptions { configuration.listOptions }
    /// Forms of the files that are kept; none while nothing is enforced.
    var keptFormats: [BlockListFormat] { policy.mode == .enforce ? configuration.blockLists.map(\.format) : [] }
    /// Who may be banned.
    var policy: BanPolicy { configuration.bans }

    /// The list as it is now, and what keeps it empty. At most a second old: many may ask.
    func blockList() throws -> (list: BlockList, pause: BanAct?) {
        try reading { store in
            let now = ContinuousClock.now
            if let list, now - list.at < .seconds(1) { return (list.value, list.pause) }
            let current = lists ?? CurrentList(store, configuration)
            lists = current
            let value = try current.get().list
            let pause = BanLedger(bans: [], acts: try store.acts([.pause, .resume])).pause(at: value.moment)
            list = (value, pause, now)
            return (value, pause)
        }
    }

    /// What the store holds; at most half a minute old, since rows are counted.
    func storeStatus() throws -> StoreStatus {
        try reading { store in
            let now = ContinuousClock.now
            if let status, now - status.at < .seconds(30) { return status.value }
            let value = try store.status()
            status = (value, now)
            return value
        }
    }

    /// What waits for sinks.
    func sinkStates() throws -> [SinkState] { try reading { try $0.sinkStates() } }

    /// How often people and lists changed what is kept out.
    func acts() throws -> [BanAct] { try reading { try $0.acts(Set(BanAct.Kind.allCases)) } }

    /// How often the store could not be read.
    var failureCount: Int64 { lock.withLock { failures } }

    /// From now on the store can be asked; with nil no more, and whoever asks has ended when this returns.
    func use(_ store: Store?) {
        lock.withLock {
            self.store = store
            lists = nil
            list = nil
            status = nil
        }
    }

    private func reading<Value>(_ body: (Store) throws -> Value) throws -> Value {
        try lock.withLock {
            guard let store else {
                throw StoreNotOpen()
            }
            do { return try body(store) } catch {
                failures += 1
                throw error
            }
        }
    }
}

/// The store is not open: `watch` is beginning, or takes another configuration.
struct StoreNotOpen: Error {}
