import VigilModel

/// What people decided about bans, so that what is about a block is found without going over all.
public struct BanActs: Sendable {
    private let unbans: BlockIndex<BanAct>
    /// Those of every block.
    private let general: [BanAct]
    private let pauses: [BanAct]
    /// When they hold from, in order.
    let times: [LogTime]

    /// Takes acts in the order they were recorded.
    public init(_ acts: [BanAct]) {
        let released = acts.filter { $0.kind == .unban }
        unbans = BlockIndex(released.compactMap { act in act.cidr.map { ($0, act) } })
        general = released.filter { $0.cidr == nil }
        pauses = acts.filter { $0.kind == .pause || $0.kind == .resume }
        times = Set(acts.map(\.time)).sorted()
    }

    /// Who freed addresses of a block by a moment.
    func unbans(of block: CIDR, by moment: LogTime) -> [BanAct] {
        (unbans.meeting(block) + general).filter { $0.time <= moment }
    }

    /// Who ended a ban before its time, the first that did by a moment. An act is about every ban that was there when it
    /// was recorded, and those that began before it.
    func release(of ban: Ban, by moment: LogTime) -> BanAct? {
        unbans(of: ban.cidr, by: moment).filter { act in
            act.time < ban.end && (ban.start <= act.time || (ban.seq > 0 && ban.seq <= act.through))
        }.min { $0.time < $1.time }
    }

    /// The act that keeps every list empty at a moment; nil when none does.
    func pause(at moment: LogTime) -> BanAct? {
        let last = pauses.last { $0.time <= moment }
        return last?.kind == .pause ? last : nil
    }
}
