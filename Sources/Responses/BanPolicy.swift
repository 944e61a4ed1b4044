import VigilModel

/// A block of addresses that is never banned, and why.
public struct AllowEntry: Sendable, Hashable {
    /// The addresses.
    public var cidr: CIDR
    /// Why, in the words of who configured it, or what was found to need it.
    public var reason: String
    /// From when on it is known.
    public var since = LogTime.distantPast

    /// Takes both.
    public init(cidr: CIDR, reason: String, since: LogTime = .distantPast) {
        self.cidr = cidr
        self.reason = reason
        self.since = since
    }
}

/// Who is banned and for how long. Pure: history comes in, a decision goes out.
public struct BanPolicy: Sendable {
    /// Whether bans are computed or enforced.
    public var mode: BanMode = .observe
    /// Never banned, as configured.
    public var allow: [AllowEntry] = []
    /// Never banned, since they are this machine's, or the fleet's.
    public var topology: [AllowEntry] = []
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
    /// No more new bans within a minute, and no more in all.
    public var perMinute = 20, total = 1000
    /// What becomes of an address with good sessions before the attack.
    public var priorSessions = PriorSessions.spare
    /// So many bans in one /24 (IPv6: /48) are listed as that block; nil: never.
    public var aggregate: Int?

    /// `bans.prior_sessions`.
    public enum PriorSessions: String, Sendable, CaseIterable {
        /// It is not banned; an alert tells the numbers.
        case spare
        /// It is banned like any other.
        case ban
    }

    /// Good sessions count so far back before an attack, in milliseconds.
    public static let sessionMemory: Int64 = 30 * 86_400_000
    /// Nothing wider is banned: leading bits for IPv4 and IPv6.
    public static let widest = (v4: 24, v6: 48)

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
        // The /64 around ::1 is no customer's network; that of 64:ff9b::/96 is all of IPv4, translated (RFC 6052).
        let isOne = ip.isV4 || ip.isLoopback || CIDR("64:ff9b::/96")?.contains(ip) == true
        return CIDR(ip, prefix: isOne ? ip.bitWidth : ipv6Prefix)
    }

    /// Decides about an alert of a rule that bans for `time` milliseconds at first. `history` holds the earlier bans of
    /// the same block, and what people decided about them: a ban that somebody ended was none.
    public func decide(_ alert: Alert, time: Int64, history: BanLedger) -> Verdict {
        guard let ip = alert.sourceIP else { return .spared("there is no address") }
        let block = block(of: ip)
        if let reason = protection(of: block, at: alert.time) { return .spared(reason) }
        let earlier = history.bans.filter {
            $0.cidr == block && $0.start <= alert.time && alert.time.milliseconds - $0.end.milliseconds < forgetting
                && history.release(of: $0, by: alert.time) == nil
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

    /// Why a block is not banned at a moment; nil when it may be.
    public func protection(of block: CIDR, at moment: LogTime = .distantFuture) -> String? {
        if let entry = allow.first(where: { $0.cidr.overlaps(block) }) {
            return "allowed by \(entry.cidr)" + (entry.reason.isEmpty ? "" : ": \(entry.reason)")
        }
        if let entry = topology.first(where: { $0.since <= moment && $0.cidr.overlaps(block) }) {
            return "\(entry.cidr) is \(entry.reason)"
        }
        let ip = block.address
        if ip.isUnroutable { return "no single host has this address" }
        if ip.isLoopback && !loopback { return "loopback; bans.loopback is off" }
        if ip.isPrivate && !`private` { return "a private address; bans.private is off" }
        return nil
    }
}
