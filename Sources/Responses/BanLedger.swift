import VigilModel

/// Bans, and what people decided about them since.
public struct BanLedger: Sendable {
    /// Bans as they were made.
    public var bans: [Ban]
    /// What people decided.
    public let acts: BanActs

    /// Takes both; acts in the order they were recorded.
    public init(bans: [Ban], acts: [BanAct] = []) { self.init(bans: bans, acts: BanActs(acts)) }

    /// Takes both.
    public init(bans: [Ban], acts: BanActs) {
        self.bans = bans
        self.acts = acts
    }

    /// Who ended a ban before its time, the first that did by a moment.
    public func release(of ban: Ban, by moment: LogTime) -> BanAct? { acts.release(of: ban, by: moment) }

    /// The act that keeps every list empty at a moment; nil when none does.
    public func pause(at moment: LogTime) -> BanAct? { acts.pause(at: moment) }

    /// When a ban ended, by its time or before, as known at a moment; nil when it is in force. What is protected now was
    /// perhaps not when it was banned: since when is not known.
    private func freed(_ ban: Ban, _ policy: BanPolicy, at moment: LogTime, pause: BanAct?) -> BlockList.Freed? {
        let times = [release(of: ban, by: moment), pause].compactMap { $0?.time }
        if let time = times.min() { return BlockList.Freed(ban: ban, time: max(ban.start, min(ban.end, time))) }
        if ban.end <= moment { return BlockList.Freed(ban: ban, time: ban.end) }
        return policy.protection(of: ban.cidr, at: moment).map { _ in BlockList.Freed(ban: ban, time: nil) }
    }

    /// The list at a moment, with nobody known to be a good one.
    public func list(under policy: BanPolicy, at moment: LogTime) -> BlockList {
        list(under: policy, at: moment) { _ in [] }
    }

    /// The list at a moment: of each block the ban that ends last. `sparing` gives addresses of a block that are known to
    /// be good ones: no neighbours are put together over them.
    public func list(
        under policy: BanPolicy, at moment: LogTime, sparing: (CIDR) throws -> [IPAddress]
    ) rethrows -> BlockList {
        var inForce: [CIDR: Ban] = [:]
        var free: [CIDR: BlockList.Freed] = [:]
        let pause = pause(at: moment)
        for ban in bans where ban.start <= moment && moment < ban.end.adding(milliseconds: BlockList.memory) {
            if let freed = freed(ban, policy, at: moment, pause: pause) {
                if let other = free[ban.cidr], other.ban.end >= ban.end { continue }
                free[ban.cidr] = freed
            } else {
                if let other = inForce[ban.cidr], other.end >= ban.end { continue }
                inForce[ban.cidr] = ban
            }
        }
        let held = Array(inForce.values)
        let index = BlockIndex(held.lazy.map { ($0.cidr, $0) })
        let freed = free.values.filter { !index.holds($0.ban.cidr) }
        return BlockList(
            bans: try policy.aggregated(held, acts, at: moment, sparing: sparing), single: held, freed: freed,
            moment: moment)
    }

    /// Blocks that stand for many bans at a moment, as they would be listed were there no pause.
    public func aggregates(
        under policy: BanPolicy, at moment: LogTime, sparing: (CIDR) throws -> [IPAddress]
    ) rethrows -> [Ban] {
        guard policy.aggregate != nil else { return [] }
        var inForce: [CIDR: Ban] = [:]
        for ban in bans where ban.start <= moment && moment < ban.end {
            guard freed(ban, policy, at: moment, pause: nil) == nil else { continue }
            if let other = inForce[ban.cidr], other.end >= ban.end { continue }
            inForce[ban.cidr] = ban
        }
        return try policy.aggregated(Array(inForce.values), acts, at: moment, sparing: sparing)
            .filter { $0.ruleID == Ban.aggregate }.sorted { $0.cidr < $1.cidr }
    }
}

extension BanPolicy {
    /// Neighbours put together when that is asked for, never wider than /24 and /48, and never over an address that is
    /// protected, that somebody freed, or that is known to be a good one, unless that is banned itself. A block lasts
    /// while enough of its bans do; those that last longer stand beside it.
    func aggregated(
        _ bans: [Ban], _ acts: BanActs, at moment: LogTime, sparing: (CIDR) throws -> [IPAddress]
    ) rethrows -> [Ban] {
        guard let aggregate else { return bans }
        let groups = Dictionary(grouping: bans) { ban in
            CIDR(ban.cidr.address, prefix: ban.cidr.address.isV4 ? BanPolicy.widest.v4 : BanPolicy.widest.v6)
        }
        return try groups.flatMap { block, members -> [Ban] in
            guard members.count >= aggregate, protection(of: block) == nil,
                try !holdsInnocent(block, members, acts, at: moment, sparing: sparing)
            else { return members }
            let order = members.sorted { ($1.end, $0.cidr) < ($0.end, $1.cidr) }
            var whole = order[aggregate - 1]
            whole.cidr = block
            whole.start = members.map(\.start).min() ?? whole.start
            whole.eventCount = members.reduce(0) { $0 + $1.eventCount }
            whole.reason = "\(members.count) banned neighbours"
            whole.ruleID = Ban.aggregate
            whole.alertID = nil
            whole.by = "rule"
            whole.seq = 0
            return [whole] + order.filter { $0.end > whole.end }
        }
    }

    /// Whether a block holds an address that must go on getting in although its neighbours must not.
    private func holdsInnocent(
        _ block: CIDR, _ members: [Ban], _ acts: BanActs, at moment: LogTime, sparing: (CIDR) throws -> [IPAddress]
    ) rethrows -> Bool {
        let banned = BlockIndex(members.lazy.map { ($0.cidr, ()) })
        // Somebody who bans the whole block wants no other.
        if banned.holds(block) { return true }
        let freed = acts.unbans(of: block, by: moment).contains { act in
            moment.milliseconds - act.time.milliseconds < forgetting && !(act.cidr.map(banned.holds) ?? false)
        }
        return try freed || sparing(block).contains { !banned.holds(CIDR($0, prefix: $0.bitWidth)) }
    }
}

extension BanLedger {
    /// The first moment after one at which a list of these bans may be another without anything being added: when a ban
    /// begins, ends or is forgotten, or an act begins to hold.
    public func nextChange(after moment: LogTime) -> LogTime {
        var next = LogTime.distantFuture
        for ban in bans {
            for time in [ban.start, ban.end, ban.end.adding(milliseconds: BlockList.memory)] where time > moment {
                next = min(next, time)
            }
        }
        for time in acts.times where time > moment { next = min(next, time) }
        return next
    }
}
