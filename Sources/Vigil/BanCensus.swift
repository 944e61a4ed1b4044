import Responses
import VigilModel

/// How many bans of rules are in force, and how many of them began within a minute, while time goes on. Each ban is
/// looked at when it begins and when it ends, whatever the number of questions.
struct BanCensus {
    /// How often a ban was looked at: what it costs.
    private(set) var looks = 0
    /// Bans to come, the next one last.
    private var coming: [Ban]
    private var ends = Heap()
    /// Those that began within the last minute, from `first` on.
    private var recent: [Ban] = []
    private var first = 0
    /// Those of them that are still in force.
    private var recentCount = 0
    private var inForce: [CIDR: Int] = [:]
    private(set) var moment = LogTime.distantPast

    /// Takes bans of a span of time, by start.
    init(_ bans: [Ban]) { coming = bans.filter { $0.alertID != nil }.reversed() }

    /// A ban that was just decided on, and begins now.
    mutating func add(_ ban: Ban) { begin(ban) }

    /// Goes on to a moment, not before the last.
    mutating func advance(to now: LogTime) {
        let before = moment
        moment = now
        while let next = coming.last, next.start <= now { begin(coming.removeLast()) }
        let minute = now.adding(milliseconds: -60_000)
        while first < recent.count, recent[first].start <= minute {
            // One that had ended by the last moment is no longer counted.
            if recent[first].end > before { recentCount -= 1 }
            first += 1
        }
        while let ban = ends.least, ban.end <= now {
            ends.removeLeast()
            looks += 1
            inForce[ban.cidr, default: 1] -= 1
            if inForce[ban.cidr] == 0 { inForce[ban.cidr] = nil }
            if ban.start > minute { recentCount -= 1 }
        }
        if first > 1024, first * 2 > recent.count {
            recent.removeFirst(first)
            first = 0
        }
    }

    private mutating func begin(_ ban: Ban) {
        looks += 1
        ends.insert(ban)
        inForce[ban.cidr, default: 0] += 1
        recent.append(ban)
        recentCount += 1
    }

    /// Bans that began within the last minute and blocks that are held, without a ban that is there already.
    func counts(without own: Ban?) -> (recent: Int, blocks: Int) {
        guard let own, own.start <= moment, own.end > moment else { return (recentCount, inForce.count) }
        let isRecent = own.start > moment.adding(milliseconds: -60_000)
        return (recentCount - (isRecent ? 1 : 0), inForce.count - (inForce[own.cidr] == 1 ? 1 : 0))
    }

    /// Bans by when they end.
    private struct Heap {
        private var bans: [Ban] = []

        var least: Ban? { bans.first }

        mutating func insert(_ ban: Ban) {
            bans.append(ban)
            var place = bans.count - 1
            while place > 0, bans[place].end < bans[(place - 1) / 2].end {
                bans.swapAt(place, (place - 1) / 2)
                place = (place - 1) / 2
            }
        }

        mutating func removeLeast() {
            bans.swapAt(0, bans.count - 1)
            bans.removeLast()
            var place = 0
            while true {
                let under = [2 * place + 1, 2 * place + 2].filter { $0 < bans.count }.min {
                    bans[$0].end < bans[$1].end
                }
                guard let under, bans[under].end < bans[place].end else { return }
                bans.swapAt(place, under)
                place = under
            }
        }
    }
}
