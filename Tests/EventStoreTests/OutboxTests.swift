import Foundation
import GRDB
import Testing
import VigilModel

@testable import EventStore

@Suite("Outbox")
struct OutboxTests {
    private let folder: TemporaryFolder
    private let store: Store
    private let source: SourceState
    private static let later = LogTime.distantFuture

    init() throws {
        folder = try TemporaryFolder()
        store = try Store(path: folder.file("a.db"))
        source = try store.open(
            FileIdentity(
                path: "a.csv", device: 1, inode: 1, size: 1000, head: Array("head".utf8), format: "csvlog",
                cluster: "pg-test", instance: "pg-test-1"))
    }

    private static let kind = EventKind(
        dataset: "postgresql.log", category: "authentication", action: "auth.failure", outcome: .failure,
        reason: "bad_password", severity: .low, tags: ["auth.failure"])

    private func event(_ line: Int64) -> SecurityEvent {
        var event = SecurityEvent(
            identity: EventIdentity(origin: "69a55d0d.4f1b", line: line, hash: 7, ordinal: 0),
            time: LogTime(milliseconds: 1_772_445_000_000 + line), kind: Self.kind,
            actor: EventActor(address: "203.0.113.66", user: "bob", database: "shop"))
        event.content = 1
        return event
    }

    private func commit(_ lines: [Int64], evidence: [EventEvidence] = []) throws {
        var ingest = Ingest(source: source.id, position: 10, clock: .distantPast, counted: 10)
        ingest.events = lines.map(event)
        ingest.evidence = evidence
        _ = try StoreWriter(store).commit([ingest])
    }

    private func evidence(of line: Int64, number: Int64) -> EventEvidence {
        EventEvidence(
            event: EventIdentity(origin: "69a55d0d.4f1b", line: line, hash: 7, ordinal: 0), content: 1,
            identity: EventIdentity(origin: "69a55d0d.4f1b", line: 100 + number, hash: 9, ordinal: 0),
            kind: EventKind(
                dataset: "pgaudit", category: "database", action: "ddl", outcome: .unknown, reason: nil,
                severity: .info, tags: ["ddl"]),
            time: LogTime(milliseconds: 1_772_445_000_000 + line), offset: 5, auditClass: nil, objectName: nil,
            objectType: nil)
    }

    private func alert(_ id: String, _ severity: Severity, age: Int64) -> (alert: Alert, group: String) {
        let time = LogTime(milliseconds: LogTime.wallClock.milliseconds - age)
        let rule = AlertRule(
            id: "r", name: "R", family: "auth", version: "1", techniques: [], soc2: [], mlps: [])
        let alert = Alert(
            id: id, time: time, rule: rule, severity: severity, sourceIP: nil, user: nil, database: nil, eventCount: 1,
            firstSeen: time, lastSeen: time, evidence: [], message: "m")
        return (alert, id)
    }

    private func subscribe(
        _ name: String = "s", events: Bool = true, alerts: Severity? = nil, oldest: Int64? = nil
    ) throws -> Int64 {
        try #require(
            try store.subscribe([Subscription(name: name, events: events, alerts: alerts, oldest: oldest)]).first)
    }

    @Test("holds what was written since somebody wants it, in order, until it is taken")
    func taken() throws {
        try commit([1])
        let sink = try subscribe()
        try commit([2, 3])
        try commit([3, 4])
        let waiting = try store.waiting(for: sink, limit: 100, settled: Self.later)
        #expect(waiting.map { $0.row.value("postgresql.log.session_line_number")?.text } == ["2", "3", "4"])
        #expect(waiting.first?.row.value("service.node.name")?.text == "pg-test-1")
        var result = DeliveryResult()
        result.taken = [waiting[0], waiting[2]]
        result.refused = [(waiting[1], "too bad")]
        try store.settle(result, of: sink)
        #expect(try store.waiting(for: sink, limit: 100, settled: Self.later).isEmpty)
        let state = try #require(try store.sinkStates().first)
        #expect(state.sent == 2 && state.aside == 1 && state.events == 0)
        #expect(try store.setAside(limit: 10).map(\.reason) == ["too bad"])
        #expect(try store.retryOutbox(sink: "s") == 1)
        #expect(try store.waiting(for: sink, limit: 100, settled: Self.later).map(\.item) == [waiting[1].item])
    }

    @Test("is written or not with what it sends")
    func atomic() throws {
        let sink = try subscribe()
        try store.pool.write { db in
            try db.execute(
                sql: "CREATE TRIGGER fail BEFORE UPDATE ON sources BEGIN SELECT RAISE(ABORT, 'no room'); END")
        }
        #expect(throws: (any Error).self) { try commit([1]) }
        #expect(try store.waiting(for: sink, limit: 100, settled: Self.later).isEmpty)
    }

    @Test("sends an event again that says more, even when that comes while it is being sent")
    func amended() throws {
        let sink = try subscribe()
        try commit([1, 2])
        let first = try store.waiting(for: sink, limit: 100, settled: Self.later)
        // Told while the first is on its way.
        try commit([], evidence: [evidence(of: 1, number: 1)])
        var result = DeliveryResult()
        result.taken = first
        try store.settle(result, of: sink)
        let second = try store.waiting(for: sink, limit: 100, settled: Self.later)
        #expect(second.map(\.item) == [first[0].item])
        #expect(second.first?.row.value("tags")?.text == "auth.failure ddl")
        result.taken = second
        try store.settle(result, of: sink)
        try commit([], evidence: [evidence(of: 1, number: 1)])
        #expect(try store.waiting(for: sink, limit: 100, settled: Self.later).isEmpty)
    }

    @Test("leaves an event a moment, but no alert")
    func settling() throws {
        let sink = try subscribe(alerts: .high)
        try commit([1])
        try store.note(alert("a1", .high, age: 0))
        let waiting = try store.waiting(for: sink, limit: 100, settled: .distantPast)
        #expect(waiting.map(\.kind) == [.alert] && waiting.first?.id == "a1")
    }

    @Test("has no alert that is too mild or was too old when it was found")
    func alerts() throws {
        let sink = try subscribe(events: false, alerts: .high, oldest: 3_600_000)
        for (id, severity, age) in [
            ("new", Severity.high, Int64(0)), ("critical", .critical, 3_500_000), ("mild", .medium, 0),
            ("old", .critical, 3_700_000),
        ] { try store.note(alert(id, severity, age: age)) }
        try store.note(alert("new", .high, age: 0))
        #expect(try store.waiting(for: sink, limit: 100, settled: Self.later).map(\.id) == ["new", "critical"])
    }

    @Test("lets go of the oldest events beyond its limit, of alerts last, and counts them")
    func limit() throws {
        let sink = try subscribe(alerts: .info)
        try commit(Array(1...10))
        try store.note(alert("a1", .high, age: 0))
        #expect(try store.trimOutbox(of: sink, to: 20) == 0)
        #expect(try store.trimOutbox(of: sink, to: 4) == 7)
        let waiting = try store.waiting(for: sink, limit: 100, settled: Self.later)
        #expect(waiting.map(\.kind) == [.alert, .event, .event, .event])
        #expect(waiting.last?.row.value("postgresql.log.session_line_number")?.text == "10")
        #expect(try store.sinkStates().first?.dropped == 7)
    }

    @Test("can be filled again for a time span")
    func again() throws {
        try commit([1, 2, 3])
        let subscription = Subscription(name: "late", events: true, alerts: .high, oldest: nil)
        let start = LogTime(milliseconds: 1_772_445_000_002)
        #expect(try store.requeue(subscription, since: start, until: .distantFuture) == 2)
        #expect(try store.requeue(subscription, since: start, until: .distantFuture) == 0)
        #expect(
            try store.days(since: .distantPast, until: .distantFuture).map(\.description) == [
                "2026-03-02T00:00:00.000Z"
            ])
    }

    @Test("remembers which alerts a sink keeps telling, until they end")
    func firing() throws {
        let sink = try subscribe(events: false, alerts: .info)
        try store.note(alert("a1", .high, age: 0))
        let waiting = try store.waiting(for: sink, limit: 100, settled: Self.later)
        var result = DeliveryResult()
        result.taken = waiting
        result.firing = waiting.map { ($0.item, LogTime(milliseconds: 5000)) }
        try store.settle(result, of: sink)
        #expect(try store.firing(of: sink, endedAfter: LogTime(milliseconds: 4999)).map(\.delivery.id) == ["a1"])
        #expect(try store.firing(of: sink, endedAfter: LogTime(milliseconds: 5000)).isEmpty)
        #expect(try store.firing(of: sink, endedAfter: .distantPast).isEmpty)
    }
}
