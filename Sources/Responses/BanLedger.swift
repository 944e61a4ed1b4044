import VigilModel

/// Bans, and what people decided about them since.
public struct BanLedger: Sendable {
    /// Bans as they were made.
    public var bans: [Ban]
    /// Acts in the order they were recorded.
    public var acts: [BanAct]

    /// Takes both.
    public init(bans: [Ban], acts: [BanAct] = []) {
        self.bans = bans
        self.acts = acts
    }

    /// Who ended a ban before its time, the first that did by a moment. An act is about every ban that was there when it
    /// was recorded, and those that began before it.
    public func release(of ban: Ban, by moment: LogTime) -> BanAct? {
        acts.filter { act in
            act.kind == .unban && act.time <= moment && act.time < ban.end
                && (ban.start <= act.time || (ban.seq > 0 && ban.seq <= act.through))
                && act.cidr?.overlaps(ban.cidr) ?? true
        }.min { $0.time < $1.time }
    }

    /// The act that keeps every list empty at a moment; nil when none does.
    public func pause(at moment: LogTime) -> BanAct? {
        let last = acts.last { ($0.kind == .pause || $0.kind == .resume) && $0.time <= moment }
        return last?.kind == .pause ? last : nil
    }

    /// When a ban ended, by its time or before, as known at a moment; nil when it is in force. What is protected now was
    /// perhaps not when it was banned: since when is not known.
    private func freed(_ ban: Ban, _ policy: BanPolicy, at moment: LogTime) -> BlockList.Freed? {
        let times = [release(of: ban, by: moment), pause(at: moment)].compactMap { $0?.time }
        if let time = times.min() { return BlockList.Freed(ban: ban, time: max(ban.start, min(ban.end, time))) }
        if ban.end <= moment { return BlockList.Freed(ban: ban, time: ban.end) }
        return policy.protection(of: ban.cidr, at: moment).map { _ in BlockList.Freed(ban: ban, time: nil) }
    }

    /// The list at a moment: of each block the ban that ends last.
    public func list(under policy: BanPolicy, at moment: LogTime) -> BlockList {
        var inForce: [CIDR: Ban] = [:]
        var free: [CIDR: BlockList.Freed] = [:]
        for ban in bans where ban.start <= moment && moment < ban.end.adding(milliseconds: BlockList.memory) {
            if let freed = freed(ban, policy, at: moment) {
                if let other = free[ban.cidr], other.ban.end >= ban.end { continue }
                free[ban.cidr] = freed
            } else {
                if let other = inForce[ban.cidr], other.end >= ban.end { continue }
                inForce[ban.cidr] = ban
            }
        }
        let held = Array(inForce.values)
        let freed = free.values.filter { freed in !held.contains { $0.cidr.contains(freed.ban.sourceIP) } }
        return BlockList(bans: policy.aggregated(held), freed: freed, moment: moment)
    }
}

extension BanPolicy {
    /// Neighbours put together when that is asked for, never wider than /24 and /48, and never over what is protected.
    /// A block lasts while enough of its bans do; those that last longer stand beside it.
    func aggregated(_ bans: [Ban]) -> [Ban] {
        guard let aggregate else { return bans }
        let groups = Dictionary(grouping: bans) { ban in
            CIDR(ban.cidr.address, prefix: ban.cidr.address.isV4 ? BanPolicy.widest.v4 : BanPolicy.widest.v6)
        }
        return groups.flatMap { block, members -> [Ban] in
            let order = members.sorted { ($1.end, $0.cidr) < ($0.end, $1.cidr) }
            guard order.count >= aggregate, protection(of: block) == nil else { return members }
            var whole = order[aggregate - 1]
            whole.cidr = block
            whole.start = members.map(\.start).min() ?? whole.start
            whole.eventCount = members.reduce(0) { $0 + $1.eventCount }
            whole.reason = "\(members.count) banned neighbours"
            whole.alertID = nil
            return [whole] + order.filter { $0.end > whole.end && $0.cidr != block }
        }
    }
}
