import VigilModel

/// `2026-03-02T10:15:30.374Z pgvigil[1]: NOTICE [pgvigil] Ban 203.0.113.66 rule=auth-bruteforce n=10 ttl=3600`: the
/// shape of fail2ban's own log, time in UTC, the address right behind `Ban`.
///
/// fail2ban has a clock of its own: it keeps an address out for an hour (`bantime` of the packaged jail) from the time of
/// the line. So a ban's line is renewed every half hour, and the last has the time an hour before the ban ends: both
/// clocks end it together, and when nobody renews the file fail2ban lets go within the hour. A line that it reads late it
/// takes for a new one; so there is a line `Unban 203.0.113.9`, too, for an hour after a ban ended, by itself or not. A
/// block is named by the address that caused the ban, and by `net=` at the end. Neighbours that were put together stand
/// here each for itself: fail2ban's sets take no address twice, and it could not part a block to free one of them.
enum Fail2banList {
    /// `bantime` of the packaged jail, in milliseconds.
    private static let hour = BlockList.memory

    static func render(_ list: BlockList) -> String {
        let banned = list.single.map { ban in
            let ttl = (ban.end.milliseconds - ban.start.milliseconds) / 1000
            return (
                time(ban, at: list.moment), ban,
                "Ban \(ban.sourceIP) rule=\(ban.ruleID) n=\(ban.eventCount) ttl=\(ttl)"
            )
        }
        let freed = list.freed.map { freed in
            (freed.time ?? recently(list.moment), freed.ban, "Unban \(freed.ban.sourceIP)")
        }
        // As in a log, the oldest first.
        return (banned + freed).sorted { ($0.0, $0.1.cidr) < ($1.0, $1.1.cidr) }
            .map { time, ban, words in
                let network = ban.cidr.isHost ? "" : " net=\(ban.cidr)"
                return "\(time) pgvigil[1]: NOTICE [pgvigil] \(words)\(network)\n"
            }.joined()
    }

    /// Since when somebody is allowed is not known; fail2ban passes over what is old. The same for ten minutes.
    private static func recently(_ moment: LogTime) -> LogTime {
        LogTime(milliseconds: moment.milliseconds - moment.milliseconds % 600_000)
    }

    private static func time(_ ban: Ban, at moment: LogTime) -> LogTime {
        let step = hour / 2
        let steps = (moment.milliseconds - ban.start.milliseconds) / step
        return min(ban.start.adding(milliseconds: steps * step), ban.end.adding(milliseconds: -hour))
    }
}
