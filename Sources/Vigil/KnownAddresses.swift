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
    private var sessions: Set<IPAddress> = []
    /// Rows of events looked at so far.
    private var fleetRow: Int64 = 0
    private var sessionRow: Int64 = 0

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

    /// False when no address of a block ever had a session.
    func hadSessions(_ block: CIDR) throws -> Bool {
        let last = try store.lastEventRow()
        if last > sessionRow {
            for found in try store.addresses(action: "auth.success", after: sessionRow, through: last) {
                sessions.insert(found.address)
            }
            for client in try store.clientsOfProxies() { sessions.insert(client) }
            sessionRow = last
        }
        return block.isHost ? sessions.contains(block.address) : sessions.contains(where: block.contains)
    }
}
