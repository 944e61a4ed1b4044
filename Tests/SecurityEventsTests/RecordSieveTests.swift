import LogRecords
import Patterns
import Testing
import VigilModel

@testable import SecurityEvents

@Suite("The first look at records")
struct RecordSieveTests {
    private static let catalogue = Result { try Catalogue.embedded() }

    /// Reads records with and without a first look.
    private struct Both: RecordConsumer {
        var looked, plain: EventReader
        var quiet = 0

        mutating func take(_ records: RecordBatch) {
            looked.read(records)
            plain.read(records, looks: (0..<records.count).map { _ in .unseen })
        }
        mutating func takeUnfinished(_ records: RecordBatch) { take(records) }
        mutating func skip(_ unread: Unread) {}
        mutating func pass(_ line: TextLine) {}
    }

    private static let messages = [
        ("00000", "connection received: host=192.0.2.1 port=4000", ""),
        ("00000", "connection authenticated: identity=\"\"bob\"\" method=md5 (/pg/hba:3)", "authentication"),
        ("00000", "connection authorized: user=bob database=shop", "authentication"),
        ("00000", "disconnection: session time: 0:00:01.000 user=bob database=shop host=[local]", "idle"),
        ("00000", "statement: SELECT 1", "idle"), ("00000", "statement: DROP TABLE a", "idle"),
        ("00000", "statement: CREATE TABLE b (c int); GRANT ALL ON b TO PUBLIC", "idle"),
        ("00000", "duration: 1.5 ms", "SELECT"), ("00000", "duration: 12.5 ms  statement: DROP TABLE a", "DROP TABLE"),
        ("00000", "duration: 12.5 ms  statement: UPDATE t SET a = 1 WHERE b = 2", "UPDATE"),
        ("00000", "duration: 12.5 ms  statement: DELETE FROM t", "DELETE"),
        ("00000", "duration: 12.5 ms  statement: INSERT INTO t VALUES ('a;b -- c')", "INSERT"),
        ("00000", "duration: 1.5 ms  parse S_1: SELECT pg_sleep(1)", "PARSE"),
        ("00000", "duration: 1.5 ms  bind S_1: ALTER ROLE a SUPERUSER", "BIND"),
        ("00000", "duration: 1.5 ms  execute S_1: ALTER ROLE a SUPERUSER", "ALTER ROLE"),
        ("00000", "execute S_1/C_2: SELECT * FROM pg_authid", "SELECT"),
        ("00000", "AUDIT: SESSION,1,1,DDL,DROP TABLE,TABLE,public.a,DROP TABLE a,<none>", "DROP TABLE"),
        ("00000", "AUDIT: SESSION,2,1,READ,SELECT,TABLE,public.a,SELECT * FROM a,<none>", "SELECT"),
        (
            "00000",
            "AUDIT: SESSION,3,1,WRITE,INSERT,TABLE,public.a,\"\"INSERT INTO a VALUES ('x', \"\"\"\"b\"\"\"\")\"\",<none>",
            "INSERT"
        ),
        ("00000", "AUDIT: SESSION,4,1,READ,SELECT,,,SELECT rolpassword FROM pg_authid,<none>", "SELECT"),
        ("00000", "AUDIT: SESSION,5,1,READ,SELECT,,,<previously logged>,<previously logged>", "SELECT"),
        ("00000", "checkpoint starting: time", ""), ("42501", "permission denied for table a", "SELECT"),
        ("28P01", "password authentication failed for user \"\"bob\"\"", "authentication"),
        ("28000", "role \"\"bob\"\" is not permitted to log in", "startup"),
    ]

    /// A clock that stands still, goes on, and is set back.
    private struct Clock {
        private var milliseconds = 100_000

        mutating func next(_ numbers: inout SeededNumbers) -> String {
            milliseconds += [0, 0, 1, 3, 50, 900, 2500, -700, -650_000].randomElement(using: &numbers) ?? 0
            milliseconds = max(0, milliseconds)
            let rest = String(milliseconds % 1000 + 1000).dropFirst()
            let (minute, second) = (milliseconds / 60_000 + 10, milliseconds / 1000 % 60 + 100)
            return "2026-03-02 09:\(minute):\(String(second).dropFirst()).\(rest)"
        }
    }

    private static func severity(_ state: String) -> String {
        state == "00000" ? "LOG" : state == "42501" ? "ERROR" : "FATAL"
    }

    /// A log of some sessions that do one thing after the other.
    private static func log(seed: UInt64) -> [UInt8] {
        var numbers = SeededNumbers(seed: seed)
        var (text, clock) = ("", Clock())
        for line in 1...400 {
            let time = clock.next(&numbers)
            let pid = 4096 + Int.random(in: 0..<6, using: &numbers)
            let (state, message, tag) = messages.randomElement(using: &numbers) ?? ("", "", "")
            let query = state == "42501" ? "\"SELECT * FROM a\"" : ""
            let session = "69a55d0d.\(String(pid, radix: 16))"
            text += "\(time) UTC,\"bob\",\"shop\",\(pid),\"192.0.2.1:4000\",\(session),\(line),\"\(tag)\","
            text += "2026-03-02 09:00:00 UTC,3/1,0,\(severity(state)),\(state),\"\(message)\",,,,,,\(query),,,"
            text += "\"psql\",\"client backend\",,0\n"
        }
        return Array(text.utf8)
    }

    /// The same as a log of stderr, with or without session and tag in its prefix.
    private static func prefixedLog(seed: UInt64, _ prefix: (_ pid: Int, _ line: Int, _ tag: String) -> String)
        -> [UInt8]
    {
        var numbers = SeededNumbers(seed: seed)
        var (text, clock) = ("", Clock())
        for line in 1...400 {
            let time = clock.next(&numbers)
            let (state, message, tag) = messages.randomElement(using: &numbers) ?? ("", "", "")
            let head = prefix(4096 + Int.random(in: 0..<6, using: &numbers), line, tag)
            text += "\(time) UTC \(head) \(severity(state)):  "
            text += message.replacing("\"\"", with: "\"") + "\n"
            if state == "42501" {
                text += "\(time.prefix(17))00.000 UTC \(head) STATEMENT:  SELECT *\n\tFROM a\n"
            }
        }
        return Array(text.utf8)
    }

    @Test("changes nothing of what lines of stderr mean", arguments: 0..<20)
    func prefixed(seed: UInt64) throws {
        let events = try Self.catalogue.get().events
        let log =
            seed % 2 == 0
            ? Self.prefixedLog(seed: seed) { pid, _, _ in "[\(pid)] bob@shop" }
            : Self.prefixedLog(seed: seed) { pid, line, tag in
                "[\(pid)]: [\(line)-1] 69a55d0d.\(String(pid, radix: 16)),user=bob,db=shop,app=a,client=192.0.2.1 \(tag)"
            }
        var both = Both(looked: EventReader(catalogue: events), plain: EventReader(catalogue: events))
        LogFormat.stderr.reader(ReadingFacts(timezone: nil, head: log)).read(log[...], into: &both, atEnd: true)
        try expectSame(&both)
    }

    @Test("changes nothing of what records mean", arguments: 0..<40)
    func equal(seed: UInt64) throws {
        let events = try Self.catalogue.get().events
        var both = Both(looked: EventReader(catalogue: events), plain: EventReader(catalogue: events))
        CSVLogReader().read(Self.log(seed: seed), into: &both)
        try expectSame(&both)
    }

    private func expectSame(_ both: inout Both) throws {
        both.looked.settle()
        both.plain.settle()
        #expect(both.looked.events.count > 20)
        #expect(both.looked.events == both.plain.events)
        #expect(both.looked.records == both.plain.records)
        #expect(both.looked.now == both.plain.now && both.looked.clockSteps == both.plain.clockSteps)
        #expect(both.looked.held?.offset == both.plain.held?.offset)
        #expect(both.looked.takeActivity() == both.plain.takeActivity())
        let (one, other) = (both.looked.takeEvidence(), both.plain.takeEvidence())
        #expect(one.map(\.identity) == other.map(\.identity) && one.map(\.event) == other.map(\.event))
        let (sessions, others) = (both.looked.takeSessions(from: .max), both.plain.takeSessions(from: .max))
        #expect(Set(sessions.rows) == Set(others.rows) && Set(sessions.void) == Set(others.void))
    }

    @Test("ends what an application does all day")
    func quiet() throws {
        let sieve = RecordSieve(try Self.catalogue.get().events)
        struct Looks: RecordConsumer {
            var sieve: RecordSieve
            var quiet: [Bool] = []
            mutating func take(_ records: RecordBatch) { quiet += sieve.look(at: records).map(\.isQuiet) }
            mutating func takeUnfinished(_ records: RecordBatch) {}
            mutating func skip(_ unread: Unread) {}
            mutating func pass(_ line: TextLine) {}
        }
        var looks = Looks(sieve: sieve)
        let row = { (message: String, tag: String) in
            "2026-03-02 09:10:00.000 UTC,\"bob\",\"shop\",7,\"192.0.2.1:4000\",69a55d0d.7,1,\"\(tag)\",2026-03-02 09:00:00 UTC,"
                + "3/1,0,LOG,00000,\"\(message)\",,,,,,,,,\"psql\",\"client backend\",,0\n"
        }
        let text =
            row("duration: 1.5 ms  statement: SELECT id FROM t WHERE a = 7", "SELECT")
            + row("duration: 1.5 ms", "SELECT") + row("temporary file: path \"\"a\"\", size 1", "")
            + row("duration: 1.5 ms  statement: INSERT INTO t VALUES ('a;b -- c')", "INSERT")
            + row("statement: DROP TABLE t", "idle")
        CSVLogReader().read(Array(text.utf8), into: &looks)
        #expect(looks.quiet == [true, true, true, true, false])
    }

    @Test("knows the same messages as single templates")
    func templates() throws {
        let templates = try Self.catalogue.get().events.patterns.flatMap(\.condition.messages)
        let matcher = MessageMatcher(templates)
        var texts = Self.messages.map { Array($0.1.utf8) } + [[], Array("duration: ms".utf8)]
        texts += texts.map { Array($0.dropLast(3)) } + texts.map { $0 + [41] }
        for text in texts {
            let row = Array("00000,\"".utf8) + text + Array("\",,,,,,,,,,,,\n".utf8)
            struct One: RecordConsumer {
                let body: (LogRecord) -> Void
                mutating func take(_ records: RecordBatch) { for number in 0..<records.count { body(records[number]) } }
                mutating func takeUnfinished(_ records: RecordBatch) { take(records) }
                mutating func skip(_ unread: Unread) {}
                mutating func pass(_ line: TextLine) {}
            }
            let full =
                "2026-03-02 09:10:00.000 UTC,\"bob\",\"shop\",7,\"192.0.2.1:4000\",69a55d0d.7,1,\"\","
                + "2026-03-02 09:00:00 UTC,3/1,0,LOG,"
            var one = One { record in
                for (number, template) in templates.enumerated() {
                    let start = record.withContent(.message) { matcher.textStart(number, in: $0) }
                    #expect((start != nil) == template.matches(record), "\(String(decoding: text, as: UTF8.self))")
                }
            }
            CSVLogReader().read(Array(full.utf8) + row, into: &one)
        }
    }
}
