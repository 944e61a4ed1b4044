import EventStore
import Foundation
import Responses
import VigilModel

/// Where people ban, free and pause: each act is recorded with who and why.
public struct BanDesk {
    private let store: Store
    private let configuration: Configuration
    private let book: BanBook
    private var policy: BanPolicy { book.policy }
    private let by: String
    private let now: LogTime

    /// Why something was refused, and what to do.
    public struct Refusal: Error, CustomStringConvertible {
        /// What and why.
        public let description: String
    }

    /// Takes the store, what holds for it, who acts, and the time by the clock.
    public init(_ store: Store, _ configuration: Configuration, by: String, now: LogTime) throws {
        self.store = store
        self.configuration = configuration
        book = try BanBook(store, configuration)
        self.by = by
        self.now = now
    }

    /// Whose the acts of this process are: who called sudo, else the name of the user.
    public static func caller() -> String {
        if geteuid() == 0, let name = ProcessInfo.processInfo.environment["SUDO_USER"], !name.isEmpty { return name }
        return getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "uid \(getuid())"
    }

    /// Bans an address, IPv6 by its usual block, or a block.
    public func ban(_ text: String, for length: Int64, reason: String, from start: LogTime? = nil) throws -> Ban {
        let block = try block(text)
        if let reason = policy.protection(of: block) {
            throw Refusal(
                description: "\(block) is never banned: \(reason)\n  hint: `allow`, `topology` and `bans` in the "
                    + "configuration say who is")
        }
        let widest = block.address.isV4 ? BanPolicy.widest.v4 : BanPolicy.widest.v6
        guard block.prefix >= widest else {
            throw Refusal(description: "\(block) is too wide\n  hint: nothing wider than /\(widest) is banned")
        }
        let start = start ?? now
        let ban = Ban(
            cidr: block, sourceIP: IPAddress(text) ?? block.address, start: start,
            end: start.adding(milliseconds: length), ruleID: Ban.manual, alertID: nil, reason: reason, eventCount: 0,
            mode: policy.mode, by: by)
        try store.add(ban)
        return ban
    }

    /// What an unban ended.
    public struct Freed: Sendable {
        /// Bans in force that hold the address or lie in the block.
        public let bans: [Ban]
        /// Blocks put together of neighbours that are no longer listed as such.
        public let blocks: [Ban]
    }

    /// Ends every ban in force that holds the address or lies in the block. A block that neighbours were put together to
    /// no longer stands for them; they themselves stay banned.
    public func unban(_ text: String, reason: String, from moment: LogTime? = nil) throws -> Freed {
        guard let block = CIDR(text) else { throw BanDesk.noAddress(text) }
        let moment = moment ?? now
        let ended = try store.bans(from: moment, to: moment).filter { ban in
            ban.cidr.overlaps(block)
        }
        let ledger = BanLedger(bans: ended, acts: try store.acts())
        let inForce = ended.filter { ledger.release(of: $0, by: moment) == nil }
        let blocks = try book.aggregates(at: moment).filter { $0.cidr.overlaps(block) }
        guard !inForce.isEmpty || !blocks.isEmpty else { return Freed(bans: [], blocks: []) }
        try store.add(BanAct(kind: .unban, time: moment, cidr: block, by: by, reason: reason), written: now)
        return Freed(bans: inForce, blocks: blocks)
    }

    /// Empties every list, or fills them again; false when it was so already.
    public func setPaused(_ isPaused: Bool, reason: String) throws -> Bool {
        let ledger = BanLedger(bans: [], acts: try store.acts([.pause, .resume]))
        guard (ledger.pause(at: now) != nil) != isPaused else { return false }
        let kind: BanAct.Kind = isPaused ? .pause : .resume
        try store.add(BanAct(kind: kind, time: now, cidr: nil, by: by, reason: reason), written: now)
        return true
    }

    private func block(_ text: String) throws -> CIDR {
        if let address = IPAddress(text) { return policy.block(of: address) }
        guard let block = CIDR(text) else { throw BanDesk.noAddress(text) }
        // 192.0.2.7/24 names a host and a network: which one is meant?
        if let host = IPAddress(String(text.prefix { $0 != "/" })), host != block.address {
            throw Refusal(
                description: "\(Shown.text(text)) names a host and a network\n  hint: write \(block), or \(host) alone")
        }
        return block
    }

    private static func noAddress(_ text: String) -> Refusal {
        Refusal(
            description: "\(Shown.text(text, limit: 60)) is no address or CIDR\n  hint: write 192.0.2.7, 192.0.2.0/24 "
                + "or 2001:db8::/64")
    }
}
