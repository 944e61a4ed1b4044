import Testing
import VigilModel

@testable import EventStore

@Suite("Choosing rows")
struct FilterTests {
    private let folder: TemporaryFolder
    private let store: Store
    private static let start: Int64 = 1_772_445_000_000

    /// Four events of three addresses on two instances; an alert about the first two, one about the third.
    init() throws {
        folder = try TemporaryFolder()
        store = try Store(path: folder.file("a.db"))
        try commit(
            "db-1", [("203.0.113.7", "bob", "auth.failure", .low), ("203.0.113.7", "eve", "auth.failure", .low)])
        try commit("db-2", [("203.0.113.9", "bob", "ddl", .info), ("2001:db8::9", "bob", "priv.superuser", .critical)])
        try alert("aa", "auth-bruteforce", "auth", .high, "203.0.113.7", [1, 2])
        try alert("bb", "ddl-app", "ddl", .low, nil, [3])
    }

    private func commit(_ instance: String, _ rows: [(String, String, String, Severity)]) throws {
        let source = try store.open(
            FileIdentity(
                path: "\(instance).csv", device: 1, inode: Int64(instance.utf8.last ?? 0), size: 1000,
                head: Array(instance.utf8), format: "csvlog", cluster: "shop", instance: instance))
        var ingest = Ingest(source: source.id, position: 10, clock: .distantPast, counted: 10)
        for (number, row) in rows.enumerated() {
            let kind = EventKind(
                dataset: "postgresql.log", category: row.2.hasPrefix("auth") ? "authentication" : "iam",
                action: row.2, outcome: .unknown, severity: row.3, tags: [row.2, "extra"])
            var event = SecurityEvent(
                identity: EventIdentity(origin: instance, line: Int64(number), hash: 7, ordinal: 0),
                time: LogTime(milliseconds: FilterTests.start + Int64(number) * 1000), kind: kind,
                actor: EventActor(address: row.0, user: row.1, database: "shop"))
            event.objectName = row.2 == "ddl" ? "public.t" : nil
            ingest.events.append(event)
        }
        _ = try StoreWriter(store).commit([ingest])
    }

    private func alert(
        _ id: String, _ rule: String, _ family: String, _ severity: Severity, _ ip: String?, _ events: [Int64]
    ) throws {
        let about = AlertRule(
            id: rule, name: rule, family: family, version: "1", techniques: [], soc2: [], mlps: [])
        let time = LogTime(milliseconds: FilterTests.start)
        let alert = Alert(
            id: id, time: time, rule: about, severity: severity, sourceIP: ip.flatMap(IPAddress.init), user: nil,
            database: nil, eventCount: Int64(events.count), firstSeen: time, lastSeen: time, evidence: events,
            message: id)
        _ = try store.commit(alerts: [(alert, "g")], bans: [], learnt: [], through: time)
    }

    private func count(_ what: Queryable, _ values: [(key: String, value: String)], _ severity: Severity? = nil) throws
        -> Int
    {
        var filter = EventFilter()
        filter.values = values
        filter.severity = severity
        var count = 0
        try store.query(what, filter) { _ in count += 1 }
        return count
    }

    @Test(
        "an event is chosen by its keys, a block of addresses, and the rules that it fired",
        arguments: [
            ([("source.ip", "203.0.113.7")], 2), ([("source.ip", "203.0.113.0/24")], 3),
            ([("source.ip", "2001:db8::/32")], 1), ([("source.ip", "10.0.0.0/8")], 0), ([("tags", "ddl")], 1),
            ([("tags", "extra")], 4), ([("event.category", "iam"), ("user.name", "bob")], 2),
            ([("service.node.name", "db-1")], 2), ([("service.name", "shop"), ("db.object.name", "public.t")], 1),
            ([("postgresql.log.session_id", "db-2")], 2), ([("rule.id", "auth-bruteforce")], 2),
            ([("rule.family", "ddl")], 1), ([("rule.family", "ddl"), ("user.name", "eve")], 0),
        ] as [([(String, String)], Int)])
    func events(values: [(String, String)], count: Int) throws {
        #expect(try self.count(.events, values.map { (key: $0.0, value: $0.1) }) == count)
    }

    @Test(
        "an alert is chosen by its keys, and by those of one event behind it",
        arguments: [
            ([("rule.family", "auth")], 1), ([("source.ip", "203.0.113.0/24")], 1),
            ([("service.node.name", "db-2")], 1), ([("event.action", "auth.failure")], 1),
            ([("db.object.name", "public.t")], 1), ([("tags", "extra")], 2),
            ([("event.action", "auth.failure"), ("service.node.name", "db-2")], 0),
            ([("postgresql.log.session_id", "db-1"), ("rule.id", "auth-bruteforce")], 1),
        ] as [([(String, String)], Int)])
    func alerts(values: [(String, String)], count: Int) throws {
        #expect(try self.count(.alerts, values.map { (key: $0.0, value: $0.1) }) == count)
    }

    @Test("a severity means at least that one")
    func severity() throws {
        #expect(try count(.alerts, [], .low) == 2)
        #expect(try count(.alerts, [], .medium) == 1)
        #expect(try count(.events, [], .low) == 3)
        #expect(try count(.events, [], .critical) == 1)
    }

    @Test("a key of nobody is refused with those that are known")
    func unknown() {
        #expect(throws: UnknownKey.self) { try count(.events, [("user.nmae", "bob")]) }
        #expect(throws: UnknownKey.self) { try count(.activity, [("rule.id", "x")]) }
    }
}
