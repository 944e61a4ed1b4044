import Foundation
import GRDB
import VigilModel

@testable import EventStore

/// A store with rows in every chained table, always the same ones.
struct ChainedStore: Sendable {
    let folder: TemporaryFolder
    let store: Store
    static let kind = EventKind(
        dataset: "postgresql.log", category: "authentication", action: "auth.failure", outcome: .failure,
        reason: "bad_password", severity: .low, tags: ["auth.failure"])
    static let ddl = EventKind(
        dataset: "postgresql.log", category: "database", action: "ddl", outcome: .unknown, reason: nil, severity: .high,
        tags: ["ddl"])
    static let start: Int64 = 1_772_445_000_000

    init(_ name: String = "a.db") throws {
        folder = try TemporaryFolder()
        store = try Store(path: folder.file(name))
    }

    var path: String { store.path }

    func source(_ name: String = "a.csv", instance: String? = "pg-test-1") throws -> Int64 {
        try store.open(
            FileIdentity(
                path: name, device: 1, inode: 1, size: 1000, head: Array(name.utf8), format: "csvlog", cluster: nil,
                instance: instance)
        ).id
    }

    static func event(_ number: Int64, at second: Int64? = nil, kind: EventKind = kind, text: String? = nil)
        -> SecurityEvent
    {
        var event = SecurityEvent(
            identity: EventIdentity(origin: "69a55d0d.4f1b", line: number, hash: 7, ordinal: 0),
            time: LogTime(milliseconds: start + (second ?? number) * 1000), kind: kind,
            actor: EventActor(address: "203.0.113.\(number % 7)", user: "user \(number % 5)", database: "shop"))
        event.content = number
        event.offset = number * 100
        event.message = text ?? "password authentication failed for user \"user \(number % 5)\""
        event.sourcePort = Int(1000 + number)
        return event
    }

    /// Events 1 to `count`, in commits of so many.
    func write(events count: Int64, from first: Int64 = 1, batch: Int64 = 10) throws {
        let source = try source()
        let writer = StoreWriter(store)
        for from in stride(from: first, to: first + count, by: Int64.Stride(batch)) {
            var ingest = Ingest(source: source, position: from, clock: .distantPast, counted: from)
            let range = from..<min(from + batch, first + count)
            ingest.events = range.map {
                ChainedStore.event($0, kind: $0 % 4 == 0 ? ChainedStore.ddl : ChainedStore.kind)
            }
            for number in range where number % 4 == 0 {
                ingest.evidence.append(
                    EventEvidence(
                        event: ChainedStore.event(number).identity, content: number,
                        identity: EventIdentity(origin: "69a55d0d.4f1b", line: 1000 + number, hash: 8, ordinal: 0),
                        kind: ChainedStore.ddl, time: LogTime(milliseconds: ChainedStore.start), offset: number,
                        auditClass: "DDL", objectName: "public.t\(number)", objectType: "TABLE"))
            }
            for number in range where number % 5 == 0 {
                ingest.hops.append(
                    ProxyHop(
                        address: "10.0.0.1", port: Int(number), clientAddress: "203.0.113.9", clientPort: Int(number),
                        start: LogTime(milliseconds: ChainedStore.start), end: nil, isExact: true))
            }
            _ = try writer.commit([ingest])
        }
    }

    /// An alert that rests on an event, with its ban.
    func alert(_ number: Int64, on events: [Int64]) throws {
        let time = LogTime(milliseconds: ChainedStore.start + number * 1000)
        let rule = AlertRule(
            id: "auth-bruteforce", name: "Guessing", family: "auth", version: "1", techniques: ["T1110"], soc2: [],
            mlps: [], framework: "ATT&CK 17")
        let alert = Alert(
            id: "alert\(number)", time: time, rule: rule, severity: .high, sourceIP: nil, user: "bob", database: nil,
            eventCount: 10, firstSeen: time, lastSeen: time, evidence: events, message: "alert \(number)")
        guard let cidr = CIDR("203.0.113.\(number)/32"), let ip = IPAddress("203.0.113.\(number)") else { return }
        let ban = Ban(
            cidr: cidr, sourceIP: ip, start: time, end: time.adding(milliseconds: 3_600_000), ruleID: rule.id,
            alertID: alert.id, reason: "guesses", eventCount: 10, mode: .observe, by: "pgvigil")
        _ = try store.commit(alerts: [(alert, "group")], bans: [ban], learnt: [], through: time)
    }

    /// Some of everything: 40 events, 10 records, 8 hops, 3 alerts, 3 bans, 3 acts.
    func fill() throws {
        try write(events: 40)
        for number in Int64(1)...3 { try alert(number, on: [number, number + 10]) }
        for number in 1...3 { try store.add([OwnAct(.start, "start \(number)")]) }
    }

    /// Does what somebody with sqlite3 could do.
    func tamper(_ sql: String) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        try DatabaseQueue(path: path, configuration: configuration).write { try $0.execute(sql: sql) }
    }

    /// The first fault of a table, as `TABLE ROW`.
    func faults() throws -> [String] { try store.verify().faults.map { "\($0.table) \($0.row)" } }
}

extension ChainedStore {
    /// Makes the store one of the version before chains.
    static let downgrade = """
        DROP VIEW event; DROP VIEW event_hop;
        CREATE VIEW event AS SELECT 1; CREATE VIEW event_hop AS SELECT 1;
        CREATE TABLE older (
            event INTEGER NOT NULL, origin TEXT NOT NULL, line INTEGER NOT NULL, mark INTEGER NOT NULL,
            kind INTEGER NOT NULL, time INTEGER NOT NULL, source INTEGER NOT NULL, offset INTEGER NOT NULL,
            audit_class TEXT, object TEXT, object_type TEXT, count INTEGER, PRIMARY KEY (event, origin, line, mark)) WITHOUT ROWID;
        INSERT INTO older SELECT event, origin, line, mark, kind, time, source, offset, audit_class, object, object_type,
            count
            FROM records;
        DROP TABLE records;
        ALTER TABLE older RENAME TO records;
        DROP TABLE heads; DROP TABLE pruned; DROP INDEX evidence_event;
        ALTER TABLE kinds DROP COLUMN digest; ALTER TABLE actors DROP COLUMN digest; ALTER TABLE rules DROP COLUMN digest;
        ALTER TABLE hops DROP COLUMN chain;
        ALTER TABLE acts DROP COLUMN item; ALTER TABLE acts DROP COLUMN rows; ALTER TABLE acts DROP COLUMN total;
        UPDATE events SET chain = NULL; UPDATE alerts SET chain = NULL; UPDATE bans SET chain = NULL;
        UPDATE acts SET chain = NULL;
        DELETE FROM grdb_migrations WHERE identifier = '7 chain';
        """

    /// The hash of a row.
    static func hash(_ table: ChainedTable, _ row: Int64, _ store: Store) throws -> Data? {
        try store.pool.read { db in
            try Data.fetchOne(
                db, sql: "SELECT chain FROM \(table.rawValue) WHERE \(table.key) = ?", arguments: [row])
        }
    }
}
