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
}

extension StorySubject {
    /// What holds of its own events in the view `event` (as `v`), for those of which there are few.
    var test: (sql: String, arguments: StatementArguments) {
        switch self {
        case .user(let name): ("(v.user = ? OR v.target_user = ? AND v.tags LIKE '%priv.%')", [name, name])
        case .address(let block): (AddressTest.sql("v.ip", block), [AddressTest.value(block)])
        case .host(let name): ("v.address = ?", [name])
        case .session(let id): ("v.session = ?", [id])
        }
    }

    /// Numbers of the events of some actors in a time span, found by indexes: sessions have one of their own. Takes the
    /// arguments twice.
    private static func events(of actors: String, _ span: Range<LogTime>) -> String {
        let time = "time >= \(span.lowerBound.milliseconds) AND time < \(span.upperBound.milliseconds)"
        return """
            SELECT seq FROM events WHERE kind > 0 AND actor IN (\(actors)) AND \(time)
                UNION ALL SELECT seq FROM events WHERE kind < 0 AND kind IN (SELECT id FROM kinds WHERE id < 0)
                    AND actor IN (\(actors)) AND \(time)
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
    private static func events(
        of block: CIDR, _ span: Range<LogTime>
    ) -> (sql: String, arguments: StatementArguments) {
        let test = { AddressTest.sql($0, block) }
        let parts = [
            events(of: "SELECT id FROM actors WHERE \(test("ip"))", span),
            events(over: "hops h", of: test("h.client_ip")),
            events(
                over: "hops p CROSS JOIN hops h ON h.client = p.address AND h.client_port = p.port",
                of: test("p.client_ip")),
        ]
        return (
            parts.joined(separator: "\nUNION "),
            StatementArguments(Array(repeating: AddressTest.value(block), count: 2 * parts.count))
        )
    }

    /// Numbers of the events that came over some connections (`h`), from the few of these to their events: in this order.
    private static func events(over hops: String, of client: String) -> String {
        ["e.kind > 0", "e.kind < 0 AND e.kind IN (SELECT id FROM kinds WHERE id < 0)"].map { kind in
            """
            SELECT e.seq FROM \(hops) CROSS JOIN actors a ON a.address = h.address
                CROSS JOIN events e ON \(kind) AND e.actor = a.id AND e.port = h.port
                    AND e.time BETWEEN h.start - \(ProxyHop.slack) AND h."end" + \(ProxyHop.slack)
            WHERE \(client)
            """
        }.joined(separator: "\nUNION ")
    }

    /// Numbers of all events for which a key may have a value; nil for keys that no index serves.
    static func candidates(
        _ key: String, _ value: String, in span: Range<LogTime>
    ) -> (sql: String, arguments: StatementArguments)? {
        switch key {
        case "source.ip": return CIDR(value).map { events(of: $0, span) }
        case "user.name":
            return (StorySubject.events(of: "SELECT id FROM actors WHERE user = ?", span), [value, value])
        case "postgresql.log.session_id":
            let condition = StorySubject.session(value).condition(in: span)
            return (condition.rows, condition.arguments)
        default: return nil
        }
    }

    /// Which events of a time span are its own.
    func condition(in span: Range<LogTime>) -> StoryCondition {
        switch self {
        case .user(let name):
            return StoryCondition(
                rows: """
                    \(StorySubject.events(of: "SELECT id FROM actors WHERE user = ?", span))
                        UNION ALL SELECT seq FROM events WHERE target_user = ?
                            AND kind IN (SELECT id FROM kinds WHERE tags LIKE '%priv.%')
                    """, arguments: [name, name, name])
        case .address(let block):
            let (rows, arguments) = StorySubject.events(of: block, span)
            return StoryCondition(
                rows: rows, arguments: arguments, filter: AddressTest.sql("v.ip", block),
                filterArguments: [AddressTest.value(block)])
        case .host(let name):
            return StoryCondition(
                rows: StorySubject.events(of: "SELECT id FROM actors WHERE address = ?", span),
                arguments: [name, name], filter: "v.address = ?", filterArguments: [name])
        case .session(let id):
            return StoryCondition(
                rows: "SELECT seq FROM events WHERE origin = ? UNION SELECT seq FROM events WHERE session = ?",
                arguments: [id, id])
        }
    }
}
