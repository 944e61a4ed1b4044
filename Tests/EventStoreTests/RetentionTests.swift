import Foundation
import GRDB
import Testing
import VigilModel

@testable import EventStore

@Suite("Retention")
struct RetentionTests {
    private let made: ChainedStore
    private var store: Store { made.store }
    private let writer: StoreWriter

    init() throws {
        made = try ChainedStore()
        writer = StoreWriter(made.store)
    }

    /// Keeps so many seconds of events and alerts.
    private func limits(events: Int64, alerts: Int64 = 1000, size: Int64? = nil) -> RetentionLimits {
        var limits = RetentionLimits()
        (limits.events, limits.alerts, limits.size) = (events * 1000, alerts * 1000, size)
        return limits
    }

    private func numbers(_ table: ChainedTable) throws -> [Int64] {
        try store.pool.read {
            try Int64.fetchAll($0, sql: "SELECT \(table.key) FROM \(table.rawValue) ORDER BY 1")
        }
    }

    /// Rules have been over all events.
    private func detect() throws {
        _ = try store.commit(alerts: [], bans: [], learnt: [], through: LogTime(milliseconds: ChainedStore.start * 2))
    }

    @Test("what is older than its age goes with all that tells of it, and the chain holds")
    func ages() throws {
        try made.fill()
        let head = try store.head()
        try detect()
        // Events are of second 1 to 40; those before 20 go, but for those that alerts rest on.
        let went = try Retention(writer, limits(events: 20)).run()
        #expect(try numbers(.events) == [1, 2, 3, 11, 12, 13] + (20...40))
        #expect(try numbers(.records) == [3, 5, 6, 7, 8, 9, 10])
        #expect(went.rows["events"] == 13 && went.rows["records"] == 3)
        let report = try store.verify(heads: [head])
        #expect(report.faults.map(\.problem) == [])
        #expect(report.tables.map(\.pruned) == [13, 3, 0, 0, 0, 0])
        #expect(report.proofs.map(\.proof) == [.holds])
        #expect(try store.lastAct(.prune)?.reason.contains("their time was over") == true)
        // When their alert goes, they go.
        try made.write(events: 10, from: 41)
        try detect()
        _ = try Retention(writer, limits(events: 20, alerts: 48)).run()
        #expect(try numbers(.alerts) == [2, 3])
        #expect(try numbers(.events) == [2, 3, 12, 13] + (30...50))
        #expect(try store.verify().faults.map(\.problem) == [])
        // Nothing more goes.
        let before = try store.head()
        #expect(try Retention(writer, limits(events: 20, alerts: 48)).run().count == 0)
        #expect(try store.head() == before)
    }

    @Test("the last row of a table stays, what rules have not seen stays, and numbers are not given twice")
    func last() throws {
        try made.fill()
        // Rules have come to second 3.
        _ = try Retention(writer, limits(events: 1)).run()
        #expect(try numbers(.events) == Array(1...40))
        try detect()
        var limits = limits(events: 0, alerts: 0)
        limits.events = -1000
        limits.alerts = -1_000_000_000
        let retention = try Retention(writer, limits)
        _ = try retention.run()
        #expect(try numbers(.alerts) == [3] && numbers(.bans) == [3])
        #expect(try numbers(.events) == [3, 13, 40])
        #expect(try numbers(.records) == [10])
        try made.write(events: 3, from: 41)
        #expect(try numbers(.events).suffix(3) == [41, 42, 43])
        #expect(try store.verify().faults.map(\.problem) == [])
    }

    @Test("when there is no room ordinary events go, oldest first, and nothing else")
    func size() throws {
        try made.write(events: 4000, batch: 1000)
        try made.alert(1, on: [1, 2])
        try detect()
        let used = try store.pool.read { try StoreSize($0).used }
        let went = try Retention(writer, limits(events: 100_000, size: used * 3 / 4)).run()
        #expect(try store.pool.read { try StoreSize($0).used } <= used * 3 / 4)
        #expect(!went.isOverfull)
        let left = Set(try numbers(.events))
        // Every fourth is of high severity.
        #expect(stride(from: Int64(4), through: 4000, by: 4).allSatisfy(left.contains))
        #expect(left.isSuperset(of: [1, 2, 3999]) && !left.contains(3))
        let ordinary = (Int64(3)...4000).filter { $0 % 4 != 0 }
        #expect(ordinary.drop { !left.contains($0) }.allSatisfy(left.contains))
        #expect(try store.verify().faults.map(\.problem) == [])
        // Nothing is left that may go.
        #expect(try Retention(writer, limits(events: 100_000, size: 1000)).run().isOverfull)
        #expect(Set(try numbers(.events)).isSuperset(of: stride(from: Int64(4), through: 4000, by: 4)))
        #expect(try numbers(.alerts) == [1] && numbers(.bans) == [1])
    }

    @Test("may be stopped between any two transactions, and another goes on")
    func steps() throws {
        try made.write(events: 600, batch: 300)
        try made.alert(1, on: [7])
        try detect()
        for _ in 0..<200 {
            let retention = try Retention(writer, limits(events: 100))
            try retention.begin()
            var went = RetentionResult()
            for _ in 0..<3 { went.add(try retention.step()) }
            #expect(try store.verify().holds)
            if went.count == 0 { break }
        }
        #expect(try numbers(.events) == [7] + (500...600))
    }

    @Test("who has no event left goes, and comes back under another number")
    func actors() throws {
        try made.write(events: 60)
        try detect()
        let count = { try store.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM actors") } ?? 0 }
        #expect(try count() == 35)
        let went = try Retention(writer, limits(events: 5)).run()
        #expect(try count() < 12 && went.rows["actors"] ?? 0 > 20)
        // The writer remembered numbers of actors that are gone.
        var ingest = Ingest(source: try made.source(), position: 1000, clock: .distantPast, counted: 1000)
        ingest.events = (61...90).map { ChainedStore.event($0) }
        _ = try writer.commit([ingest])
        #expect(
            try store.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM event WHERE seq > 60") } == 30)
        // So did another one, which did not take them out itself.
        let other = try Store(existing: made.path)
        try detect()
        _ = try Retention(StoreWriter(other), limits(events: 0)).run()
        ingest.events = (91...130).map { ChainedStore.event($0) }
        _ = try writer.commit([ingest])
        #expect(
            try store.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM event WHERE seq > 90") } == 40)
        #expect(try store.verify().faults.map(\.problem) == [])
    }

    @Test("a connection through a proxy stays as long as an event that came over it")
    func hops() throws {
        let source = try made.source()
        var ingest = Ingest(source: source, position: 10, clock: .distantPast, counted: 10)
        for number in Int64(1)...400 {
            var event = ChainedStore.event(number, at: number * 1000)
            event.actor = EventActor(address: "10.0.0.1", user: "bob", database: "shop")
            ingest.events.append(event)
            ingest.hops.append(
                ProxyHop(
                    address: "10.0.0.1", port: Int(1000 + number), clientAddress: "203.0.113.\(number % 200)",
                    clientPort: 5, start: LogTime(milliseconds: ChainedStore.start + number * 1_000_000),
                    end: LogTime(milliseconds: ChainedStore.start + number * 1_000_000 + 1), isExact: true))
        }
        _ = try writer.commit([ingest])
        try made.alert(1, on: [5])
        try detect()
        _ = try Retention(writer, limits(events: 100_000, alerts: 1_000_000)).run()
        #expect(try numbers(.events) == [5] + (300...400))
        #expect(try numbers(.hops) == [5] + (300...400))
        #expect(
            try store.pool.read { try String.fetchOne($0, sql: "SELECT ip FROM event WHERE seq = 5") } == "203.0.113.5")
        #expect(try store.verify().faults.map(\.problem) == [])
    }

    @Test("a source goes when its file is gone and none of its events is left")
    func sources() throws {
        let kept = made.folder.file("kept.csv")
        try Data().write(to: URL(fileURLWithPath: kept))
        for (number, path) in [kept, made.folder.file("gone.csv"), made.folder.file("last.csv")].enumerated() {
            let source = try store.open(
                FileIdentity(
                    path: path, device: 1, inode: Int64(number), size: 10, head: Array(path.utf8), format: "csvlog",
                    cluster: nil, instance: nil))
            var ingest = Ingest(
                source: source.id, position: 10,
                clock: LogTime(milliseconds: ChainedStore.start + Int64(number) * 1_000_000), counted: 10)
            ingest.unread = [Unread(offset: 1, length: 2, reason: "torn")]
            ingest.readAt = LogTime(milliseconds: ChainedStore.start)
            ingest.events = [ChainedStore.event(Int64(number + 1), at: Int64(number * 1000))]
            _ = try writer.commit([ingest])
        }
        try detect()
        let went = try Retention(writer, limits(events: 10)).run()
        #expect(went.rows["sources"] == 1 && went.rows["events"] == 2)
        #expect(try store.sourceStatus().map(\.path) == [kept, made.folder.file("last.csv")].sorted())
    }

    @Test("rows taken out by somebody else are not taken for such whose time was over")
    func marked() throws {
        try made.fill()
        try detect()
        _ = try Retention(writer, limits(events: 20)).run()
        try made.tamper(
            """
            INSERT INTO pruned SELECT 'events', 25, 25, chain FROM events WHERE seq = 25;
            DELETE FROM events WHERE seq = 25;
            """)
        let report = try store.verify()
        #expect(report.faults.map(\.table) == ["events"])
        #expect(
            report.faults.first?.problem == "14 rows are marked as gone since their time was over, but acts tell of 13")
        // What somebody puts in where rows had gone is seen there.
        try made.tamper("UPDATE events SET seq = 15 WHERE seq = 26")
        #expect(try made.faults().prefix(2) == ["events 15", "events 26"])
    }

    @Test("a head whose last rows went cannot be proved, and is said to be too old")
    func tooOld() throws {
        try made.write(events: 10)
        let head = try store.head()
        try made.write(events: 90, from: 11)
        try detect()
        _ = try Retention(writer, limits(events: 20)).run()
        #expect(try store.verify(heads: [head]).proofs.map(\.proof) == [.isPruned(table: "events", row: 10)])
    }

    @Test("how it grows is told by the last days, and what age takes away is not feared")
    func forecast() throws {
        try made.write(events: 3600, batch: 1800)
        var limits = RetentionLimits()
        let forecast = try store.forecast(limits)
        // One a second.
        #expect(abs(forecast.eventsPerDay - 86_400) < 100)
        #expect(abs(forecast.bytesPerDay - 86_400 * Double(forecast.used) / 3600) < 10_000_000)
        #expect(forecast.daysToLimit == nil)
        limits.size = forecast.used * 100
        let days = try #require(try store.forecast(limits).daysToLimit)
        #expect(days > 3.5 && days < 5)
        limits.events = 86_400_000
        #expect(try store.forecast(limits).daysToLimit == nil)
    }
}
