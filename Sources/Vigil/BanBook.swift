import EventStore
import Responses
import VigilModel

/// Bans of a store as a configuration sees them.
public struct BanBook {
    private let store: Store
    private let known: KnownAddresses
    /// Who may be banned, with what the store tells of the fleet.
    public let policy: BanPolicy

    /// Takes the store and what holds for it.
    public init(_ store: Store, _ configuration: Configuration) throws {
        let known = KnownAddresses(store, monitors: configuration.topology.monitors)
        self.init(store, policy: try known.policy(configuration.bans), known: known)
    }

    /// Takes who may be banned as known before.
    init(_ store: Store, policy: BanPolicy, known: KnownAddresses) {
        self.store = store
        self.policy = policy
        self.known = known
    }

    /// The list at a moment.
    public func list(at moment: LogTime) throws -> BlockList {
        try ledger(at: moment).list(under: policy, at: moment) { try known.good(in: $0, by: moment) }
    }

    /// What a list at a moment is made of.
    func ledger(at moment: LogTime) throws -> BanLedger {
        BanLedger(
            bans: try store.bans(from: moment.adding(milliseconds: -BlockList.memory), to: moment),
            acts: try store.acts())
    }

    /// Blocks that stand in lists for many banned neighbours (`bans.aggregate`), also while lists are paused.
    public func aggregates(at moment: LogTime) throws -> [Ban] {
        guard policy.aggregate != nil else { return [] }
        return try ledger(at: moment).aggregates(under: policy, at: moment) { try known.good(in: $0, by: moment) }
    }

    /// How a ban stands.
    public enum State: String, Sendable {
        /// It keeps the address out.
        case inForce = "in force"
        /// Its time is over.
        case ended
        /// A person ended it.
        case unbanned
        /// The address is never banned, by now.
        case protected
        /// It would, were the lists not paused.
        case paused
        /// It has not begun.
        case future
    }

    /// A ban and how it stands.
    public struct Entry: Sendable {
        /// The ban as it was made.
        public let ban: Ban
        /// How it stands at the moment asked for.
        public let state: State
        /// The act that ended it, or keeps it from holding.
        public let act: BanAct?
        /// Why the address is never banned.
        public let protection: String?
    }

    /// Bans as they stand at a moment, in the order they were recorded: those in force, or all. Behind them the blocks that
    /// neighbours were put together to.
    public func entries(at moment: LogTime, all: Bool) throws -> [Entry] {
        let bans = all ? try store.allBans() : try store.bans(from: moment, to: moment)
        let ledger = BanLedger(bans: bans, acts: try store.acts())
        let pause = ledger.pause(at: moment)
        let entries = bans.map { ban -> Entry in
            if let act = ledger.release(of: ban, by: moment) {
                return Entry(ban: ban, state: .unbanned, act: act, protection: nil)
            }
            if ban.end <= moment { return Entry(ban: ban, state: .ended, act: nil, protection: nil) }
            if ban.start > moment { return Entry(ban: ban, state: .future, act: nil, protection: nil) }
            if let reason = policy.protection(of: ban.cidr, at: moment) {
                return Entry(ban: ban, state: .protected, act: nil, protection: reason)
            }
            return Entry(ban: ban, state: pause == nil ? .inForce : .paused, act: pause, protection: nil)
        }
        let blocks = try aggregates(at: moment).map {
            Entry(ban: $0, state: pause == nil ? .inForce : .paused, act: pause, protection: nil)
        }
        return (all ? entries : entries.filter { $0.state == .inForce || $0.state == .paused }) + blocks
    }
}
