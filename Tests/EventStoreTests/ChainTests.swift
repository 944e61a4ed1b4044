import Foundation
import GRDB
import Testing
import VigilModel

@testable import EventStore

@Suite("Chain")
struct ChainTests {
    private let made: ChainedStore
    private var store: Store { made.store }

    init() throws { made = try ChainedStore() }

    @Test("holds over everything that was written, and its head is proved later")
    func holds() throws {
        try made.fill()
        let head = try store.head()
        #expect(head.tables.map(\.rows) == [40, 10, 8, 3, 3, 3])
        try made.write(events: 8, from: 41)
        let report = try store.verify(heads: [head, try store.head()])
        #expect(report.holds && report.faults.isEmpty)
        #expect(report.tables.map(\.rows) == [48, 12, 9, 3, 3, 3])
        #expect(report.proofs.map(\.proof) == [.holds, .holds])
        #expect(ChainHead(head.description) == head)
        #expect(ChainHead.all(in: "Mar 02 watch: head \"\(head)\"\nother words") == [head])
    }

    @Test("is the same whatever the transactions, and goes on where another writer ended", arguments: [1, 3, 7, 40])
    func batches(size: Int64) throws {
        try made.write(events: 40)
        let other = try ChainedStore()
        try other.write(events: 11, batch: size)
        try other.write(events: 29, from: 12, batch: size)
        #expect(try other.store.head() == store.head())
        // What is known already changes nothing.
        try other.write(events: 40, batch: size)
        #expect(try other.store.head() == store.head())
        #expect(try other.store.verify().holds)
    }

    @Test(
        "names the first row that is not as it was",
        arguments: [
            ("UPDATE events SET message = 'nothing happened' WHERE seq = 17", "events 17"),
            ("UPDATE events SET time = time + 1 WHERE seq = 1", "events 1"),
            ("UPDATE events SET port = NULL WHERE seq = 40", "events 40"),
            (
                "UPDATE events SET count = '1' || '' WHERE seq = 5; UPDATE events SET secret = x'00' WHERE seq = 6",
                "events 6"
            ),
            ("UPDATE events SET actor = 1 + actor % 2 WHERE seq = 9", "events 9"),
            ("UPDATE events SET kind = 3 - kind WHERE seq = 12", "events 12"),
            ("UPDATE sources SET instance = 'pg-other-1'", "events 1"),
            ("UPDATE events SET chain = NULL WHERE seq = 30", "events 30"),
            ("DELETE FROM events WHERE seq = 21", "events 21"),
            ("DELETE FROM events WHERE seq BETWEEN 1 AND 3", "events 1"),
            ("DELETE FROM events WHERE seq = 40", "events 40"),
            ("UPDATE events SET seq = -1 WHERE seq = 7", "events -1"),
            (
                """
                UPDATE events SET seq = 100 WHERE seq = 7; UPDATE events SET seq = 7 WHERE seq = 8;
                UPDATE events SET seq = 8 WHERE seq = 100
                """, "events 7"
            ),
            ("UPDATE records SET object = 'public.other' WHERE seq = 4", "records 4"),
            ("DELETE FROM records WHERE seq = 10", "records 10"),
            ("UPDATE hops SET client = '203.0.113.1' WHERE id = 3", "hops 3"),
            ("DELETE FROM hops WHERE id = 2", "hops 2"),
            ("UPDATE alerts SET severity = 'info' WHERE seq = 2", "alerts 2"),
            ("DELETE FROM evidence WHERE alert = 2 AND event = 12", "alerts 2"),
            ("INSERT INTO evidence VALUES (3, 5)", "alerts 3"),
            ("UPDATE bans SET \"end\" = \"end\" + 1 WHERE seq = 3", "bans 3"),
            ("UPDATE acts SET reason = 'x' WHERE seq = 1", "acts 1"),
            ("UPDATE kinds SET severity = 'info' WHERE id = 1", "kinds 1"),
            ("UPDATE actors SET user = 'somebody' WHERE id = 3", "actors 3"),
            ("DELETE FROM actors WHERE id = 1", "events 1"),
            ("UPDATE rules SET name = 'x'", "rules 1"),
        ])
    func tampered(sql: String, first: String) throws {
        try made.fill()
        try made.tamper(sql)
        #expect(try made.faults().first == first)
    }

    @Test("says what a row says now")
    func says() throws {
        try made.fill()
        try made.tamper("UPDATE events SET message = 'nothing' WHERE seq = 17")
        let report = try store.verify()
        #expect(report.faultCount == 1)
        #expect(report.faults.first?.text == "auth.failure: nothing")
        #expect(report.faults.first?.id?.hasPrefix("69a55d0d.4f1b-17-") == true)
        #expect(report.faults.first?.time?.milliseconds == ChainedStore.start + 17_000)
    }

    /// Gives a row the hash that it would have, as somebody could who knows how.
    private func forge(_ table: ChainedTable, _ row: Int64) throws {
        let before = try #require(try ChainedStore.hash(table, row - 1, store))
        let previous = try #require(before.withUnsafeBytes { ChainHash($0) })
        try store.pool.write { db in
            let rows = try RawStatement(db, "\(table.select) WHERE t.\(table.key) = \(row)")
            #expect(try rows.next())
            let hash = rows.hash(after: previous)
            rows.reset()
            try db.execute(
                sql: "UPDATE \(table.rawValue) SET chain = ? WHERE \(table.key) = ?", arguments: [hash.data, row])
        }
    }

    @Test("a row that was changed with its hash shows by the next one, the last one by the end of the chain")
    func forged() throws {
        try made.fill()
        try made.tamper("UPDATE events SET message = 'nothing' WHERE seq = 17")
        try forge(.events, 17)
        #expect(try made.faults() == ["events 18"])
        #expect(try store.verify().faults.first?.problem.contains("row 17") == true)
        try made.tamper("UPDATE bans SET reason = 'nothing' WHERE seq = 3")
        try forge(.bans, 3)
        #expect(try made.faults() == ["events 18", "bans 3"])
    }

    @Test("words that were changed with their hash show by the rows")
    func forgedWords() throws {
        try made.fill()
        try made.tamper("UPDATE actors SET user = 'nobody' WHERE id = 3")
        try store.pool.write { db in
            let row = try #require(try Row.fetchOne(db, sql: "SELECT * FROM actors WHERE id = 3"))
            let hash = ChainHash(words: WordTable.actors.words.map { row[$0] as String? })
            try db.execute(sql: "UPDATE actors SET digest = ? WHERE id = 3", arguments: [hash.data])
        }
        let first = try store.pool.read { try Int64.fetchOne($0, sql: "SELECT min(seq) FROM events WHERE actor = 3") }
        #expect(try made.faults().first == "events \(first ?? 0)")
    }

    @Test("a row that somebody put in is one, also when pgvigil wrote on behind it")
    func putIn() throws {
        try made.fill()
        let insert = """
            INSERT INTO events (origin, line, mark, content, time, kind, actor, source, offset, count, chain)
            SELECT 'x', line, mark, content, time, kind, actor, source, offset, count, chain FROM events WHERE seq = 3;
            INSERT INTO bans (alert, cidr, ip, start, "end", rule, reason, events, mode, by)
            SELECT NULL, cidr, ip, start, "end", rule, reason, events, mode, by FROM bans WHERE seq = 1
            """
        try made.tamper(insert)
        #expect(try made.faults() == ["events 41", "bans 4"])
        try made.write(events: 4, from: 41)
        try made.alert(4, on: [4])
        let faults = try store.verify().faults
        #expect(faults.map { "\($0.table) \($0.row)" } == ["events 41", "bans 4"])
        #expect(faults[0].problem.contains("put in"))
    }

    @Test("rows cut off the end, with the end of the chain set back, show by a head that was kept")
    func cut() throws {
        try made.fill()
        let head = try store.head()
        try made.tamper(
            """
            DELETE FROM events WHERE seq > 36; DELETE FROM records WHERE event > 36;
            UPDATE heads SET last = 36, chain = (SELECT chain FROM events WHERE seq = 36) WHERE tbl = 'events';
            UPDATE heads SET last = 9, chain = (SELECT chain FROM records WHERE seq = 9) WHERE tbl = 'records';
            """)
        let report = try store.verify(heads: [head])
        #expect(report.holds)
        #expect(report.proofs.map(\.proof) == [.isCut(table: "events", last: 36)])
        // Others in their place do not help.
        try made.write(events: 4, from: 51, batch: 4)
        try made.write(events: 4, from: 56)
        #expect(try store.verify(heads: [head]).proofs.map(\.proof) == [.differs])
        #expect(try store.verify().holds)
    }

    @Test("an older store is chained when it is opened, in steps, and says so")
    func upgrade() throws {
        try made.fill()
        try made.tamper(ChainedStore.downgrade)
        let older = try Store(existing: made.path)
        let report = try older.verify()
        #expect(report.faults.isEmpty && report.tables.map(\.rows) == [40, 10, 8, 3, 3, 4])
        #expect(try older.lastAct(.seal)?.rows == 67)
        #expect(
            try older.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM heads WHERE pending NOT NULL") } == 0)
        // Events were chained as they would have been.
        let other = try ChainedStore()
        try other.write(events: 40)
        #expect(try ChainedStore.hash(.events, 40, older) == ChainedStore.hash(.events, 40, other.store))
    }

    @Test("words are told apart, and what is added behind the last changes nothing while it is NULL")
    func words() {
        #expect(ChainHash(words: ["a", nil, nil]) == ChainHash(words: ["a"]))
        let different: [[String?]] = [
            ["a"], ["a", ""], [nil, "a"], ["", "a"], ["ab"], ["a", "b"], [nil, nil, "a"], [],
        ]
        #expect(Set(different.map { ChainHash(words: $0) }).count == different.count)
    }

    @Test("holds at every moment while somebody writes")
    func beside() async throws {
        let reader = try Store(existing: made.path, readOnly: true)
        let made = made
        async let written: Void = Task.detached {
            for number in Int64(0)..<40 {
                try made.write(events: 10, from: number * 10 + 1, batch: 3)
                try made.alert(number + 1, on: [number * 10 + 1])
                try made.store.add([OwnAct(.start, "\(number)")])
            }
        }.value
        var rows: [Int64] = []
        repeat {
            let report = try reader.verify(heads: [try reader.head()])
            #expect(report.faults.map(\.problem) == [] && report.proofs.map(\.proof) == [.holds])
            rows.append(report.head.count)
            try await Task.sleep(for: .milliseconds(5))
        } while rows.last != 400 + 100 + 80 + 120
        try await written
        #expect(rows == rows.sorted())
    }

    @Test("a row gives the same bytes when it is written and when it is read, whatever is in it")
    func encoding() throws {
        var numbers = SystemRandomNumberGenerator()
        func text() -> String? {
            switch Int.random(in: 0..<6, using: &numbers) {
            case 0: nil
            case 1: ""
            case 2: String(repeating: "ä\u{0}x", count: Int.random(in: 0..<40, using: &numbers))
            case 3: String(repeating: "y", count: RowEncoder.longest + Int.random(in: -2...2, using: &numbers))
            case 4: String(repeating: "long \u{1F600} ", count: 500)
            default: "\(UInt64.random(in: 0 ... .max, using: &numbers))"
            }
        }
        let source = try made.source(instance: nil)
        let writer = StoreWriter(store)
        for number in Int64(1)...200 {
            var event = ChainedStore.event(number)
            event.identity = EventIdentity(
                origin: "o\(number)", line: .random(in: .min ... .max, using: &numbers), hash: 3, ordinal: 0)
            event.content = .random(in: .min ... .max, using: &numbers)
            event.sourcePort = Bool.random() ? nil : 7
            event.processID = Bool.random() ? nil : .random(in: .min ... .max, using: &numbers)
            event.message = text()
            event.query = text()
            event.applicationName = text()
            event.targetUser = text()
            event.objectName = text()
            event.sqlState = text()
            event.secretFingerprint = text()
            event.actor = EventActor(address: text(), user: text(), database: text())
            var ingest = Ingest(source: source, position: number, clock: .distantPast, counted: number)
            ingest.events = [event]
            _ = try writer.commit([ingest])
        }
        let report = try store.verify()
        #expect(report.faults.map(\.row) == [])
        #expect(report.tables.first?.rows == 200)
    }
}
