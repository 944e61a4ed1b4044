import VigilModel

/// The forms in which bans are given to what enforces them. Each is a pure function of the bans: the same bans give the
/// same bytes. No text of a client appears in any.
public enum BlockListFormat: String, CaseIterable, Sendable {
    /// A CIDR a line, IPv4 first.
    case plain
    /// A line for each ban in the shape of fail2ban's own log.
    case fail2ban

    /// The list. `bans` are those in force, one for each block.
    public func render(_ bans: [Ban]) -> String {
        let sorted = bans.sorted { $0.cidr < $1.cidr }
        switch self {
        case .plain: return sorted.map { "\($0.cidr)\n" }.joined()
        case .fail2ban: return sorted.map(BlockListFormat.fail2banLine).joined()
        }
    }

    /// `2026-03-02T10:15:30.374Z pgvigil[1]: NOTICE [pgvigil] Ban 203.0.113.66 rule=auth-bruteforce n=10 ttl=3600`: the
    /// shape of fail2ban's own log, time in UTC, the address right behind `Ban`. fail2ban bans single addresses, so an
    /// IPv6 block is named by the address that caused it.
    private static func fail2banLine(_ ban: Ban) -> String {
        let ttl = (ban.end.milliseconds - ban.start.milliseconds) / 1000
        return "\(ban.start) pgvigil[1]: NOTICE [pgvigil] Ban \(ban.sourceIP) rule=\(ban.ruleID) "
            + "n=\(ban.eventCount) ttl=\(ttl)\n"
    }
}
