import EventStore
import Responses
import VigilModel

/// Addresses that the store's events tell of: the fleet's own, and those that ever had a session. Each look takes only
/// events that are new since the last.
///
/// Who replicates or monitors needs a login that succeeded, and a proxy its own log: nobody makes himself one of the
/// fleet by failing.
final class KnownAddresses {
    private let store: Store
    private let monitors: [String]
    private var members: [IPAddress: FleetMember] = [:]
    /// Addresses with sessions by the widest block that is ever banned, each with the time of the first; and those that
    /// were spared.
    private var sessions: [CIDR: [IPAddress: LogTime]] = [:]
    private var spared: [CIDR: [IPAddress: LogTime]] = [:]
    /// Rows of events and alerts looked at so far.
    private var fleetRow: Int64 = 0
    private var sessionRow: Int64 = 0
    private var sparedRow: Int64 = 0
    /// Another number once somebody was found to be of the fleet, or of those who are spared.
    private(set) var version = 0

    init(_ store: Store, monitors: [String]) {
        self.store = store
        self.monitors = monitors
    }

    /// The fleet, in the order of addresses.
    func fleet() throws -> [FleetMember] {
        let last = try store.lastEventRow()
        if last > fleetRow {
            for (address, since) in try store.addresses(action: "conn.replication", after: fleetRow, through: last) {
                add(FleetMember(address: address, role: .replication, since: since))
            }
            if !monitors.isEmpty {
                let found = try store.addresses(
                    action: "auth.success", users: monitors, after: fleetRow, through: last)
                for (address, since) in found { add(FleetMember(address: address, role: .monitor, since: since)) }
            }
            fleetRow = last
        }
        for proxy in try store.proxies() { add(proxy) }
        return members.values.sorted { $0.address < $1.address }
    }

    private func add(_ member: FleetMember) {
        if let known = members[member.address], known.since <= member.since { return }
        members[member.address] = member
        version += 1
    }

    /// The configured policy, and the fleet of the logs.
    func policy(_ configured: BanPolicy) throws -> BanPolicy {
        var policy = configured
        policy.topology += try fleet().map { member in
            let role =
                switch member.role {
                case .proxy: "a proxy's or pooler's, by its log"
                case .replication: "a server that replicates, by the log"
                case .monitor: "a monitor's, by the log"
                }
            return AllowEntry(
                cidr: CIDR(member.address, prefix: member.address.bitWidth), reason: role, since: member.since)
        }
        return policy
    }

    /// Those of some blocks of which an address ever had a session.
    func withSessions(_ blocks: Set<CIDR>) throws -> Set<CIDR> {
        try lookForSessions()
        let hasProxies = try store.hasProxies()
        return try blocks.filter { block in
            let known = sessions[KnownAddresses.around(block)] ?? [:]
            if block.isHost ? known[block.address] != nil : known.keys.contains(where: block.contains) { return true }
            return try hasProxies && !store.clientsOfProxies(in: block).isEmpty
        }
    }

    /// Addresses of a block that had a session by a moment, or that attacked and were spared for others there.
    func good(in block: CIDR, by moment: LogTime) throws -> [IPAddress] {
        try lookForSessions()
        try lookForSpared()
        let around = KnownAddresses.around(block)
        return [sessions, spared].flatMap { known in
            (known[around] ?? [:]).filter { $0.value <= moment && block.contains($0.key) }.map(\.key)
        } + (try store.clientsOfProxies(in: block))
    }

    /// Looks for what a list with neighbours put together depends on.
    func lookForGood() throws {
        try lookForSessions()
        try lookForSpared()
    }

    private func lookForSessions() throws {
        let last = try store.lastEventRow()
        guard last > sessionRow else { return }
        for (address, since) in try store.addresses(action: "auth.success", after: sessionRow, through: last) {
            add(address, since, to: &sessions)
        }
        sessionRow = last
    }

    private func lookForSpared() throws {
        let (found, last) = try store.addresses(ofRule: BanNotice.sparedRule.id, after: sparedRow)
        for (address, since) in found { add(address, since, to: &spared) }
        sparedRow = last
    }

    private func add(_ address: IPAddress, _ since: LogTime, to known: inout [CIDR: [IPAddress: LogTime]]) {
        let around = KnownAddresses.around(CIDR(address, prefix: address.bitWidth))
        if let before = known[around]?[address], before <= since { return }
        known[around, default: [:]][address] = since
        version += 1
    }

    /// The widest block that is banned, and holds this one.
    private static func around(_ block: CIDR) -> CIDR {
        CIDR(block.address, prefix: block.address.isV4 ? BanPolicy.widest.v4 : BanPolicy.widest.v6)
    }
}
