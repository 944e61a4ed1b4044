import GRDB
import VigilModel

/// Which rows of the store are shown.
public struct EventFilter: Sendable {
    /// From this time on, and before that.
    public var since: LogTime?
    /// Before this time.
    public var until: LogTime?
    /// Values by key; all must hold.
    public var values: [(key: String, value: String)] = []
    /// At least so severe.
    public var severity: Severity?
    /// At most so many rows, the newest.
    public var limit: Int?

    /// All rows.
    public init() {}
}

/// How a key of the contract stands in a table or view.
struct QueryKey: Sendable {
    enum Kind: Sendable { case text, number, time, list, lines }
    let key: String
    let column: String
    let kind: Kind

    init(_ key: String, _ column: String, _ kind: Kind = .text) {
        self.key = key
        self.column = column
        self.kind = kind
    }

    /// A condition with one argument: that the key has a value. An address may be a block of them; of a list, one entry.
    func test(_ value: String) -> (sql: String, argument: String) {
        if key == "source.ip", let block = CIDR(value) {
            return (AddressTest.sql(column, block), AddressTest.value(block))
        }
        return kind == .list ? ("instr(' ' || \(column) || ' ', ' ' || ? || ' ') > 0", value) : ("\(column) = ?", value)
    }

    func value(_ row: Row, at index: Int) -> ShownValue? {
        switch kind {
        case .text: return (row[index] as String?).map { .text($0) }
        case .number: return (row[index] as Int64?).map { .number($0) }
        case .time: return (row[index] as Int64?).map { .time(LogTime(milliseconds: $0)) }
        case .list:
            guard let text = row[index] as String?, !text.isEmpty else { return nil }
            // Words of several records stand side by side.
            return .list(Set(text.split(separator: " ").map(String.init)).sorted())
        case .lines:
            guard let text = row[index] as String?, !text.isEmpty else { return nil }
            return .list(text.split(separator: "\n").map(String.init))
        }
    }
}

/// Something that can be queried: a view and the keys it shows.
public struct Queryable: Sendable {
    let source: String
    let keys: [QueryKey]
    let order: String
    /// What is counted by keys.
    var amount = "count(*)"
    /// Keys of what belongs to these rows.
    var related: Related?

    /// How rows of another kind belong to these: a row has their keys, too, when one that belongs to it has them.
    struct Related: Sendable {
        let keys: [QueryKey]
        /// Gives the numbers (`seq`) of rows; a condition on the other ones follows.
        let rows: String
    }

    /// What `events` shows (Elastic Common Schema and OpenTelemetry names).
    public static let events = Queryable(
        source: "event",
        keys: [
            .init("@timestamp", "time", .time), .init("event.id", "id"), .init("event.dataset", "dataset"),
            .init("event.category", "category"), .init("event.action", "action"), .init("event.outcome", "outcome"),
            .init("event.reason", "reason"), .init("event.severity", "severity"),
            .init("event.count", "CASE WHEN count > 1 THEN count END", .number), .init("tags", "tags", .list),
            .init("message", "coalesce(message, query)"), .init("source.address", "address"), .init("source.ip", "ip"),
            .init("source.port", "port", .number), .init("source.nat.ip", "nat_ip"),
            .init("source.nat.port", "nat_port", .number), .init("user.name", "user"),
            .init("user.target.name", "target_user"), .init("db.namespace", "database"),
            .init("db.operation.name", "operation"), .init("db.object.name", "object"),
            .init("db.object.type", "object_type"), .init("db.query.text", "query"),
            .init("process.pid", "pid", .number), .init("pgaudit.class", "audit_class"),
            .init("postgresql.auth.method", "auth_method"),
            .init("postgresql.hba.rule", "hba_rule"), .init("tls.version", "tls_version"),
            .init("secret.fingerprint", "secret"),
            .init("postgresql.log.sql_state_code", "sqlstate"), .init("postgresql.log.session_id", "session"),
            .init("postgresql.log.session_line_number", "session_line", .number),
            .init("postgresql.log.application_name", "application"), .init("service.name", "cluster"),
            .init("service.node.name", "instance"), .init("log.file.path", "path"),
            .init("log.offset", "offset", .number),
        ], order: "time, seq", amount: "sum(count)",
        related: Related(
            keys: [.init("rule.id", "r.rule"), .init("rule.family", "r.family"), .init("alert.id", "a.id")],
            rows: """
                SELECT x.event FROM evidence x JOIN alerts a ON a.seq = x.alert JOIN rules r ON r.id = a.rule WHERE
                """))

    /// What `activity` shows: how often whom did what by the hour.
    public static let activity = Queryable(
        source: """
            (SELECT row_number() OVER () AS seq, a.hour * 3600000 AS time, a.command, nullif(a.user, '') AS user,
                nullif(a.database, '') AS database, nullif(a.audit_class, '') AS audit_class,
                nullif(a.object, '') AS object, sum(a.count) AS count, s.cluster, s.instance
            FROM activity a JOIN sources s ON s.id = a.source
            GROUP BY a.hour, a.command, a.user, a.database, a.audit_class, a.object, s.cluster, s.instance)
            """,
        keys: [
            .init("@timestamp", "time", .time), .init("user.name", "user"), .init("db.namespace", "database"),
            .init("pgaudit.class", "audit_class"), .init("db.operation.name", "command"),
            .init("db.object.name", "object"), .init("event.count", "count", .number),
            .init("service.name", "cluster"), .init("service.node.name", "instance"),
        ], order: "time, command, user, database, audit_class, object", amount: "sum(count)")

    /// What `alerts` shows.
    public static let alerts = Queryable(
        source: """
            (SELECT a.*, r.rule AS rule_id, r.name, r.family, r.version, r.techniques, r.soc2, r.mlps, r.framework,
                (SELECT group_concat(id, ' ') FROM (SELECT v.id FROM evidence x JOIN event v ON v.seq = x.event
                    WHERE x.alert = a.seq ORDER BY v.time, v.id)) AS event_ids
            FROM alerts a JOIN rules r ON r.id = a.rule)
            """,
        keys: [
            .init("@timestamp", "time", .time), .init("alert.id", "id"), .init("rule.id", "rule_id"),
            .init("rule.name", "name"), .init("rule.version", "version"), .init("rule.family", "family"),
            .init("event.severity", "severity"), .init("threat.framework", "framework"),
            .init("threat.technique.id", "techniques", .lines),
            .init("compliance.soc2", "soc2", .lines), .init("compliance.mlps", "mlps", .lines),
            .init("source.ip", "ip"), .init("user.name", "user"), .init("db.namespace", "database"),
            .init("event.count", "events", .number), .init("first_seen", "first", .time),
            .init("last_seen", "last", .time), .init("event.ids", "event_ids", .list), .init("message", "message"),
        ], order: "time, seq",
        related: Related(
            keys: events.keys,
            rows: "SELECT x.alert FROM evidence x JOIN event ON event.seq = x.event WHERE"))

    /// What sinks are told of an event: as `events`, with what tells it from another one under the same identity.
    static let sent = Queryable(
        source: events.source,
        keys: events.keys + [
            .init("event.hash", "(SELECT printf('%016x', x.content) FROM events x WHERE x.seq = event.seq)")
        ], order: events.order)

    /// What sinks are told of an alert: as `alerts`, with cluster and instance where all events agree.
    static let told: Queryable = {
        func common(_ column: String) -> String {
            """
            (SELECT CASE WHEN count(DISTINCT coalesce(s.\(column), '')) = 1 THEN max(s.\(column)) END FROM evidence x
                JOIN events e ON e.seq = x.event JOIN sources s ON s.id = e.source WHERE x.alert = told.seq)
            """
        }
        return Queryable(
            source: alerts.source + " AS told",
            keys: alerts.keys + [
                .init("service.name", common("cluster")), .init("service.node.name", common("instance")),
            ], order: alerts.order)
    }()

    /// Every key in order.
    public var names: [String] { keys.map(\.key) }

    /// True when rows can be chosen by a key: one of theirs, or of what belongs to them.
    public func isChosen(by name: String) -> Bool {
        column(name) != nil || related?.keys.contains { $0.key == name } ?? false
    }

    func column(_ name: String) -> QueryKey? { keys.first { $0.key == name } }

    /// A row whose columns are the keys', in order.
    func shown(_ row: Row) -> ShownRow {
        keys.enumerated().compactMap { index, key in key.value(row, at: index).map { (key.key, $0) } }
    }
}

/// A key that cannot be queried.
public struct UnknownKey: Error, CustomStringConvertible {
    let key: String
    let known: [String]

    /// The key and those that are known.
    public var description: String { "unknown key '\(key)'\n  hint: known: \(known.joined(separator: ", "))" }
}

extension Store {
    /// Hands over rows in the order of time.
    public func query(_ what: Queryable, _ filter: EventFilter, _ body: (ShownRow) throws -> Void) throws {
        let keys = what.keys
        let columns = keys.map(\.column).joined(separator: ", ")
        let (condition, arguments) = try narrowed(what, filter)
        var sql = "SELECT \(columns), time AS shown_time, seq AS shown_seq FROM \(what.source) WHERE \(condition)"
        if let limit = filter.limit {
            // The newest, shown in the order of time.
            sql =
                "SELECT * FROM (\(sql) ORDER BY shown_time DESC, shown_seq DESC LIMIT \(limit)) "
                + "ORDER BY shown_time, shown_seq"
        } else {
            sql += " ORDER BY \(what.order)"
        }
        try pool.read { db in
            let rows = try Row.fetchCursor(db, sql: sql, arguments: arguments)
            while let row = try rows.next() {
                try body(what.shown(row))
            }
        }
    }

    /// Hands over the number of events by some keys, the largest first.
    public func count(
        _ what: Queryable, _ filter: EventFilter, by names: [String], _ body: (ShownRow) throws -> Void
    ) throws {
        var keys: [QueryKey] = []
        for name in names {
            guard let key = what.column(name) else { throw UnknownKey(key: name, known: what.names) }
            keys.append(key)
        }
        let columns = keys.map(\.column).joined(separator: ", ")
        let (condition, arguments) = try narrowed(what, filter)
        let groups = (1...keys.count).map(String.init).joined(separator: ", ")
        var sql = """
            SELECT \(columns), \(what.amount) FROM \(what.source) WHERE \(condition)
            GROUP BY \(groups) ORDER BY \(keys.count + 1) DESC, \(groups)
            """
        if let limit = filter.limit { sql += " LIMIT \(limit)" }
        try pool.read { db in
            let rows = try Row.fetchCursor(db, sql: sql, arguments: arguments)
            while let row = try rows.next() {
                var shown: ShownRow = []
                for (index, key) in keys.enumerated() {
                    if let value = key.value(row, at: index) { shown.append((key.key, value)) }
                }
                shown.append(("count", .number(row[keys.count])))
                try body(shown)
            }
        }
    }

    /// The condition, with the numbers of the events that indexes find for a user, an address or a session: the view would
    /// be gone over otherwise.
    private func narrowed(_ what: Queryable, _ filter: EventFilter) throws -> (String, StatementArguments) {
        var (condition, arguments) = try Store.condition(what, filter)
        guard what.source == Queryable.events.source else { return (condition, arguments) }
        for (name, value) in filter.values {
            let since = filter.since ?? .distantPast
            let span = since..<max(since, filter.until ?? .distantFuture)
            guard let found = StorySubject.candidates(name, value, in: span) else { continue }
            // The last of many are met soon by going back in time.
            if filter.limit != nil {
                let count = try pool.read { db in
                    try Int.fetchOne(
                        db, sql: "SELECT count(*) FROM (\(found.sql) LIMIT \(Store.mostCandidates + 1))",
                        arguments: found.arguments)
                }
                guard let count, count <= Store.mostCandidates else { continue }
            }
            condition += " AND seq IN (\(found.sql))"
            arguments += found.arguments
        }
        return (condition, arguments)
    }

    /// Of more events than that, the last are found by going back in time.
    private static let mostCandidates = 20_000

    private static func condition(
        _ what: Queryable, _ filter: EventFilter
    ) throws -> (String, StatementArguments) {
        var parts: [String] = []
        var arguments: StatementArguments = []
        if let since = filter.since {
            parts.append("time >= ?")
            arguments += [since.milliseconds]
        }
        if let until = filter.until {
            parts.append("time < ?")
            arguments += [until.milliseconds]
        }
        if let severity = filter.severity {
            parts.append("severity IN (\(severity.andAbove))")
        }
        // What belongs to a row must have all of the other keys at once: one event, not several.
        var others: [String] = []
        var otherArguments: StatementArguments = []
        for (name, value) in filter.values {
            if let key = what.column(name) {
                let (test, argument) = key.test(value)
                parts.append(test)
                arguments += [argument]
            } else if let key = what.related?.keys.first(where: { $0.key == name }) {
                let (test, argument) = key.test(value)
                others.append(test)
                otherArguments += [argument]
            } else {
                throw UnknownKey(key: name, known: what.names)
            }
        }
        if let related = what.related, !others.isEmpty {
            parts.append("seq IN (\(related.rows) \(others.joined(separator: " AND ")))")
            arguments += otherArguments
        }
        return (parts.isEmpty ? "1" : parts.joined(separator: " AND "), arguments)
    }
}

extension Store {
    /// The sum of all hourly counters.
    public func activityTotal() throws -> Int64 {
        try pool.read { try Int64.fetchOne($0, sql: "SELECT coalesce(sum(count), 0) FROM activity") ?? 0 }
    }
}
