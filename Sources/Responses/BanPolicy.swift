import VigilModel

/// A block of addresses that is never banned, and why.
public struct AllowEntry: Sendable, Hashable {
    /// The addresses.
    public var cidr: CIDR
    /// Why, in the words of who configured it.
    public var reason: String

    /// Takes both.
    public init(cidr: CIDR, reason: String) {
        self.cidr = cidr
        self.reason = reason
    }
}

/// Who is banned and for how long. Pure: history comes in, a decision goes out.
public struct BanPolicy: Sendable {
    /// Whether bans are computed or enforced.
    public var mode: BanMode = .observe
    /// Never banned.
    public var allow: [AllowEntry] = []
    /// Whether loopback and private addresses may be banned.
    public var loopback = false
    /// Whether private addresses may be banned.
    public var `private` = false
    /// Each return multiplies the time by this.
    public var factor: Int64 = 4
    /// No ban is longer (milliseconds).
    public var ceiling: Int64 = 7 * 86_400_000
    /// A ban that ended so long ago is forgotten (milliseconds).
    public var forgetting: Int64 = 30 * 86_400_000
    /// IPv6 addresses are banned by a prefix of so many bits.
    public var ipv6Prefix = 64

    /// The defaults of a careful operator.
    public init() {}

    /// What is decided about an alert.
    public enum Verdict: Sendable, Equatable {
        /// Banned.
        case banned(Ban)
        /// Not banned, for that reason.
        case spared(String)
    }

    /// What would be banned for an address.
    public func block(of ip: IPAddress) -> CIDR {
        // The /64 around ::1 is no customer's network.
        CIDR(ip, prefix: ip.isV4 || ip.isLoopback ? ip.bitWidth : ipv6Prefix)
    }

    /// Decides about an alert of a rule that bans for `time` milliseconds at first. `history` holds the earlier bans of
    /// the same block.
    public func decide(_ alert: Alert, time: Int64, history: [Ban]) -> Verdict {
        guard let ip = alert.sourceIP else { return .spared("there is no address") }
        let block = block(of: ip)
        if let reason = protection(of: block) { return .spared(reason) }
        let earlier = history.filter {
            $0.cidr == block && $0.start <= alert.time && alert.time.milliseconds - $0.end.milliseconds < forgetting
        }
        let returns = BanPolicy.episodes(earlier, endedBy: alert.time)
        var length = time
        for _ in 0..<min(returns, 16) where length < ceiling { length *= factor }
        let end = alert.time.adding(milliseconds: min(length, ceiling))
        if earlier.contains(where: { $0.end >= end }) { return .spared("a longer ban is in force") }
        return .banned(
            Ban(
                cidr: block, sourceIP: ip, start: alert.time, end: end, ruleID: alert.rule.id, alertID: alert.id,
                reason: alert.rule.name, eventCount: alert.eventCount, mode: mode, by: "rule"))
    }

    /// How often somebody was kept out: bans that overlap are one attack seen by several rules.
    private static func episodes(_ bans: [Ban], endedBy moment: LogTime) -> Int {
        var count = 0
        var end = LogTime.distantPast
        for ban in bans.filter({ $0.end <= moment }).sorted(by: { $0.start < $1.start }) {
            if ban.start >= end { count += 1 }
            end = max(end, ban.end)
        }
        return count
    }

    /// Why a block is never banned; nil when it may be.
    public func protection(of block: CIDR) -> String? {
        if let entry = allow.first(where: { $0.cidr.overlaps(block) }) {
            return "allowed by \(entry.cidr)" + (entry.reason.isEmpty ? "" : ": \(entry.reason)")
        }
        let ip = block.address
        if ip.isUnroutable { return "no single host has this address" }
        if ip.isLoopback && !loopback { return "loopback; bans.loopback is off" }
        if ip.isPrivate && !`private` { return "a private address; bans.private is off" }
        return nil
    }

    /// The bans that are in force at a moment: one for each block, the one that ends last. What is protected now was
    /// perhaps not when it was banned.
    public func inForce(_ bans: [Ban], at moment: LogTime) -> [Ban] {
        var latest: [CIDR: Ban] = [:]
        for ban in bans where ban.start <= moment && moment < ban.end && protection(of: ban.cidr) == nil {
            if let other = latest[ban.cidr], other.end >= ban.end { continue }
            latest[ban.cidr] = ban
        }
        return latest.values.sorted { $0.cidr < $1.cidr }
    }
}
