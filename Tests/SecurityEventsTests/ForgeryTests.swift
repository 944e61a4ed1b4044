import LogRecords
import Patterns
import Testing
import VigilModel

@testable import SecurityEvents

/// Text of a client's that is made to look like a record raises an event about who wrote it, and ordinary text none.
@Suite("Forgery")
struct ForgeryTests {
    private static let fake =
        "\n2026-03-02 17:20:27.724 UTC,\"postgres\",\"webshop\",4242,\"192.0.2.19:5555\",65f00000.1092,7,"
        + "\"authentication\",2026-03-02 17:20:27 UTC,3/1,0,FATAL,28P01,\"password authentication failed for user\"\n"

    private static let catalogue = Result { try Catalogue.embedded().events }

    /// One row of csvlog.
    static func row(
        _ message: String, user: String = "mallory", database: String = "shop", tag: String = "idle",
        severity: String = "LOG", state: String = "00000", detail: String = "", context: String = "",
        query: String = "", application: String = "psql", line: Int = 3
    ) -> String {
        func quoted(_ text: String) -> String {
            text.isEmpty
                ? ""
                : "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        }
        return
            "2026-03-02 17:20:42.109 UTC,\(quoted(user)),\(quoted(database)),7,\"203.0.113.9:4000\",69a5c6da.7,\(line),"
            + "\"\(tag)\",2026-03-02 17:20:42 UTC,3/4,0,\(severity),\(state),\(quoted(message)),\(quoted(detail)),,,,"
            + "\(quoted(context)),\(quoted(query)),,,\(quoted(application)),\"client backend\",,0\n"
    }

    static func events(_ log: String) throws -> [SecurityEvent] {
        let bytes = Array(log.utf8)
        var collector = EventCollector(reader: EventReader(catalogue: try Self.catalogue.get()))
        LogFormat.csvlog.reader(ReadingFacts(timezone: nil, head: bytes)).read(bytes, into: &collector)
        collector.reader.settle()
        return collector.reader.takeEvents()
    }

    private static func forgeries(_ log: String) throws -> [SecurityEvent] {
        try events(log).filter { $0.kind.tags.contains("forgery.attempt") }
    }

    private static func failure(user: String = "bob", database: String = "shop") -> String {
        row(
            "password authentication failed for user \"\(user)\"", user: user, database: database,
            tag: "authentication", severity: "FATAL", state: "28P01", application: "")
    }

    @Test(
        "names that are made to look like something else",
        arguments: [
            "x" + fake, "nl\nuser", "cr\rlf\r\nuser", "tab\tuser", "root\u{1B}[31mred\u{1B}[0m", "bell\u{7}",
            "del\u{7F}",
            "\u{202E}gnp.exe", "zero\u{200B}width", "\u{FEFF}bob", "a\u{2066}b", "x\",\"28P01",
            "postgres\" host=192.0.2.19", "user=postgres database=postgres", "AUDIT: SESSION,1,1,ROLE,DROP ROLE",
            "connection authorized: user=postgres", "x FATAL:  no",
            "fake@192.0.2.7:1 closing because: password authentication failed (age=0s)",
        ])
    func names(name: String) throws {
        for log in [Self.failure(user: name), Self.failure(database: name)] {
            let found = try #require(try Self.events(log).first)
            #expect(found.kind.action == "auth.failure" && found.kind.reason == "bad_password")
            #expect(found.kind.tags.contains("forgery.attempt"), "\(name)")
            #expect(found.actor.ip?.description == "203.0.113.9")
        }
    }

    @Test(
        "names that are just names",
        arguments: [
            "o'hara", "a,b,c", "a\"b,c", "quote\"user", "back\\slash", "%s%n%x", "<script>alert(1)</script>", "ünïcödé",
            "用户", "🙂", "ק", "می\u{200C}خواهم", " leading space", "trailing ", "-", "NULL", "[unknown]", "127.0.0.1",
            "user@EXAMPLE.COM", "svc:billing", "key=value", "{\"user\":\"json\"}", "../../etc/passwd", "€uro", "ｆｕｌｌ",
        ])
    func plainNames(name: String) throws {
        #expect(try Self.forgeries(Self.failure(user: name)).isEmpty)
        #expect(try Self.forgeries(Self.failure(database: name)).isEmpty)
    }

    @Test("bytes that are not UTF-8 are no forgery")
    func bytes() throws {
        let head = Array(Self.failure(user: "lat@n").utf8).map { $0 == UInt8(ascii: "@") ? 0xF1 : $0 }
        var collector = EventCollector(reader: EventReader(catalogue: try Self.catalogue.get()))
        LogFormat.csvlog.reader(ReadingFacts(timezone: nil, head: head)).read(head, into: &collector)
        let event = try #require(collector.reader.takeEvents().first)
        #expect(event.kind.tags == ["auth.failure"])
    }

    @Test(
        "messages that a client made the server write",
        arguments: [
            row(
                "AUDIT: SESSION,1,1,ROLE,DROP ROLE,,,DROP ROLE x,<none>",
                context: "PL/pgSQL function f() line 1 at RAISE"),
            row("connection authorized: user=postgres" + fake, context: "PL/pgSQL function f() line 1 at RAISE"),
            row("anything" + fake, context: "PL/pgSQL function f() line 1 at RAISE"),
            row("x", detail: "first" + fake, context: "PL/pgSQL function f() line 1 at RAISE"),
            row("\u{1B}[2Jcleared", context: "PL/Python anonymous code block"),
            row(
                "parameter \"log_statement\" changed to \"none\"", severity: "WARNING", state: "01000",
                context: "PL/pgSQL function f() line 1 at RAISE"),
            row(
                "invalid input syntax for type integer: \"x" + fake + "\"", severity: "ERROR", state: "22P02",
                query: "SELECT $1::int"),
            row(
                "column \"x" + fake + "\" does not exist", severity: "ERROR", state: "42703", query: "SELECT 1"),
        ])
    func messages(log: String) throws {
        let found = try Self.forgeries(log)
        #expect(found.count == 1 && found[0].kind.action == "forgery.attempt" && found[0].kind.severity == .high)
        #expect(found.first?.actor.user == "mallory" && found.first?.actor.ip?.description == "203.0.113.9")
    }

    @Test(
        "statements that hold a whole record of a log",
        arguments: [
            "SELECT 1 /*" + fake + "*/", "SELECT 'x" + fake + "'", "SELECT 1; SELECT 'x" + fake + "'",
            "SELECT 1\n2026-03-02 17:20:27 UTC [7] a@b FATAL:  password authentication failed",
            "SELECT '\n2026-03-02 10:03:29.885 UTC [1] LOG C-0x1: shop/alice@192.0.2.9:5 closing because: x'",
            "SELECT '\n{\"timestamp\":\"2026-03-02 17:20:27.724 UTC\",\"pid\":1,\"error_severity\":\"FATAL\"}'",
        ])
    func statements(sql: String) throws {
        for log in [
            Self.row("statement: " + sql), Self.row("duration: 1.000 ms  statement: " + sql),
            Self.row("execute <unnamed>: " + sql, tag: "SELECT"),
            Self.row("syntax error", severity: "ERROR", state: "42601", query: sql),
            Self.row(
                "AUDIT: SESSION,1,1,READ,SELECT,,,\""
                    + sql.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
                    + "\",<none>"),
        ] {
            let found = try Self.forgeries(log)
            #expect(found.count == 1 && found.first?.kind.reason == "statement", "\(log)")
        }
    }

    @Test("one statement, one event: its records in the log add the word to it")
    func evidence() throws {
        let sql = "SELECT nope" + Self.fake
        let found = try Self.events(
            Self.row("statement: " + sql, line: 1)
                + Self.row("syntax error at or near \"2026\"", severity: "ERROR", state: "42601", query: sql, line: 2))
        #expect(found.count == 1 && found[0].kind.action == "forgery.attempt")
    }

    @Test(
        "ordinary text",
        arguments: [
            row("statement: INSERT INTO runs VALUES\n('2026-03-02 17:20:27 UTC', 'FATAL:  disk'),\n('x', 'LOG:  y')"),
            row("statement: SELECT 1\n-- 2026-03-02 17:20:27.727 UTC [1] FATAL:  copied out of the log"),
            row("statement: /*\n2026-03-02 first version\n2026-03-03 17:20 second one, LOG added\n*/ SELECT 1"),
            row("statement: INSERT INTO doc VALUES ('\n{\"a\": 1,\n{\"timestamp\":\"2026-03-02\"}')"),
            row("statement: SELECT E'\u{1B}[31m', '\u{202E}', E'a\\tb'"),
            row("line1\n\ttabbed\n\nline4 \"q\", ", context: "PL/pgSQL function f() line 1 at RAISE"),
            row("2026-03-02 10:00:00 done", context: "PL/pgSQL function f() line 1 at RAISE"),
            row("duration: 12 ms for totals", context: "PL/pgSQL function f() line 1 at RAISE"),
            row("statement of account sent", context: "PL/pgSQL function f() line 1 at RAISE"),
            row(
                "invalid user or password", severity: "ERROR", state: "28P01",
                context: "PL/pgSQL function f() line 1 at RAISE",
                query: "SELECT api.login($1, $2)"),
            row(
                "connection to server at \"192.0.2.4\" failed: FATAL:  password authentication failed for user \"fdw\"",
                severity: "ERROR", state: "08001", context: "SQL function \"far\"", query: "SELECT far()"),
            row("column \"a\nb\" does not exist", severity: "ERROR", state: "42703", query: "SELECT \"a\nb\""),
            row(
                "duration: 5000.000 ms  plan:\nQuery Text: SELECT 1\nResult", context: "SQL function \"f\" statement 1"),
        ])
    func ordinary(log: String) throws { #expect(try Self.forgeries(log).isEmpty) }

    @Test("an application's JSON about itself is no forgery, a column's end in it is")
    func application() throws {
        func log(_ name: String) -> String {
            Self.row(
                "column \"x\" does not exist", severity: "ERROR", state: "42703", query: "SELECT x", application: name)
        }
        #expect(
            try Self.forgeries(log("{\"service\":\"api\",\"env\":\"prod\",\"at\":\"2026-03-02 10:00:00\"}")).isEmpty)
        #expect(try Self.forgeries(log("app\",\"FATAL")).count == 1)
        #expect(try Self.forgeries(log("app?LOG:  connection authorized: user=postgres")).count == 1)
    }

    @Test("no number of lines hides the one that is forged, and none costs more than its length")
    func cost() throws {
        let line = "\n2026-03-02 17:20:27.724 UTC," + String(repeating: "a,", count: 900)
        let sql = "SELECT '" + String(repeating: line, count: 500)
        let clock = ContinuousClock()
        var found: [Int] = []
        let duration = try clock.measure {
            for end in ["'", Self.fake + "'"] {
                found.append(try Self.forgeries(Self.row("statement: " + sql + end)).count)
            }
        }
        #expect(found == [0, 1])
        #expect(duration < .seconds(20))
    }
}
