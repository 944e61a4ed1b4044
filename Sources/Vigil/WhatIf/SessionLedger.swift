import EventStore
import VigilModel

/// Sessions that an address had.
public struct GoodSessions: Sendable, Equatable {
    /// How many logins succeeded.
    public let logins: Int64
    /// Who logged in, at most ten, by name.
    public let users: [String]
}

/// Who logged in from some blocks of addresses, and when: found in one pass over the events for all of them.
struct SessionLedger {
    private struct Login {
        let time: LogTime
        let user: String?
        let count: Int64
    }

    private var logins: [CIDR: [Login]] = [:]
    /// False when the logs tell of no successful logins at all.
    private var tells = false

    init(of blocks: Set<CIDR>, in store: Store) throws {
        guard !blocks.isEmpty else { return }
        let prefixes = Set(blocks.map(\.prefix)).sorted()
        try store.forEachEvent(
            after: .distantPast, through: .distantFuture, place: { $0.action == "auth.success" ? .event : nil }
        ) { event, _ in
            tells = true
            guard let ip = event.ip else { return }
            for prefix in prefixes where prefix <= ip.bitWidth {
                let block = CIDR(ip, prefix: prefix)
                guard blocks.contains(block) else { continue }
                logins[block, default: []].append(Login(time: event.time, user: event.user, count: event.count))
            }
        }
    }

    /// Sessions that a block had in a time; nil when nobody knows.
    func sessions(of block: CIDR, from: LogTime, to: LogTime) -> GoodSessions? {
        guard tells else { return nil }
        let found = (logins[block] ?? []).filter { from <= $0.time && $0.time < to }
        return GoodSessions(
            logins: found.reduce(0) { $0 + $1.count },
            users: Array(Set(found.compactMap(\.user)).sorted().prefix(10)))
    }
}
