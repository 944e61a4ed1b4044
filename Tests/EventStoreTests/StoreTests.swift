import Foundation
import GRDB
import Testing
import VigilModel

@testable import EventStore

/// A folder that goes away with the test.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }
}

@Suite("Store")
struct StoreTests {
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        folder = try TemporaryFolder()
        store = try Store(path: folder.file("a.db"))
    }

    private func event(_ line: Int64, user: String = "bob", content: Int64 = 1, second: Int64 = 0) -> SecurityEvent {
        let kind = EventKind(
            dataset: "postgresql.log", category: "authentication", action: "auth.failure", outcome: .failure,
            reason: "bad_password", severity: .low, tags: ["auth.failure"])
        var event = SecurityEvent(
            identity: EventIdentity(origin: "69a55d0d.4f1b", line: line, hash: 7, ordinal: 0),
            time: LogTime(milliseconds: 1_772_445_000_000 + second * 1000), kind: kind,
            actor: EventActor(address: "203.0.113.66", user: user, database: "shop"))
        event.content = content
        event.message = "password authentication failed for user \"\(user)\""
        return event
    }

    private func source(_ name: String = "a.csv", inode: Int64 = 1, head: String = "head", size: Int64 = 1000) throws
        -> SourceState
    {
        try store.open(
            FileIdentity(
                path: name, device: 1, inode: inode, size: size, head: Array(head.utf8), format: "csvlog", cluster: nil,
                instance: nil))
    }

    private func commit(_ source: SourceState, _ events: [SecurityEvent], position: Int64 = 10) throws -> IngestResult {
        var ingest = Ingest(source: source.id, position: position, clock: .distantPast, counted: position)
        ingest.events = events
        return try StoreWriter(store).commit([ingest])
    }

    private func ids() throws -> [String] {
        var ids: [String] = []
        try store.query(.events, EventFilter()) { row in
            if case .text(let id)? = row.first(where: { $0.key == "event.id" })?.value { ids.append(id) }
        }
        return ids
    }

    @Test("takes an event once")
    func once() throws {
        let source = try source()
        #expect(try commit(source, [event(1), event(2)]).inserted == 2)
        let again = try commit(source, [event(1), event(2)])
        #expect(again.inserted == 0 && again.known == 2)
        #expect(try ids().count == 2)
    }

    @Test("keeps another event under the same identity beside the first, once")
    func twins() throws {
        let source = try source()
        _ = try commit(source, [event(1)])
        #expect(try ids() == ["69a55d0d.4f1b-1-00000007"])
        #expect(try commit(source, [event(1, user: "eve", content: 2)]).inserted == 1)
        #expect(try commit(source, [event(1, user: "eve", content: 2), event(1)]).known == 2)
        #expect(
            try ids().sorted() == [
                "69a55d0d.4f1b-1-00000007~0000000000000001", "69a55d0d.4f1b-1-00000007~0000000000000002",
            ])
    }

    @Test("commits events and position together or not at all")
    func together() throws {
        let source = try source()
        _ = try commit(source, [event(1)], position: 100)
        try store.pool.write { db in
            try db.execute(sql: "CREATE TRIGGER full BEFORE UPDATE ON sources BEGIN SELECT RAISE(FAIL, 'disk'); END")
        }
        #expect(throws: DatabaseError.self) { try commit(source, [event(2), event(3)], position: 300) }
        try store.pool.write { try $0.execute(sql: "DROP TRIGGER full") }
        #expect(try ids().count == 1)
        #expect(try self.source().position == 100)
        #expect(try commit(source, [event(2), event(3)], position: 300).inserted == 2)
        #expect(try self.source().position == 300)
    }

    @Test("knows a file again under another name, and by its first bytes when it grew")
    func sameFile() throws {
        _ = try commit(try source(head: "short"), [event(1)], position: 5)
        let grown = try source("b.csv", head: "short and longer now")
        #expect(grown.position == 5)
    }

    @Test("starts a copy from its beginning, and does not count it again")
    func copies() throws {
        _ = try commit(try source(), [event(1)], position: 500)
        let copy = try source("copy.csv", inode: 2)
        #expect(copy.position == 0 && copy.counted == 500)
    }

    @Test("starts a file from its beginning that was replaced, or cut")
    func replaced() throws {
        let first = try source()
        _ = try commit(first, [event(1)], position: 500)
        #expect(try source(head: "other").id != first.id)
        #expect(try source(head: "other").position == 0)
        #expect(try source(size: 100).position == 0)
    }

    @Test("says how far rules must go back for events that came late")
    func rewind() throws {
        let source = try source()
        _ = try commit(source, [event(1, second: 10)])
        _ = try store.commit(alerts: [], bans: [], learnt: [], through: event(1, second: 20).time)
        #expect(try store.detectionState().rewind == nil)
        _ = try commit(source, [event(2, second: 30)])
        #expect(try store.detectionState().rewind == nil)
        _ = try commit(source, [event(3, second: 5), event(4, second: 7)])
        #expect(try store.detectionState().rewind == event(3, second: 5).time)
    }

    @Test(
        "a further record sends rules back when the event says more by it, and only then",
        arguments: [
            (["auth.failure"], EventOutcome.failure, false), ([], .success, false), (["perm.denied"], .unknown, true),
            (["auth.failure", "perm.denied"], .unknown, true),
        ])
    func evidence(tags: [String], outcome: EventOutcome, isNew: Bool) throws {
        let source = try source()
        let told = event(1, second: 10)
        _ = try commit(source, [told])
        _ = try store.commit(alerts: [], bans: [], learnt: [], through: event(1, second: 20).time)
        var ingest = Ingest(source: source.id, position: 20, clock: .distantPast, counted: 20)
        ingest.evidence = [
            EventEvidence(
                event: told.identity, content: told.content,
                identity: EventIdentity(origin: told.identity.origin, line: 2, hash: 8, ordinal: 0),
                kind: EventKind(
                    dataset: "postgresql.log", category: "database", action: "ddl", outcome: outcome, severity: .low,
                    tags: tags), time: told.time.adding(milliseconds: 9000), offset: 15, auditClass: nil,
                objectName: nil, objectType: nil)
        ]
        _ = try StoreWriter(store).commit([ingest])
        #expect(try store.detectionState().rewind == (isNew ? told.time : nil))
    }

    @Test("escapes what it is asked for", arguments: ["x' OR '1'='1", "'; DROP TABLE events; --", "%", "\u{0}"])
    func injection(text: String) throws {
        _ = try commit(try source(), [event(1)])
        var filter = EventFilter()
        filter.values = [("user.name", text)]
        var count = 0
        try store.query(.events, filter) { _ in count += 1 }
        #expect(count == 0)
        #expect(try ids().count == 1)
        #expect(throws: UnknownKey.self) { try store.count(.events, EventFilter(), by: [text]) { _ in } }
    }

    @Test("is readable by its owner alone")
    func mode() throws {
        let attributes = try FileManager.default.attributesOfItem(atPath: store.path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
    }

    @Test("opens again when it was killed before it was marked as ours")
    func unmarked() throws {
        let path = folder.file("killed.db")
        try DatabaseQueue(path: path).writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 1") }
        _ = try Store(path: path)
        _ = try Store(existing: path)
    }

    @Test("is left alone by a reader while a writer is just making it")
    func beingMade() throws {
        let path = folder.file("new.db")
        try Data().write(to: URL(fileURLWithPath: path))
        #expect(throws: StoreProblem.self) { try Store(existing: path) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)
        _ = try Store(path: path)
        _ = try Store(existing: path)
    }

    @Test("leaves files of other programs as they are")
    func foreign() throws {
        let text = folder.file("notes.txt")
        try Data("hello\n".utf8).write(to: URL(fileURLWithPath: text))
        let other = folder.file("other.db")
        try DatabaseQueue(path: other).write { try $0.execute(sql: "CREATE TABLE t (a)") }
        for path in [text, other] {
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            #expect(throws: StoreProblem.self) { try Store(path: path) }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
            #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
        }
        #expect(throws: StoreProblem.self) { try Store(existing: folder.file("none.db")) }
        #expect(!FileManager.default.fileExists(atPath: folder.file("none.db")))
    }

    @Test("of an older version is brought up to date by whoever may write it")
    func older() throws {
        let path = folder.file("older.db")
        // The mark of the first version, and its tables.
        do { _ = try Store(path: path) }
        do {
            let queue = try DatabaseQueue(path: path)
            try queue.write { db in
                try db.execute(
                    sql: "DELETE FROM grdb_migrations WHERE identifier = '3 hops by number'; DROP VIEW event_hop")
            }
        }
        #expect(throws: StoreProblem.self) { try Store(existing: path, readOnly: true) }
        let store = try Store(existing: path)
        #expect(try store.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM event_hop") } == 0)
    }
}
