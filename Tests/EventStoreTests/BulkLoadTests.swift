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
                    "SELECT sql FROM sqlite_master WHERE type = 'index' AND name IN ('events_sessions', 'events_actor')"
            )
        }
    }

    private func write(_ store: Store) throws {
        let source = try store.open(
            FileIdentity(
                path: "a.csv", device: 1, inode: 1, size: 100, head: Array("head".utf8), format: "csvlog", cluster: nil,
                instance: nil))
        var ingest = Ingest(source: source.id, position: 10, clock: .distantPast, counted: 10)
        ingest.events = [
            SecurityEvent(
                identity: EventIdentity(origin: "o", line: 1, hash: 7, ordinal: 0), time: LogTime(milliseconds: 1),
                kind: EventKind(
                    dataset: "postgresql.log", category: "authentication", action: "auth.success", outcome: .success,
                    severity: .info, tags: []),
                actor: EventActor(address: "192.0.2.1", user: "bob", database: "shop"))
        ]
        _ = try StoreWriter(store).commit([ingest])
    }

    @Test("a new store gets its indexes over actors at the end, with many events before, or when it is opened again")
    func deferred() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = try Store(path: path)
        let whole = try indexes(store)
        #expect(whole.count == 2)
        let load = try BulkLoad(store)
        #expect(try indexes(store).isEmpty)
        try write(store)
        try load.note(1)
        #expect(try indexes(store).isEmpty)
        // Killed here: who opens it to write makes up for it, who only reads does not.
        #expect(try indexes(Store(existing: path, readOnly: true)).isEmpty)
        #expect(try indexes(Store(path: path)).count == 2)
        try load.finish()
        #expect(try indexes(store).count == 2)
    }

    @Test("a store with events in it keeps them")
    func kept() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = try Store(path: path)
        try write(store)
        let load = try BulkLoad(store)
        #expect(try indexes(store).count == 2)
        try load.finish()
        #expect(try indexes(store).count == 2)
    }

    @Test("sorting has a limit")
    func limited() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = try Store(path: path)
        let load = try BulkLoad(store)
        try load.note(1_000_000)
        #expect(try indexes(store).count == 2)
    }
}
