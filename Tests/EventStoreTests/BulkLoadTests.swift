import Foundation
import GRDB
import Testing
import VigilModel

@testable import EventStore

@Suite("A store while much is written at once")
struct BulkLoadTests {
    private let folder: URL
    private let path: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.appending(path: "a.db").path
    }

    private func indexes(_ store: Store) throws -> Set<String> {
        try store.pool.read { db in
            try String.fetchSet(
                db,
                sql:
                    "SELECT sql FROM sqlite_master WHERE type = 'index' AND (name IN ('events_sessions', 'events_actor') OR name GLOB 'actors_*')"
            )
        }
    }

    private func write(
        _ store: Store, _ writer: StoreWriter? = nil, line: Int64 = 1, users: [String] = ["bob"]
    ) throws {
        let source = try store.open(
            FileIdentity(
                path: "a.csv", device: 1, inode: 1, size: 100, head: Array("head".utf8), format: "csvlog", cluster: nil,
                instance: nil))
        var ingest = Ingest(source: source.id, position: 10, clock: .distantPast, counted: 10)
        ingest.events = users.enumerated().map { number, user in
            SecurityEvent(
                identity: EventIdentity(origin: "o", line: line + Int64(number), hash: 7, ordinal: 0),
                time: LogTime(milliseconds: line),
                kind: EventKind(
                    dataset: "postgresql.log", category: "authentication", action: "auth.success", outcome: .success,
                    severity: .info, tags: []),
                actor: EventActor(address: "192.0.2.1", user: user, database: "shop"))
        }
        _ = try (writer ?? StoreWriter(store)).commit([ingest])
    }

    @Test("a new store gets its indexes over actors at the end, with many events before, or when it is opened again")
    func deferred() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = try Store(path: path)
        let whole = try indexes(store)
        #expect(whole.count == 5)
        let writer = StoreWriter(store)
        let load = try BulkLoad(store, writer)
        #expect(try indexes(store).isEmpty)
        try write(store, writer)
        try load.note(1)
        #expect(try indexes(store).isEmpty)
        // Killed here: who opens it to write makes up for it, who only reads does not.
        #expect(try indexes(Store(existing: path, readOnly: true)).isEmpty)
        #expect(try indexes(Store(path: path)).count == 5)
        try load.finish()
        #expect(try indexes(store).count == 5)
    }

    @Test("a store with events in it keeps them")
    func kept() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = try Store(path: path)
        try write(store)
        let load = try BulkLoad(store, StoreWriter(store))
        #expect(try indexes(store).count == 5)
        try load.finish()
        #expect(try indexes(store).count == 5)
    }

    @Test("sorting has a limit")
    func limited() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = try Store(path: path)
        let load = try BulkLoad(store, StoreWriter(store))
        try load.note(1_000_000)
        #expect(try indexes(store).count == 5)
    }

    /// Users of actors, by number, and the numbers of actors that events name.
    private func actors(_ store: Store) throws -> (users: [String], events: [Int64]) {
        try store.pool.read { db in
            (
                try String.fetchAll(db, sql: "SELECT user FROM actors ORDER BY id"),
                try Int64.fetchAll(db, sql: "SELECT actor FROM events ORDER BY seq")
            )
        }
    }

    @Test("without an index each actor is one row all the same, however many there are")
    func actorsOnce() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = try Store(path: path)
        let writer = StoreWriter(store)
        let load = try BulkLoad(store, writer)
        // More than are remembered by their names, then the same again.
        let users = (0..<20_000).map { "user\($0)" }
        try write(store, writer, line: 1, users: users)
        try write(store, writer, line: 30_000, users: users)
        try load.note(40_000)
        #expect(try indexes(store).isEmpty)
        try load.finish()
        let (names, events) = try actors(store)
        #expect(names == users && events == (1...20_000).map(Int64.init) + (1...20_000).map(Int64.init))
        #expect(try indexes(store).count == 5)
        try write(store, writer, line: 60_000, users: ["user7", "user19999", "eve\0a", "eve"])
        #expect(try actors(store).events.suffix(4) == [8, 20_000, 20_001, 20_001])
    }

    @Test("who was made by somebody else meanwhile is found, and the indexes are made at once")
    func others() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = try Store(path: path)
        // Opened before the load began.
        let other = try Store(path: path)
        let writer = StoreWriter(store)
        let load = try BulkLoad(store, writer)
        try write(store, writer, line: 1, users: ["bob"])
        try write(other, line: 10, users: ["bob", "eve"])
        try write(store, writer, line: 20, users: ["eve", "bob", "ann"])
        #expect(try indexes(store).isEmpty)
        try load.note(3)
        #expect(try indexes(store).count == 5)
        let (names, events) = try actors(store)
        #expect(names == ["bob", "eve", "ann"] && events == [1, 1, 2, 2, 1, 3])
    }
}
