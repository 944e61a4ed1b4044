import Foundation
import GRDB
import Testing
import VigilModel

@testable import EventStore

@Suite("Who had sessions")
struct SessionQueryTests {
    private let folder: URL
    private let store: Store

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        store = try Store(path: folder.appending(path: "a.db").path)
    }

    private func plan(_ sql: String, _ arguments: StatementArguments) throws -> String {
        try store.pool.read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql, arguments: arguments)
                .map { $0["detail"] as String }.joined(separator: "\n")
        }
    }

    @Test("no question about sessions goes over the events, and none about clients over the connections")
    func plans() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let plans = [
            try plan(Store.hasSessions, ["auth.success", 0, 1]), try plan(Store.sessions(after: 0), ["auth.success"]),
            try plan(Store.clients, ["203.0.113.", "203.0.113/"]),
        ]
        for plan in plans {
            #expect(
                !plan.contains("SCAN events") && !plan.contains("SCAN e\n") && !plan.contains("SCAN hops"), "\(plan)")
        }
        #expect(plans[0].contains("COVERING INDEX events_sessions (kind=? AND actor=? AND time>? AND time<?)"))
        #expect(plans[1].contains("COVERING INDEX events_sessions (kind=? AND actor>?)"))
        #expect(plans[2].contains("INDEX hops_client (client_ip>? AND client_ip<?)"), "\(plans[2])")
        // What is new since the last time is found by its row.
        let new = try plan(Store.sessions(after: 5), [5, 9, "auth.success"])
        #expect(new.contains("SEARCH events USING INTEGER PRIMARY KEY"), "\(new)")
    }

    private func event(_ number: Int, _ action: String, from ip: String, at time: Int64) -> SecurityEvent {
        SecurityEvent(
            identity: EventIdentity(origin: "o", line: Int64(number), hash: 7, ordinal: 0),
            time: LogTime(milliseconds: time),
            kind: EventKind(
                dataset: "postgresql.log", category: "authentication", action: action, outcome: .success,
                severity: .info, tags: []),
            actor: EventActor(address: ip, user: "bob", database: "shop"))
    }

    @Test("sessions are found by action, actor and time, in a new store and in one that was brought up to date")
    func found() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = try store.open(
            FileIdentity(
                path: "a.csv", device: 1, inode: 1, size: 100, head: Array("head".utf8), format: "csvlog", cluster: nil,
                instance: nil))
        var ingest = Ingest(source: source.id, position: 10, clock: .distantPast, counted: 10)
        ingest.events = [
            event(1, "auth.success", from: "203.0.113.1", at: 1000),
            event(2, "auth.failure", from: "203.0.113.2", at: 2000),
            event(3, "auth.success", from: "203.0.113.1", at: 500),
            event(4, "conn.replication", from: "203.0.113.4", at: 9),
        ]
        _ = try StoreWriter(store).commit([ingest])
        func check(_ store: Store) throws {
            let found = try store.addresses(action: "auth.success", after: 0, through: 99)
            #expect(found.map(\.address.description) == ["203.0.113.1"] && found[0].since.milliseconds == 500)
            #expect(try store.addresses(action: "conn.replication", after: 0, through: 99).count == 1)
            #expect(try store.addresses(action: "auth.success", after: 1, through: 99)[0].since.milliseconds == 500)
            func has(_ from: Int64, _ before: Int64) throws -> Bool {
                try store.hasSessions(from: LogTime(milliseconds: from), before: LogTime(milliseconds: before))
            }
            #expect(try has(0, 501) && !has(0, 500) && has(1000, 1001) && !has(1001, 9999))
        }
        try check(store)
        // As it was before kinds of sessions had numbers of their own.
        let path = folder.appending(path: "b.db").path
        do {
            let old = try Store(path: path)
            try store.pool.backup(to: old.pool)
            try old.pool.writeWithoutTransaction { db in
                try db.execute(
                    sql: """
                        PRAGMA foreign_keys = OFF;
                        DROP INDEX events_sessions; DROP INDEX hops_client; DROP TABLE lists;
                        UPDATE kinds SET id = 100 - id WHERE id < 0; UPDATE events SET kind = 100 - kind WHERE kind < 0;
                        DELETE FROM grdb_migrations WHERE identifier LIKE '%sessions, lists';
                        """)
            }
        }
        try check(try Store(existing: path))
    }

    @Test("who reads on sees every kind, also one that comes later, and those of sessions")
    func kinds() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = try store.open(
            FileIdentity(
                path: "a.csv", device: 1, inode: 1, size: 100, head: Array("head".utf8), format: "csvlog", cluster: nil,
                instance: nil))
        let memory = DetectionMemory { _ in .event }
        var seen: [String] = []
        for (number, action) in ["auth.success", "auth.failure", "conn.replication", "ddl"].enumerated() {
            var ingest = Ingest(source: source.id, position: 10, clock: .distantPast, counted: 10)
            let time = Int64(number + 1) * 1000
            ingest.events = [event(number, action, from: "203.0.113.1", at: time)]
            _ = try StoreWriter(store).commit([ingest])
            try store.forEachEvent(
                after: LogTime(milliseconds: time - 1), through: LogTime(milliseconds: time), memory
            ) { event, _ in seen.append(event.kind.action) }
        }
        #expect(seen == ["auth.success", "auth.failure", "conn.replication", "ddl"])
    }

    @Test(
        "clients of a block are found by the text of their addresses",
        arguments: [
            ("203.0.113.0/24", 2), ("203.0.113.6/31", 1), ("203.0.113.66/32", 1), ("2001:db8:1:2::/64", 2),
            ("2001:db8::/48", 1), ("::1/128", 1), ("198.51.100.0/24", 0),
        ])
    func clients(block: String, count: Int) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let clients = [
            "203.0.113.66", "203.0.113.7", "203.0.11.9", "2001:db8:1:2::7", "2001:db8:1:2:3:4:5:6", "2001:db8::1:0:0:1",
            "::1",
        ]
        try store.pool.write { db in
            for (number, client) in clients.enumerated() {
                try db.execute(
                    sql: """
                        INSERT INTO hops (address, port, start, "end", client, client_ip, client_port, exact)
                        VALUES ('10.0.0.1', ?, 1, 2, ?, ?, 5, 1)
                        """,
                    arguments: [number, client, client])
            }
        }
        #expect(try store.clientsOfProxies(in: try #require(CIDR(block))).count == count)
    }
}
