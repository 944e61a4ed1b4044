import LogRecords
import Patterns
import Testing
import VigilModel

@testable import SecurityEvents

/// One action, one event, however many records tell of it.
@Suite("Statements")
struct StatementReaderTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// Message, query and severity of each record of one session.
        let records: [Line]
        /// `action outcome`, `object` of each event, and the number of further records that belong to it.
        let events: [String]
    }

    struct Line: Sendable {
        var message: String
        var query = ""
        var severity = "LOG"
        var state = "00000"
        var tag = "idle"
        var session = "69a55d0d.4f21"

        init(_ message: String, error: String? = nil, query: String = "", tag: String = "idle", session: String? = nil)
        {
            self.message = message
            self.query = query
            self.tag = tag
            if let error { (severity, state) = ("ERROR", error) }
            if let session { self.session = session }
        }
    }

    static let cases: [Case] = [
        Case(
            testDescription: "statement line, pgaudit, duration",
            records: [
                Line("statement: CREATE TABLE t (a int);"),
                Line(
                    "AUDIT: SESSION,1,1,DDL,CREATE TABLE,TABLE,public.t,CREATE TABLE t (a int),<none>",
                    tag: "CREATE TABLE"),
                Line("duration: 3.100 ms", tag: "CREATE TABLE"),
            ], events: ["ddl unknown t 1"]),
        Case(
            testDescription: "pgaudit of version 16 repeats the whole string for each statement",
            records: [
                Line("statement: CREATE TABLE t (a int); GRANT SELECT ON t TO bob;"),
                Line(
                    "AUDIT: SESSION,1,1,DDL,CREATE TABLE,TABLE,public.t,CREATE TABLE t (a int); GRANT SELECT ON t TO bob;,<none>"
                ),
                Line("AUDIT: SESSION,2,1,ROLE,GRANT,TABLE,,CREATE TABLE t (a int); GRANT SELECT ON t TO bob;,<none>"),
            ], events: ["ddl unknown t 1", "priv.grant unknown t 1"]),
        Case(
            testDescription: "pgaudit alone, one record a statement of one string",
            records: [
                Line("AUDIT: SESSION,1,1,DDL,CREATE TABLE,TABLE,public.t,CREATE TABLE t (a int); DROP TABLE u;,<none>"),
                Line("AUDIT: SESSION,2,1,DDL,DROP TABLE,TABLE,public.u,CREATE TABLE t (a int); DROP TABLE u;,<none>"),
            ], events: ["ddl unknown public.t 0", "ddl.drop unknown public.u 0"]),
        Case(
            testDescription: "DROP SCHEMA CASCADE is audited once for each object",
            records: [
                Line("statement: DROP SCHEMA s CASCADE"),
                Line("AUDIT: SESSION,7,1,DDL,DROP SCHEMA,SCHEMA,s,DROP SCHEMA s CASCADE,<none>"),
                Line("AUDIT: SESSION,7,1,DDL,DROP SCHEMA,TABLE,s.a,DROP SCHEMA s CASCADE,<none>"),
                Line("AUDIT: SESSION,7,1,DDL,DROP SCHEMA,VIEW,s.b,DROP SCHEMA s CASCADE,<none>"),
            ], events: ["ddl.drop unknown s 3"]),
        Case(
            testDescription: "pgaudit cuts a text at PASSWORD",
            records: [
                Line("statement: ALTER ROLE bob PASSWORD 'x' VALID UNTIL 'infinity'"),
                Line("AUDIT: SESSION,1,1,ROLE,ALTER ROLE,,,ALTER ROLE bob PASSWORD <REDACTED>,<none>"),
            ], events: ["priv.password unknown bob 1"]),
        Case(
            testDescription: "the same sent twice is two events",
            records: [
                Line("statement: GRANT SELECT ON t TO bob"), Line("statement: GRANT SELECT ON t TO bob"),
            ], events: ["priv.grant unknown t 0", "priv.grant unknown t 0"]),
        Case(
            testDescription: "the steps of the extended protocol, then the same prepared statement again",
            records: [
                Line("duration: 0.1 ms  parse s1: DROP TABLE t", tag: "PARSE"),
                Line("duration: 0.1 ms  bind s1: DROP TABLE t", tag: "BIND"),
                Line("execute s1: DROP TABLE t", tag: "DROP TABLE"),
                Line("duration: 2.0 ms", tag: "DROP TABLE"),
                Line("duration: 0.1 ms  bind s1: DROP TABLE t", tag: "BIND"),
                Line("duration: 2.0 ms  execute s1: DROP TABLE t", tag: "DROP TABLE"),
            ], events: ["ddl.drop unknown t 0", "ddl.drop unknown t 0"]),
        Case(
            testDescription: "the same in a log whose lines name no command tag",
            records: [
                Line("duration: 0.1 ms  parse s1: DROP TABLE t", tag: ""),
                Line("duration: 0.1 ms  bind s1: DROP TABLE t", tag: ""),
                Line("execute s1: DROP TABLE t", tag: ""),
                Line("duration: 2.0 ms", tag: ""),
                Line("Dauer: 0.1 ms  Binden s1: DROP TABLE t", tag: ""),
                Line("Dauer: 2.0 ms  Ausführen s1: DROP TABLE t", tag: ""),
            ], events: ["ddl.drop unknown t 0", "ddl.drop unknown t 0"]),
        Case(
            testDescription: "a failure belongs to the statement it is of",
            records: [
                Line("statement: DROP TABLE t"),
                Line("must be owner of table t", error: "42501", query: "DROP TABLE t", tag: "DROP TABLE"),
                Line("AUDIT: SESSION,1,1,DDL,DROP TABLE,TABLE,public.u,DROP TABLE t,<none>", session: "other.1"),
            ], events: ["ddl.drop failure t 1", "ddl.drop unknown public.u 0"]),
        Case(
            testDescription: "a failure that nothing else told of",
            records: [
                Line(
                    "relation \"t\" does not exist", error: "42P01", query: "ALTER TABLE t ADD b int",
                    tag: "ALTER TABLE")
            ],
            events: ["ddl failure t 0"]),
        Case(
            testDescription: "what the server could not parse is no statement",
            records: [Line("syntax error", error: "42601", query: "DROP TABEL t; DROP TABLE u")],
            events: ["sql.error failure - 0"]),
        Case(
            testDescription: "what a function does inside is told by pgaudit alone",
            records: [
                Line("statement: SELECT f()"),
                Line("AUDIT: SESSION,1,1,READ,SELECT,,,SELECT f(),<none>"),
                Line("AUDIT: SESSION,1,2,DDL,CREATE TABLE,TABLE,public.x,CREATE TABLE x (a int),<none>"),
                Line("AUDIT: SESSION,1,2,DDL,CREATE TABLE,INDEX,public.x_pkey,CREATE TABLE x (a int),<none>"),
            ], events: ["ddl unknown public.x 1"]),
        Case(
            testDescription: "texts that are not logged, or were before",
            records: [
                Line("AUDIT: SESSION,1,1,DDL,CREATE TABLE,TABLE,public.t,<not logged>,<not logged>"),
                Line("AUDIT: SESSION,2,1,ROLE,GRANT,TABLE,,GRANT ALL ON t TO bob,<none>"),
                Line("AUDIT: SESSION,2,1,ROLE,GRANT,TABLE,public.t,<previously logged>,<previously logged>"),
            ], events: ["ddl unknown public.t 0", "priv.grant unknown t 1"]),
        Case(
            testDescription: "the next statement is not the last one's evidence",
            records: [
                Line("statement: CREATE TABLE t (a int)"),
                Line("AUDIT: SESSION,1,1,DDL,CREATE TABLE,TABLE,public.t,CREATE TABLE t (a int),<none>"),
                Line("AUDIT: SESSION,2,1,DDL,DROP TABLE,TABLE,public.t,DROP TABLE t,<none>"),
            ], events: ["ddl unknown t 1", "ddl.drop unknown public.t 0"]),
        Case(
            testDescription: "a RAISE is no record of pgaudit's",
            records: [
                Line("AUDIT: SESSION,1,1,DDL,DROP TABLE,TABLE,public.t,DROP TABLE t,<none>", query: "do $$ x $$")
            ],
            events: []),
    ]

    private static func row(_ line: Line, _ number: Int) -> String {
        let quoted = { (text: String) in
            text.isEmpty
                ? ""
                : "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        }
        let second = number < 10 ? "0\(number)" : "\(number)"
        return
            "2026-03-02 09:49:\(second).000 UTC,\"bob\",\"shop\",20257,\"192.0.2.9:4000\",\(line.session),\(number + 3),"
            + "\(quoted(line.tag)),2026-03-02 09:49:01 UTC,3/27,0,\(line.severity),\(line.state),\(quoted(line.message)),,,,,,"
            + "\(quoted(line.query)),,,\"psql\",\"client backend\",,0\n"
    }

    private static func feed(_ bytes: [UInt8], from offset: Int64, into collector: inout EventCollector) {
        let reader = CSVLogReader(offset: offset)
        reader.read(bytes[Int(offset)...], into: &collector)
    }

    private static func summary(_ events: [SecurityEvent], _ evidence: [EventEvidence]) -> [String] {
        events.map { event in
            let own = evidence.filter { $0.event == event.identity }
            let outcome = own.map(\.kind.outcome).first { $0 != .unknown } ?? event.kind.outcome
            return
                "\(event.kind.action) \(outcome.rawValue) \(event.objectName ?? event.targetUser ?? "-") \(own.count)"
        }
    }

    @Test("one action is one event", arguments: cases)
    func grouped(example: Case) throws {
        let bytes = Array(example.records.enumerated().map { StatementReaderTests.row($1, $0) }.joined().utf8)
        var collector = EventCollector(reader: EventReader(catalogue: try Catalogue.embedded().events))
        StatementReaderTests.feed(bytes, from: 0, into: &collector)
        #expect(
            StatementReaderTests.summary(collector.reader.takeEvents(), collector.reader.takeEvidence())
                == example.events)
    }

    @Test("a reading that goes on in the middle sees what the first one saw", arguments: cases)
    func resumed(example: Case) throws {
        let catalogue = try Catalogue.embedded().events
        let rows = example.records.enumerated().map { StatementReaderTests.row($1, $0) }
        let bytes = Array(rows.joined().utf8)
        for cut in 1..<max(2, rows.count) {
            // Everything up to the cut is read; the position is held some records before it.
            for held in 0...cut where cut < rows.count {
                let end = rows[..<cut].reduce(0) { $0 + $1.utf8.count }
                let position = Int64(rows[..<held].reduce(0) { $0 + $1.utf8.count })
                var first = EventCollector(reader: EventReader(catalogue: catalogue))
                StatementReaderTests.feed(Array(bytes[..<end]), from: 0, into: &first)
                var known = first.reader.takeEvents()
                var evidence = first.reader.takeEvidence()
                let sessions = first.reader.takeSessions(from: position)
                var second = EventCollector(reader: EventReader(catalogue: catalogue, sessions: sessions.rows))
                StatementReaderTests.feed(bytes, from: position, into: &second)
                // The store takes an event, and a record of it, once.
                for event in second.reader.takeEvents() where !known.contains(where: { $0.identity == event.identity })
                {
                    known.append(event)
                }
                for part in second.reader.takeEvidence()
                where !evidence.contains(where: { $0.identity == part.identity && $0.event == part.event }) {
                    evidence.append(part)
                }
                #expect(StatementReaderTests.summary(known, evidence) == example.events, "cut \(cut) held \(held)")
            }
        }
    }
}
