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

/// Which events are a subject's own.
struct StoryCondition {
    /// Gives the numbers of events that an index finds.
    var rows: String
    var arguments: StatementArguments
    /// What must hold of them in the view `event` (as `v`); nil: all are meant.
    var filter: String?
    var filterArguments: StatementArguments = []

    /// All of it as a condition on the view (as `v`).
    var sql: String { "v.seq IN (\(rows))" + (filter.map { " AND \($0)" } ?? "") }
    /// Its arguments.
    var allArguments: StatementArguments { arguments + filterArguments }

    /// True for an alert (as `a`) that rests on such an event.
    var ofAlert: String {
        let view = filter.map { "JOIN event v ON v.seq = x.event AND \($0)" } ?? ""
        // Found once for all alerts: looked for alert by alert, the events would be searched anew each time.
        return "a.seq IN (SELECT x.alert FROM evidence x \(view) WHERE x.event IN (\(rows)))"
    }
    /// Its arguments, in their order there.
    var alertArguments: StatementArguments { filterArguments + arguments }
}

extension StorySubject {
    /// Numbers of the events of some actors, found by indexes: sessions have one of their own. Takes the arguments twice.
    private static func events(of actors: String) -> String {
        """
        SELECT seq FROM events WHERE kind > 0 AND actor IN (\(actors))
            UNION ALL SELECT seq FROM events WHERE kind < 0 AND kind IN (SELECT id FROM kinds WHERE id < 0)
                AND actor IN (\(actors))
        """
    }

    /// What an event has done in its actor's name; nil where events of others count, too.
    var actors: (sql: String, arguments: StatementArguments)? {
        switch self {
        case .user(let name): ("SELECT id FROM actors WHERE user = ?", [name])
        case .host(let name): ("SELECT id FROM actors WHERE address = ?", [name])
        case .address(let block):
            ("SELECT id FROM actors WHERE \(AddressTest.sql("ip", block))", [AddressTest.value(block)])
        case .session: nil
        }
    }

    /// Numbers of all events that may be of an address, as a proxy's client too.
    private static func events(of block: CIDR) -> (sql: String, arguments: StatementArguments) {
        let value = AddressTest.value(block)
        let test = { AddressTest.sql($0, block) }
        let through = "e.time BETWEEN h.start - \(ProxyHop.slack) AND h.\"end\" + \(ProxyHop.slack)"
        return (
            """
            \(events(of: "SELECT id FROM actors WHERE \(test("ip"))"))
                UNION SELECT e.seq FROM hops h JOIN actors a ON a.address = h.address
                    JOIN events e ON e.actor = a.id AND e.port = h.port AND \(through) WHERE \(test("h.client_ip"))
                UNION SELECT e.seq FROM hops p JOIN hops h ON h.client = p.address AND h.client_port = p.port
                    JOIN actors a ON a.address = h.address
                    JOIN events e ON e.actor = a.id AND e.port = h.port AND \(through) WHERE \(test("p.client_ip"))
            """, [value, value, value, value]
        )
    }

    /// Numbers of all events for which a key may have a value; nil for keys that no index serves.
    static func candidates(_ key: String, _ value: String) -> (sql: String, arguments: StatementArguments)? {
        switch key {
        case "source.ip": return CIDR(value).map(events(of:))
        case "user.name":
            return (StorySubject.events(of: "SELECT id FROM actors WHERE user = ?"), [value, value])
        case "postgresql.log.session_id":
            let condition = StorySubject.session(value).condition
            return (condition.rows, condition.arguments)
        default: return nil
        }
    }

    var condition: StoryCondition {
        switch self {
        case .user(let name):
            return StoryCondition(
                rows: """
                    \(StorySubject.events(of: "SELECT id FROM actors WHERE user = ?"))
                        UNION ALL SELECT seq FROM events WHERE target_user = ?
                            AND kind IN (SELECT id FROM kinds WHERE tags LIKE '%priv.%')
                    """, arguments: [name, name, name])
        case .address(let block):
            let (rows, arguments) = StorySubject.events(of: block)
            return StoryCondition(
                rows: rows, arguments: arguments, filter: AddressTest.sql("v.ip", block),
                filterArguments: [AddressTest.value(block)])
        case .host(let name):
            return StoryCondition(
                rows: StorySubject.events(of: "SELECT id FROM actors WHERE address = ?"),
                arguments: [name, name], filter: "v.address = ?", filterArguments: [name])
        case .session(let id):
            return StoryCondition(
                rows: "SELECT seq FROM events WHERE origin = ? UNION SELECT seq FROM events WHERE session = ?",
                arguments: [id, id])
        }
    }
}
