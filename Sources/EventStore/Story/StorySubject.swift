import GRDB
import VigilModel

/// Whose story is told.
public enum StorySubject: Sendable, Equatable {
    /// A login user; what was done to the role counts, too.
    case user(String)
    /// An address or a block of them, as clients behind proxies too.
    case address(CIDR)
    /// What the log has in place of an address: a host name, or `[local]`.
    case host(String)
    /// A session by the id that PostgreSQL gives it.
    case session(String)

    /// What it is, in a word.
    public var word: String {
        switch self {
        case .user: "user"
        case .address, .host: "address"
        case .session: "session"
        }
    }

    /// Its name.
    public var name: String {
        switch self {
        case .user(let name), .host(let name), .session(let name): name
        case .address(let block):
            block.prefix == block.address.bitWidth ? block.address.description : block.description
        }
    }
}

extension StorySubject {
    /// Which events of the view `event` (as `v`) are its own. First what an index finds, then what must hold.
    var condition: (sql: String, arguments: StatementArguments) {
        switch self {
        case .user(let name):
            return (
                """
                v.seq IN (SELECT seq FROM events WHERE actor IN (SELECT id FROM actors WHERE user = ?)
                    UNION ALL SELECT seq FROM events WHERE target_user = ?
                        AND kind IN (SELECT id FROM kinds WHERE tags LIKE '%priv.%'))
                """, [name, name]
            )
        case .address(let block):
            let value = AddressTest.value(block)
            let test = { AddressTest.sql($0, block) }
            return (
                """
                v.seq IN (SELECT seq FROM events WHERE actor IN (SELECT id FROM actors WHERE \(test("ip")))
                    UNION SELECT e.seq FROM hops h JOIN actors a ON a.address = h.address
                        JOIN events e ON e.actor = a.id AND e.port = h.port
                            AND e.time BETWEEN h.start - \(ProxyHop.slack) AND h."end" + \(ProxyHop.slack)
                        WHERE \(test("h.client_ip"))
                    UNION SELECT e.seq FROM hops p JOIN hops h ON h.client = p.address AND h.client_port = p.port
                        JOIN actors a ON a.address = h.address JOIN events e ON e.actor = a.id AND e.port = h.port
                        WHERE \(test("p.client_ip"))) AND \(test("v.ip"))
                """, [value, value, value, value]
            )
        case .host(let name):
            return (
                """
                v.seq IN (SELECT seq FROM events WHERE actor IN (SELECT id FROM actors WHERE address = ?))
                    AND v.address = ?
                """, [name, name]
            )
        case .session(let id):
            return (
                "v.seq IN (SELECT seq FROM events WHERE origin = ? UNION SELECT seq FROM events WHERE session = ?)",
                [id, id]
            )
        }
    }
}
