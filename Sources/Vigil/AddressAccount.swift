import EventStore
import Responses
import VigilModel

/// All that a store knows of an address: why it is or is not banned.
public struct AddressAccount: Sendable {
    /// What would be banned for it.
    public private(set) var block: CIDR
    /// Failed logins, and how often each user and each reason.
    public var failures: Int64 = 0
    /// Users of failed logins.
    public var failedUsers: [String: Int64] = [:]
    /// Reasons of failed logins.
    public var reasons: [String: Int64] = [:]
    /// First and last failed login.
    public var firstFailure, lastFailure: LogTime?
    /// Logins that succeeded, in the 30 days before.
    public var sessions: Int64 = 0
    /// Users of these.
    public var users: [String: Int64] = [:]
    /// The last of these.
    public var lastSession: LogTime?
    /// False when no server in the store logs successful logins: then there may have been some.
    public var knowsSessions = false
    /// Bans of the block, or of one that meets it, as they stand.
    public var bans: [BanBook.Entry] = []
    /// Why the address is never banned.
    public var protection: String?
    /// Who keeps every list empty.
    public var pause: BanAct?

    /// Looks into a store, at a moment.
    public init(of address: IPAddress, in store: Store, _ configuration: Configuration, at moment: LogTime) throws {
        try self.init(of: configuration.bans.block(of: address), in: store, configuration, at: moment)
    }

    /// The same about a block.
    public init(of block: CIDR, in store: Store, _ configuration: Configuration, at moment: LogTime) throws {
        let book = try BanBook(store, configuration)
        self.block = block
        protection = book.policy.protection(of: block, at: moment)
        pause = BanLedger(bans: [], acts: try store.acts()).pause(at: moment)
        bans = try book.entries(at: moment, all: true).filter { $0.ban.cidr.overlaps(block) && $0.state != .future }
        let recent = moment.adding(milliseconds: -BanPolicy.sessionMemory)
        knowsSessions = try store.hasSessions(after: recent, through: moment)
        try look(in: store, after: .distantPast, through: moment, for: "auth.failure") { $0.count(failure: $1) }
        try look(in: store, after: recent, through: moment, for: "auth.success") { $0.count(session: $1) }
    }

    /// Counts the events of an action that are of the block's addresses, as clients of a proxy too.
    private mutating func look(
        in store: Store, after: LogTime, through: LogTime, for action: String,
        _ count: (inout AddressAccount, DetectionEvent) -> Void
    ) throws {
        let block = block
        // Behind a proxy the actor is not who it was.
        let actors = try store.hasProxies() ? nil : store.actors(in: block)
        guard actors?.isEmpty != true else { return }
        var account = self
        try store.forEachEvent(
            after: after, through: through, DetectionMemory { $0.action == action ? .event : nil }, alone: true,
            actors: actors
        ) { event, _ in
            if let ip = event.ip, block.contains(ip) { count(&account, event) }
        }
        self = account
    }

    private mutating func count(failure event: DetectionEvent) {
        failures += event.count
        AddressAccount.add(event.count, of: event.user ?? "(none)", to: &failedUsers)
        AddressAccount.add(event.count, of: event.kind.reason ?? "unknown", to: &reasons)
        firstFailure = firstFailure ?? event.time
        lastFailure = event.time
    }

    private mutating func count(session event: DetectionEvent) {
        sessions += event.count
        AddressAccount.add(event.count, of: event.user ?? "(none)", to: &users)
        lastSession = event.time
    }

    /// An attacker's made-up names must not fill memory.
    private static func add(_ count: Int64, of name: String, to counts: inout [String: Int64]) {
        if counts.count < 10_000 || counts[name] != nil { counts[name, default: 0] += count }
    }
}
