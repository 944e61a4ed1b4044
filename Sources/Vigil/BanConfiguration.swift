import LocatedYAML
import Responses
import VigilModel

/// The key `bans`.
extension Configuration {
    mutating func readBans(_ value: YAMLValue) throws(YAMLProblem) {
        let keys = try value.mapping([
            "mode", "loopback", "private", "factor", "ceiling", "forget", "ipv6_prefix", "prior_sessions", "per_minute",
            "total", "aggregate", "ports", "established",
        ])
        if let mode = keys["mode"] { bans.mode = try mode.word(BanMode.self) }
        if let loopback = keys["loopback"] { bans.loopback = try loopback.boolean() }
        if let local = keys["private"] { bans.private = try local.boolean() }
        if let factor = keys["factor"] { bans.factor = Int64(try factor.integer(1...100)) }
        if let ceiling = keys["ceiling"] { bans.ceiling = try ceiling.duration() }
        if let forget = keys["forget"] { bans.forgetting = try forget.duration() }
        if let prefix = keys["ipv6_prefix"] { bans.ipv6Prefix = try prefix.integer(48...128) }
        if let sessions = keys["prior_sessions"] {
            bans.priorSessions = try sessions.word(BanPolicy.PriorSessions.self)
        }
        if let number = keys["per_minute"] { bans.perMinute = try number.integer(1...10_000) }
        if let number = keys["total"] { bans.total = try number.integer(1...60_000) }
        if let number = keys["aggregate"] { bans.aggregate = try number.integer(2...256) }
        if let established = keys["established"] { listOptions.established = try established.boolean() }
        if let ports = keys["ports"] {
            listOptions.ports = []
            for port in try ports.list() { listOptions.ports.append(try Configuration.ports(port)) }
            if listOptions.ports.isEmpty { throw ports.problem("at least one port belongs here") }
        }
    }

    /// `5432`, or `5433-5438`.
    private static func ports(_ value: YAMLValue) throws(YAMLProblem) -> ClosedRange<Int> {
        let ends = try value.text().split(separator: "-", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard let first = ends.first, let last = ends.last, ends.count <= 2, first >= 1, last <= 65_535, first <= last
        else { throw value.problem("no TCP port", hint: "write 5432, or 5433-5438") }
        return first...last
    }
}
