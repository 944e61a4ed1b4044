import LogRecords
import Testing
import VigilModel

@Suite("log_line_prefix")
struct StderrPrefixTests {
    static let prefixes = [
        "%m [%p] ", "%t [%p] ", "%m [%p] %q%u@%d ", "%t [%p-%l] %q%u@%d ", "%t:%r:%u@%d:[%p]:",
        "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:", "%t-%c-", "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
        "%t [%p]: user=%u,db=%d,app=%a,client=%h ", "%t ", "%m ", "%m [%p]: [%l-1] db=%d,user=%u ",
        "%m [%p] [%l] %c %r %u@%d app=%a vxid=%v xid=%x cmd=%i state=%e bt=%b ", "%n [%p] %q%u@%d ",
        "%m %p %q%u@%d ", "%t [%p]: [%l-1] %c %x %d %u %a %h ",
        // Such as nobody has listed.
        "%m|%p|%c|user=%u|db=%d|app=%a|host=%h|", "[%m] pid=%p sess=%c %qusr=%u database=%d from=%r ",
        "%t <%p> %q(%u@%d) ", "%m [%p:%l] %q[%u@%d from %r] ", "%m %z[%p] %q%u@%d/%a ",
        "%m [%p]: [%l-1] %e %i session=%c,user=%u,db=%d,app=%a,client=%r ", "%t [%p] %i %u@%d %h ",
        "%m [%p] e=%e %quser=%u;db=%d;client=%r;tx=%x ", "%m [%p] %P%b %q%u@%d %h ", "%m [%p] %b %d %u %h ",
    ]
    /// Such as must be configured.
    static let odd = ["%m [%-8p] %-12u %5l ", "%m L=%L [%p] %u@%d %Q "]

    /// A log of ordinary things.
    static func log(_ prefix: String) -> String {
        var writer = LogWriter(prefix)
        writer.write(.init(pid: 1, message: "database system is ready to accept connections", isClient: false))
        for number in 1...6 {
            var entry = LogWriter.Entry(user: nil, database: nil, host: "192.0.2.\(number)", tag: "")
            entry.pid = 2000 + number
            entry.message = "connection received: host=192.0.2.\(number) port=40000"
            writer.write(entry)
            entry.user = number % 2 == 0 ? "bob" : "joe-x"
            entry.database = "shop"
            entry.tag = "authentication"
            if number < 4 {
                entry.message = "connection authorized: user=\(entry.user ?? "") database=shop"
                writer.write(entry)
                entry.tag = "idle"
                entry.application = "psql"
                entry.message = "statement: select 1,\n  'a: b:  c'"
                writer.write(entry)
                entry.severity = "ERROR"
                entry.state = "42P01"
                entry.tag = "SELECT"
                entry.message = "relation \"x\" does not exist"
                entry.parts = [("HINT", "Think."), ("STATEMENT", "select *\nfrom x")]
                writer.write(entry)
            } else {
                entry.severity = "FATAL"
                entry.state = "28P01"
                entry.message = "password authentication failed for user \"\(entry.user ?? "")\""
                entry.parts = [("DETAIL", "Role does not exist.\nConnection matched pg_hba.conf line 1: \"host all\"")]
                writer.write(entry)
            }
        }
        writer.write(.init(pid: 1, message: "checkpoint starting: time", isClient: false))
        return writer.text
    }

    @Test("is recognised, whatever it is", arguments: prefixes)
    func recognised(prefix: String) throws {
        let log = StderrPrefixTests.log(prefix)
        #expect(LogFormat.detect(Array(log.utf8), path: "postgresql.log") == .stderr)
        StderrPrefixTests.check(readLog(log), prefix)
    }

    @Test("is read as configured", arguments: prefixes + odd)
    func configured(prefix: String) throws {
        StderrPrefixTests.check(readLog(StderrPrefixTests.log(prefix), prefix: prefix), prefix)
    }

    private static func check(_ found: StderrFound, _ prefix: String) {
        #expect(found.unread.isEmpty && found.text.isEmpty)
        #expect(found.rows.count == 2 + 6 + 9 + 3)
        let second = prefix.contains("%m") || prefix.contains("%n") ? "00.374" : "00.000"
        #expect(found.rows.allSatisfy { $0.time == LogTime(parsing: "2026-03-02T09:49:\(second)Z") })
        let failures = found.rows.filter { $0[.sqlState] == "28P01" }
        #expect(failures.count == 3)
        #expect(failures.map { $0[.userName] } == ["bob", "joe-x", "bob"])
        #expect(failures.allSatisfy { $0[.commandTag] == "authentication" && $0[.severity] == "FATAL" })
        #expect(
            failures.allSatisfy {
                $0[.detail]?.hasSuffix("\nConnection matched pg_hba.conf line 1: \"host all\"") == true
            })
        if prefix.contains("%r") {
            #expect(failures.map { $0[.connectionFrom] } == ["192.0.2.4:40000", "192.0.2.5:40000", "192.0.2.6:40000"])
        } else if prefix.contains("%h") {
            #expect(failures.map { $0[.connectionFrom] } == ["192.0.2.4", "192.0.2.5", "192.0.2.6"])
        }
        if prefix.contains("%d") { #expect(failures.allSatisfy { $0[.databaseName] == "shop" }) }
        if prefix.contains("%p") || prefix.contains("8p") || prefix.contains("%c") {
            #expect(failures.map { $0[.processID] } == ["2004", "2005", "2006"])
        }
        if prefix.contains("%c") { #expect(failures.allSatisfy { $0[.sessionID] != nil }) }
        if prefix.contains("%a") { #expect(found.rows.contains { $0[.applicationName] == "psql" }) }
        let errors = found.rows.filter { $0[.severity] == "ERROR" }
        #expect(
            errors.allSatisfy { $0[.query] == "select *\nfrom x" && $0[.hint] == "Think." && $0[.sqlState] == "42P01" })
        #expect(found.rows.filter { $0[.message] == "statement: select 1,\n  'a: b:  c'" }.count == 3)
        #expect(
            found.rows.filter { $0[.message]?.hasPrefix("connection received") == true && $0[.userName] == nil }.count
                == 6)
    }

    @Test("types and tags of several words are not taken for a part of it")
    func severalWords() {
        var writer = LogWriter("%m [%p] %h %u@%d cmd=%i bt=%b ")
        for pid in 1...4 {
            writer.write(LogWriter.Entry(pid: pid, tag: pid < 3 ? "CREATE TABLE" : "ALTER TABLE", message: "m"))
        }
        let found = readLog(writer.text)
        #expect(found.values(.backendType) == Array(repeating: "client backend", count: 4))
        #expect(found.values(.commandTag) == ["CREATE TABLE", "CREATE TABLE", "ALTER TABLE", "ALTER TABLE"])
    }

    @Test(
        "a log that knows one database only does not have its name in its prefix",
        arguments: ["%m [%p] %r %u %d ", "%m %c %h %u %d ", "%t (%p) %u %d from %r "])
    func oneDatabase(prefix: String) {
        var writer = LogWriter(prefix)
        for number in 1...20 {
            var entry = LogWriter.Entry(user: number % 2 == 0 ? "bob" : "joe", database: "shop")
            entry.pid = 2000 + number
            entry.message = "password authentication failed for user \"\(entry.user ?? "")\""
            entry.severity = "FATAL"
            writer.write(entry)
        }
        let head = Array(writer.text.utf8)
        var entry = LogWriter.Entry(user: "eve", database: "other")
        entry.message = "statement: DROP TABLE a"
        writer.write(entry)
        let found = readLog(Array(writer.text.utf8), head: head)
        #expect(found.rows.map { $0[.databaseName] } == Array(repeating: "shop", count: 20) + ["other"])
        #expect(found.rows.last?[.userName] == "eve")
    }

    @Test("is found in a file that had one line when it was opened", arguments: prefixes.prefix(20))
    func grown(prefix: String) {
        let bytes = Array(StderrPrefixTests.log(prefix).utf8)
        let first = (bytes.firstIndex(of: 10) ?? 0) + 1
        StderrPrefixTests.check(readLog(bytes, head: Array(bytes[..<first])), prefix)
    }

    @Test(
        "a flood of names that look like something else does not hide it",
        arguments: StderrForgingTests.prefixes.prefix(4))
    func flooded(prefix: String) {
        for names in StderrForgingTests.names(prefix).enumerated().filter({ $0.offset % 18 == 1 }).map(\.element) {
            let message = "password authentication failed for user \"\(names.user)\""
            let failure = StderrForgingTests.log(prefix, names, message, detail: true).text
            let log = StderrPrefixTests.log(prefix) + String(repeating: failure, count: 20)
            #expect(LogFormat.detect(Array(log.utf8), path: "postgresql.log") == .stderr, "\(prefix) \(names)")
            let found = readLog(log)
            #expect(found.rows.filter(StderrForgingTests.counts).count == 20 + 3, "\(prefix) \(names)")
        }
    }

    @Test(
        "no other program's log is taken for a stderr log",
        arguments: [
            "2026-03-02 09:49:00.374 UTC [1029] LOG C-0x562a58987ac0: shop/bob@192.0.2.1:40138 login attempt: db=shop user=bob tls=no\n",
            "2026-03-02 09:49:00.374 P00   INFO: archive-push command begin 2.55\n2026-03-02 09:49:00.374 P00  ERROR: [104]: no\n",
            "2026-03-02 09:49:00,374 INFO: no action. I am (node1), the leader with the lock\n",
            "just text\nERROR:  of psql\n",
            "{\"timestamp\":\"2026-03-02 09:49:00.374 UTC\",\"error_severity\":\"LOG\"}\n", "",
        ])
    func others(text: String) {
        #expect(LogFormat.detect(Array(text.utf8), path: "x.log") != .stderr)
        #expect(LogFormat.detect(Array(text.utf8), path: "x.log") != .syslog)
    }
}
