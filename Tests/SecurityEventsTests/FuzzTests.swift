import LogRecords
import Patterns
import Testing
import VigilModel

@testable import SecurityEvents

/// Logs of every format with bytes and lines cut, flipped, doubled and put in, from bytes to events.
@Suite("Broken logs")
struct FuzzTests {
    struct Sample: CustomTestStringConvertible, Sendable {
        let format: LogFormat
        let text: String
        var testDescription: String { format.rawValue }
    }

    private static let time = "2026-03-02 09:49:01.374"

    static let samples: [Sample] = [
        Sample(
            format: .csvlog,
            text: """
                \(time) UTC,"bob","shop",7,"192.0.2.1:4000",69a55d0d.7,1,"authentication",\(time) UTC,3/1,0,FATAL,28P01,"password authentication failed for user ""bob"" ","Connection matched file ""/pg/hba"" line 3: ""host all"" ",,,,,,,,"","client backend",,0
                \(time) UTC,"bob","shop",8,"192.0.2.1:4001",69a55d0d.8,2,"idle",\(time) UTC,3/1,0,LOG,00000,"statement: DROP TABLE a;
                GRANT x TO y",,,,,,,,,"psql","client backend",,0
                \(time) UTC,"bob","shop",8,"192.0.2.1:4001",69a55d0d.8,3,"DROP TABLE",\(time) UTC,3/1,0,LOG,00000,"AUDIT: SESSION,1,1,DDL,DROP TABLE,TABLE,public.a,""DROP TABLE a; GRANT x TO y"",<none>",,,,,,,,,"psql","client backend",,0

                """),
        Sample(
            format: .jsonlog,
            text: """
                {"timestamp":"\(time) UTC","user":"bob","dbname":"shop","pid":7,"remote_host":"192.0.2.1","remote_port":4000,"session_id":"69a55d0d.7","line_num":1,"ps":"authentication","error_severity":"FATAL","state_code":"28P01","message":"password authentication failed for user \\"bob\\"","backend_type":"client backend"}
                {"timestamp":"\(time) UTC","user":"bob","dbname":"shop","pid":8,"remote_host":"[local]","session_id":"69a55d0d.8","line_num":2,"ps":"idle","error_severity":"LOG","message":"statement: ALTER ROLE a PASSWORD 'x'","backend_type":"client backend"}

                """),
        Sample(
            format: .stderr,
            text: """
                \(time) UTC [7] LOG:  connection received: host=192.0.2.1 port=4000
                \(time) UTC [7] bob@shop FATAL:  password authentication failed for user "bob"
                \(time) UTC [7] bob@shop DETAIL:  Connection matched file "/pg/hba" line 3: "host all"
                \(time) UTC [8] bob@shop LOG:  statement: DROP TABLE a;
                \t GRANT x TO y
                \(time) UTC [8] bob@shop LOG:  duration: 3.1 ms

                """),
        Sample(
            format: .syslog,
            text: """
                Mar  2 09:49:01 pg postgres[7]: [3-1] \(time) UTC [7] bob@shop FATAL:  password authentication failed for user "bob"
                Mar  2 09:49:01 pg postgres[7]: [3-2] \(time) UTC [7] bob@shop DETAIL:  Role "bob" does not exist.
                Mar  2 09:49:01 pg sshd[9]: hello
                Mar  2 09:49:01 pg postgres[8]: [1-1] \(time) UTC [8] bob@shop LOG:  statement: DROP TABLE a;
                Mar  2 09:49:01 pg postgres[8]: [1-2] #011 GRANT x TO y

                """),
        Sample(
            format: .pgbouncer,
            text: """
                \(time) UTC [1] LOG C-0x5: shop/bob@192.0.2.1:4000 login attempt: db=shop user=bob tls=no
                \(time) UTC [1] LOG C-0x5: shop/bob@192.0.2.1:4000 closing because: SASL authentication failed (age=0s)
                \(time) UTC [1] WARNING C-0x5: shop/bob@192.0.2.1:4000 pooler error: SASL authentication failed
                \(time) UTC [1] LOG C-0x6: (nodb)/(nouser)@192.0.2.1:4001 no such user: a@192.0.2.2:1 x
                \tmore
                \(time) UTC [1] LOG S-0x7: shop/bob@192.0.2.5:5432 new connection to server (from 192.0.2.6:999)

                """),
        Sample(
            format: .patroni,
            text: """
                2026-03-02 09:49:01,374 INFO: promoted self to leader by acquiring session lock
                2026-03-02 09:49:02,374 ERROR: Exception
                Traceback (most recent call last):
                psycopg2.OperationalError: FATAL:  the database system is starting up
                2026-03-02 09:49:03,374 INFO: no action. I am (pg-1), the leader with the lock

                """),
        Sample(
            format: .pgbackrest,
            text: """
                -------------------PROCESS START-------------------
                \(time) P00   INFO: backup command begin 2.50: --stanza=pg
                \(time) P00  ERROR: [057]: unable to execute query
                                    HINT: x
                \(time) P00   INFO: backup command end: aborted with exception [057]

                """),
        Sample(
            format: .haproxy,
            text: """
                192.0.2.66:35988 [02/Mar/2026:06:06:24.742] pg pg/<NOSRV> -1/-1/0 0 PR 1/1/0/0/0 0/0
                192.0.2.66:35989 [02/Mar/2026:06:06:24.742] pg pg/pg-1 192.0.2.1:999 1/0/9 2 -- 1/1/0/0/0 0/0
                Mar  2 09:49:01 lb haproxy[4]: Server pg/pg-1 is DOWN, reason: Layer4 timeout

                """),
        Sample(
            format: .pgauditlogtofile,
            text: """
                2026-03-02 09:49:01.374 UTC,"bob","shop",8,"192.0.2.1:4001",69a55d0d.8,2,"DROP TABLE",2026-03-02 09:49:01 UTC,3/1,0,00000,"AUDIT: SESSION,1,1,DDL,DROP TABLE,TABLE,public.a,DROP TABLE a,<none>",,,,,,,,,"psql"

                """),
    ]

    /// What came of a log.
    struct Found: RecordConsumer {
        var reader: EventReader
        let size: Int64
        var offsets: Set<Int64> = []
        var spans: [Range<Int64>] = []
        var events: [String] = []

        mutating func take(_ batch: RecordBatch) {
            for index in 0..<batch.count { offsets.insert(batch[index].offset) }
            reader.read(batch)
        }
        mutating func takeUnfinished(_ batch: RecordBatch) { take(batch) }
        mutating func skip(_ unread: Unread) { spans.append(unread.offset..<unread.offset + unread.length) }
        mutating func pass(_ line: TextLine) { spans.append(line.offset..<line.offset + line.length) }
    }

    private static func read(
        _ log: [UInt8], _ format: LogFormat, _ head: [UInt8], _ catalogue: EventCatalogue, pieces: () -> Int
    ) -> Found {
        let reader = format.reader(ReadingFacts(timezone: nil, head: head))
        var found = Found(reader: EventReader(catalogue: catalogue), size: Int64(log.count))
        var rest = log[...]
        while !rest.isEmpty {
            let piece = rest.prefix(pieces())
            rest = rest.dropFirst(piece.count)
            reader.read(piece, into: &found, atEnd: false)
        }
        reader.drain(into: &found, atEnd: true)
        found.reader.settle()
        found.events = found.reader.takeEvents().map {
            "\($0.identity.text) \($0.time) \($0.kind.action) \($0.kind.reason ?? "") \($0.actor) \($0.query ?? "") \($0.offset)"
        }
        return found
    }

    private static func broken(_ text: [UInt8], _ numbers: inout SeededNumbers) -> [UInt8] {
        var bytes = text + text
        for _ in 0..<Int.random(in: 1...6, using: &numbers) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &numbers)
            let end = min(bytes.count, at + Int.random(in: 0...90, using: &numbers))
            switch Int.random(in: 0..<6, using: &numbers) {
            case 0: bytes[at] ^= UInt8.random(in: 1...255, using: &numbers)
            case 1: bytes.removeSubrange(at..<end)
            case 2: bytes.insert(contentsOf: bytes[at..<end], at: at)
            case 3: bytes[at] = [0, 9, 10, 13, 34, 255, 92, 44].randomElement(using: &numbers) ?? 0
            case 4: bytes.insert(contentsOf: text.prefix { $0 != 10 } + [10], at: at)
            default: bytes.removeSubrange(at...)
            }
        }
        return bytes
    }

    struct SeededNumbers: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    @Test(
        "give the same events in any pieces, and no byte is counted twice", .timeLimit(.minutes(2)), arguments: samples)
    func broken(sample: Sample) throws {
        let catalogue = try Catalogue.embedded().events
        let text = Array(sample.text.utf8)
        for seed in 0..<60 as Range<UInt64> {
            var numbers = SeededNumbers(state: seed &* 7919 &+ UInt64(text.count))
            let log = FuzzTests.broken(text, &numbers)
            let whole = FuzzTests.read(log, sample.format, text, catalogue) { 1 << 20 }
            let parts = FuzzTests.read(log, sample.format, text, catalogue) {
                Int.random(in: 1...40, using: &numbers)
            }
            #expect(whole.events == parts.events, "seed \(seed)")
            #expect(whole.offsets == parts.offsets, "seed \(seed)")
            let spans = whole.spans.sorted { $0.lowerBound < $1.lowerBound }
            for (one, next) in zip(spans, spans.dropFirst()) {
                #expect(one.upperBound <= next.lowerBound, "seed \(seed)")
            }
            for span in spans {
                #expect(span.lowerBound >= 0 && span.upperBound <= whole.size, "seed \(seed)")
                #expect(!whole.offsets.contains(span.lowerBound), "seed \(seed)")
            }
            // Whatever the file starts with is something.
            #expect(log.isEmpty || whole.offsets.contains(0) || spans.first?.lowerBound == 0, "seed \(seed)")
        }
    }
}
