import EventStore
import Foundation
import Testing
import VigilModel

@testable import Vigil

@Suite("Store keeper")
struct StoreKeeperTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
    private let store: Store
    private let writer: StoreWriter

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        store = try Store(path: folder.appending(path: "a.db").path)
        writer = StoreWriter(store)
    }

    private func event(_ number: Int64, at time: LogTime) -> SecurityEvent {
        let kind = EventKind(
            dataset: "postgresql.log", category: "authentication", action: "auth.failure", outcome: .failure,
            reason: nil, severity: .low, tags: ["auth.failure"])
        var event = SecurityEvent(
            identity: EventIdentity(origin: "o", line: number, hash: 1, ordinal: 0), time: time, kind: kind,
            actor: EventActor(address: "203.0.113.7", user: "bob", database: "shop"))
        event.content = number
        return event
    }

    /// An event each so many milliseconds, the last now, or before; rules have seen them. Gives the source.
    @discardableResult
    private func write(_ count: Int64, every interval: Int64, before: Int64 = 0) throws -> Int64 {
        let source = try store.open(
            FileIdentity(
                path: "a.csv", device: 1, inode: 1, size: 100, head: Array("head".utf8), format: "csvlog", cluster: nil,
                instance: nil))
        let end = LogTime.wallClock.adding(milliseconds: -before)
        var ingest = Ingest(source: source.id, position: 10, clock: end, counted: 10)
        ingest.events = (1...count).map { event($0, at: end.adding(milliseconds: ($0 - count) * interval)) }
        _ = try writer.commit([ingest])
        _ = try store.commit(alerts: [], bans: [], learnt: [], through: end)
        return source.id
    }

    private func keeper(_ change: (inout RetentionLimits) -> Void) throws -> StoreKeeper {
        var limits = RetentionLimits()
        change(&limits)
        return try StoreKeeper(store, writer, limits, meter: WatchMeter())
    }

    /// Turns until nothing is under way; gives what was said, and the rows that each turn took out.
    private func turn(_ keeper: StoreKeeper, after seconds: Double) throws -> (said: [String], went: [Int64]) {
        var said: [String] = []
        var went: [Int64] = []
        var rows = try store.status().events
        repeat {
            said += try keeper.turn(at: Date().addingTimeInterval(seconds))
            let left = try store.status().events
            went.append(rows - left)
            rows = left
        } while keeper.isWorking
        return (said, went)
    }

    @Test("lets go in small steps what has had its time, a minute after the start, and says so")
    func rounds() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try write(3000, every: 60_000)
        let keeper = try keeper { $0.events = 86_400_000 }
        #expect(try turn(keeper, after: 30).said == [])
        let (said, went) = try turn(keeper, after: 61)
        #expect(said == ["retention: 1559 events went"])
        #expect(went.reduce(0, +) == 1559 && went.allSatisfy { $0 <= 750 })
        #expect(try store.verify().holds)
        // In an hour again.
        #expect(try turn(keeper, after: 120).said == [])
        let hourly = try turn(keeper, after: 3700).said
        #expect(hourly == ["head \(try store.head())"])
    }

    @Test("an old log stays as it was read, whatever watch notes of its file today")
    func old() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = try write(2000, every: 60_000, before: 300 * 86_400_000)
        try writer.commit(notes: [EventNote(source: source, event: event(5000, at: .wallClock))])
        let keeper = try keeper { $0.events = 10 * 86_400_000 }
        #expect(try turn(keeper, after: 61).said == [])
        #expect(try store.status().events == 2001)
    }

    @Test("makes room within seconds, and says when there is nothing left that may go")
    func room() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try write(8000, every: 1000)
        let used = try store.forecast(RetentionLimits()).used
        let keeper = try keeper { $0.size = used * 2 / 3 }
        let said = try turn(keeper, after: 6).said
        #expect(said.count == 1 && said[0].hasPrefix("retention: ") && said[0].hasSuffix(" events went"))
        #expect(try store.forecast(RetentionLimits()).used <= used * 2 / 3)
        let tight = try self.keeper { $0.size = 1000 }
        let overfull = try turn(tight, after: 6).said
        #expect(overfull.last?.contains("nothing ordinary is left") == true)
        // Once a day.
        #expect(try !turn(tight, after: 20).said.contains { $0.contains("nothing ordinary") })
    }

    @Test("warns when there will be no more room in a few days")
    func warning() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try write(3600, every: 1000)
        let used = try store.forecast(RetentionLimits()).used
        let near = try keeper { $0.size = used * 50 }
        #expect(
            try turn(near, after: 61).said.contains {
                $0.hasPrefix("warning: at the rate") && $0.contains("`retention: size` in 2 d")
            })
        let far = try keeper { $0.size = used * 24 * 30 }
        #expect(try turn(far, after: 61).said == [])
    }
}
