import LogRecords
import Testing
import VigilModel

@Suite("stderr reader")
struct StderrReaderTests {
    private static let debian = "%m [%p] %q%u@%d "

    @Test("joins message, detail, hint, context and statement, line feeds included")
    func parts() throws {
        let found = readLog(
            """
            2026-03-02 09:49:00.374 UTC [7] bob@shop ERROR:  function f(integer) does not exist at character 8
            2026-03-02 09:49:00.374 UTC [7] bob@shop DETAIL:  one
            \t\ttwo
            2026-03-02 09:49:00.374 UTC [7] bob@shop HINT:  No function matches.
            2026-03-02 09:49:00.374 UTC [7] bob@shop QUERY:  select g()
            2026-03-02 09:49:00.374 UTC [7] bob@shop CONTEXT:  PL/pgSQL function h() line 3 at SQL statement
            2026-03-02 09:49:00.374 UTC [7] bob@shop STATEMENT:  select
            \tf(1)
            2026-03-02 09:49:01.374 UTC [8] LOG:  checkpoint starting: time

            """, prefix: StderrReaderTests.debian)
        #expect(found.rows.count == 2)
        let row = try #require(found.rows.first)
        #expect(row[.message] == "function f(integer) does not exist")
        #expect(row[.detail] == "one\n\ttwo")
        #expect(row[.hint] == "No function matches.")
        #expect(row[.internalQuery] == "select g()")
        #expect(row[.internalPosition] == "8" && row[.queryPosition] == nil)
        #expect(row[.context] == "PL/pgSQL function h() line 3 at SQL statement")
        #expect(row[.query] == "select\nf(1)")
        #expect(row[.sqlState] == "42883" && row[.severity] == "ERROR" && row[.processID] == "7")
        #expect(found.rows.last?[.backendType] == "background process" && found.rows.last?[.userName] == nil)
        #expect(found.unread.isEmpty && found.text.isEmpty)
    }

    @Test(
        "finds SQLSTATE and what the backend did in the server's wording",
        arguments: [
            ("FATAL", "password authentication failed for user \"bob\"", "28P01", "authentication"),
            (
                "FATAL", "no pg_hba.conf entry for host \"192.0.2.1\", user \"bob\", database \"shop\", no encryption",
                "28000", "authentication"
            ),
            (
                "FATAL",
                "pg_hba.conf rejects connection for host \"192.0.2.1\", user \"bob\", database \"shop\", SSL off",
                "28000", "authentication"
            ),
            (
                "FATAL",
                "no pg_hba.conf entry for replication connection from host \"192.0.2.1\", user \"bob\", SSL off",
                "28000", "authentication"
            ),
            ("FATAL", "Peer authentication failed for user \"bob\"", "28000", "authentication"),
            ("FATAL", "role \"bob\" does not exist", "28000", "startup"),
            ("FATAL", "role \"bob\" is not permitted to log in", "28000", "startup"),
            ("FATAL", "database \"shop\" does not exist", "3D000", "startup"),
            ("FATAL", "permission denied for database \"shop\"", "42501", "startup"),
            ("FATAL", "too many connections for role \"bob\"", "53300", "startup"),
            (
                "FATAL", "remaining connection slots are reserved for roles with the SUPERUSER attribute", "53300",
                "startup"
            ),
            ("FATAL", "sorry, too many clients already", "53300", "initializing"),
            ("FATAL", "canceling authentication due to timeout", "57014", "authentication"),
            ("FATAL", "the database system is starting up", "57P03", "-"),
            ("FATAL", "unsupported frontend protocol 1234.5680: server supports 3.0 to 3.0", "0A000", "-"),
            ("FATAL", "terminating connection due to administrator command", "57P01", "-"),
            ("FATAL", "something else", "-", "-"),
            ("FATAL", "password authentication failed for user \"eve\"", "-", "-"),
            ("LOG", "incomplete startup packet", "08P01", "-"),
            ("LOG", "could not accept SSL connection: wrong version number", "08P01", "-"),
            ("LOG", "connection received: host=192.0.2.1 port=1", "00000", "-"),
            ("LOG", "connection authorized: user=bob database=shop application_name=psql", "00000", "authentication"),
            ("LOG", "connection authorized: user=eve database=shop", "00000", "-"),
            ("LOG", "statement: DROP TABLE t", "00000", "idle"),
            ("LOG", "password authentication failed for user \"bob\"", "00000", "-"),
            ("ERROR", "password authentication failed for user \"bob\"", "-", "-"),
            ("ERROR", "permission denied for table cards", "42501", "-"),
            ("ERROR", "must be owner of table cards", "42501", "-"),
            ("WARNING", "PID 7 is not a PostgreSQL backend process", "01000", "-"),
            ("FATAL", "Passwort-Authentifizierung für Benutzer »bob« fehlgeschlagen", "28P01", "authentication"),
            ("致命错误", "用户 \"bob\" 的密码认证失败", "28P01", "authentication"),
            ("ВАЖНО", "пользователь \"bob\" не прошёл проверку подлинности (по паролю)", "28P01", "authentication"),
            ("FATAL", "ユーザー\"bob\"のパスワード認証に失敗しました", "28P01", "authentication"),
            (
                "FATAL", "authentification par mot de passe échouée pour l'utilisateur  « bob »", "28P01",
                "authentication"
            ),
            ("FEHLER", "keine Berechtigung für Datenbank shop", "42501", "-"),
        ])
    func derived(severity: String, message: String, state: String, tag: String) {
        let found = readLog(
            "2026-03-02 09:49:00.374 UTC [7] bob@shop \(severity):  \(message)\n", prefix: StderrReaderTests.debian)
        #expect(found.values(.sqlState, .commandTag, .message) == ["\(state)|\(tag)|\(message)"])
    }

    @Test("takes the SQLSTATE of log_error_verbosity = verbose, and of no text")
    func verbose() {
        let found = readLog(
            """
            2026-03-02 09:49:00.374 UTC [7] bob@shop FATAL:  28P01: password authentication failed for user "bob"
            2026-03-02 09:49:00.374 UTC [7] bob@shop LOCATION:  auth_failed, auth.c:323
            2026-03-02 09:49:00.374 UTC [8] bob@shop WARNING:  28P01: password authentication failed for user "bob"

            """, prefix: StderrReaderTests.debian)
        #expect(
            found.values(.sqlState, .commandTag, .message, .location) == [
                "28P01|authentication|password authentication failed for user \"bob\"|auth_failed, auth.c:323",
                "01000|-|28P01: password authentication failed for user \"bob\"|-",
            ])
    }

    @Test("knows a raised error by its context")
    func raised() {
        let found = readLog(
            """
            2026-03-02 09:49:00.374 UTC [7] bob@shop ERROR:  permission denied for table cards
            2026-03-02 09:49:00.374 UTC [7] bob@shop CONTEXT:  PL/pgSQL function inline_code_block line 1 at RAISE

            """, prefix: StderrReaderTests.debian)
        #expect(found.values(.sqlState) == ["P0001"])
    }

    @Test("names in the message stand in for a prefix without them")
    func bare() {
        let found = readLog(
            """
            2026-03-02 09:49:00.374 UTC [7] LOG:  connection received: host=192.0.2.1 port=4000
            2026-03-02 09:49:00.374 UTC [7] FATAL:  password authentication failed for user "x" y"
            2026-03-02 09:49:00.374 UTC [7] DETAIL:  Role "x" y" does not exist.
            2026-03-02 09:49:00.374 UTC [8] FATAL:  no pg_hba.conf entry for host "2001:db8::1", user "bob", database "shop", no encryption
            2026-03-02 09:49:00.374 UTC [9] LOG:  connection authorized: user=bob database=shop application_name=a b SSL enabled (protocol=TLSv1.3, cipher=x, bits=256)
            2026-03-02 09:49:00.374 UTC [9] LOG:  statement: DROP TABLE t

            """)
        #expect(
            found.values(.userName, .databaseName, .connectionFrom, .sqlState, .commandTag) == [
                "-|-|-|00000|-", "x\" y|-|-|28P01|authentication", "bob|shop|[2001:db8::1]|28000|authentication",
                "bob|shop|-|00000|authentication", "-|-|-|00000|idle",
            ])
    }

    @Test("lines of child processes are text, and hide nothing")
    func children() {
        let child = """
            psql:x.sql:3: ERROR:  relation "x" does not exist
            cp: cannot stat 'x': No such file
            2026-03-02 09:49:00.374 P00   INFO: archive-push command begin 2.55: [x]
            \tindented
            ERROR:  of psql

            """
        let one = "2026-03-02 09:49:00.374 UTC [7] bob@shop LOG:  statement: select 1\n"
        let two = "2026-03-02 09:49:00.374 UTC [9] LOG:  archive command failed with exit code 1\n"
        let found = readLog(one + child + two + child + one, prefix: StderrReaderTests.debian)
        #expect(found.rows.count == 3)
        #expect(found.values(.message)[0] == "statement: select 1")
        #expect(found.unread.isEmpty)
        #expect(found.others == Int64(child.utf8.count * 2))
    }

    @Test("says what does not fit the prefix")
    func unfit() {
        let line = "2026-03-02 09:49:00.374 UTC;7;LOG:  hello\n"
        let found = readLog(
            "2026-03-02 09:49:00.374 UTC [7] LOG:  hello\n" + line + "2026-03-02 09:49:00.374 UTC [7] no severity\n",
            prefix: "%m [%p] ")
        #expect(found.rows.count == 1 && found.unread.count == 2)
    }

    @Test("reads rows of csvlog that the collector put here")
    func csvRows() {
        let first = "2026-03-02 09:49:00.374 UTC [7] LOG:  one\n"
        let rows =
            row(user: "a\n2026-03-02 09:49:00.374 UTC [8] LOG:  fake\n", message: "in a\nrow") + "\n" + row(line: 2)
            + "\n"
        let found = readLog(first + rows + first, prefix: "%m [%p] ")
        #expect(found.values(.message) == ["one", "in a\nrow", "hello", "one"])
        #expect(found.rows[1][.sessionLine] == "1" && found.rows[1][.connectionFrom] == "192.0.2.1:40000")
        #expect(found.unread.isEmpty && found.text.isEmpty)
    }

    @Test("reads CR LF of Windows, and a CR that is a text's own")
    func carriageReturns() {
        let text =
            "2026-03-02 09:49:00.374 UTC [7] bob@shop LOG:  a\n\tb\n2026-03-02 09:49:00.374 UTC [7] bob@shop LOG:  c\n"
        #expect(
            readLog(text.replacing("\n", with: "\r\n"), prefix: StderrReaderTests.debian).values(.message) == [
                "a\nb", "c",
            ])
        #expect(
            readLog(
                "2026-03-02 09:49:00.374 UTC [7] LOG:  z\n" + text.replacing("a\n", with: "a\r\n"),
                prefix: StderrReaderTests.debian
            )
            .values(.message) == ["z", "a\r\nb", "c"])
    }

    @Test("proves the zone by session start and id", arguments: ["%m [%p] %c %s ", "%m [%p] %c %q%u@%d "])
    func zones(prefix: String) {
        // 69a55d0c is 2026-03-02 09:49:00 UTC; CST is Chicago's name as well as Shanghai's.
        let start = prefix.contains("%s") ? "2026-03-02 17:49:00 CST " : "[unknown]@[unknown] "
        let found = readLog(
            "2026-03-02 17:49:00.374 CST [7] 69a55d0c.7 \(start)LOG:  connection received: host=192.0.2.1 port=1\n",
            prefix: prefix)
        #expect(found.rows.map(\.time) == [LogTime(parsing: "2026-03-02T09:49:00.374Z")])
        #expect(found.rows.first?[.sessionID] == "69a55d0c.7")
    }

    @Test("reads records in German and Chinese")
    func localised() throws {
        let found = readLog(
            """
            2026-03-29 00:30:00.767 CET [17546] [unbekannt]@[unbekannt] LOG:  Verbindung empfangen: Host=127.42.23.177 Port=36621
            2026-03-29 00:30:00.768 CET [17546] bob@webshop FEHLER:  Relation »x« existiert nicht bei Zeichen 15
            2026-03-29 00:30:00.768 CET [17546] bob@webshop TIPP:  Nein.
            2026-03-29 00:30:00.768 CET [17546] bob@webshop ZUSAMMENHANG:  SQL
            2026-03-29 00:30:00.768 CET [17546] bob@webshop ANWEISUNG:  SELECT * FROM x
            2026-03-29 00:30:00.769 CET [17547] [未知]@[未知] 日志:  已接收到连接: host=[local]
            2026-03-29 00:30:00.770 CET [17547] bob@webshop 致命错误:  角色 "bob" 不存在
            2026-03-29 00:30:00.770 CET [17547] bob@webshop 详情:  没有
            2026-03-29 00:30:00.770 CET [17548] bob@webshop ERREUR:  non
            2026-03-29 00:30:00.770 CET [17548] bob@webshop ASTUCE :  oui
            2026-03-29 00:30:00.770 CET [17549] bob@webshop 오류:  아니
            2026-03-29 00:30:00.770 CET [17549] bob@webshop 쿼리:select 1

            """)
        #expect(found.rows.count == 6 && found.unread.isEmpty && found.text.isEmpty)
        #expect(found.values(.severity) == ["LOG", "ERROR", "LOG", "FATAL", "ERROR", "ERROR"])
        #expect(found.values(.userName) == ["-", "bob", "-", "bob", "bob", "bob"])
        let error = found.rows[1]
        #expect(error[.message] == "Relation »x« existiert nicht" && error[.queryPosition] == "15")
        #expect(error[.hint] == "Nein." && error[.context] == "SQL" && error[.query] == "SELECT * FROM x")
        #expect(found.rows[3][.sqlState] == "28000" && found.rows[3][.commandTag] == "startup")
        #expect(
            found.rows[3][.detail] == "没有" && found.rows[4][.hint] == "oui"
                && found.rows[5][.internalQuery] == "select 1")
    }

    @Test(
        "drops the tag that set_user puts behind the prefix",
        arguments: [StderrReaderTests.debian, "%m [%p] %q%u@%d %h "])
    func superuserTag(prefix: String) {
        let host = prefix.contains("%h") ? " 192.0.2.1" : ""
        let found = readLog(
            "2026-03-02 09:49:00.374 UTC [7] bob@shop\(host) AUDIT: LOG:  statement: select 1\n", prefix: prefix)
        #expect(found.values(.userName, .databaseName, .message) == ["bob|shop|statement: select 1"])
    }

    @Test("keeps a megabyte of a longer text and finds what follows")
    func long() throws {
        let line = "2026-03-02 09:49:00.374 UTC [7] bob@shop LOG:  "
        let found = readLog(
            Array((line + String(repeating: "x", count: 12_000_000) + "\n" + line + "b\n").utf8),
            prefix: StderrReaderTests.debian, pieces: [300_000])
        #expect(found.rows.count == 2)
        #expect(found.rows[0][.message]?.contains("sha256") == true && found.rows[1][.message] == "b")
        let many = readLog(
            Array(
                (line + "a\n" + String(repeating: "\t" + String(repeating: "y", count: 99) + "\n", count: 100_000)
                    + line + "b\n").utf8),
            prefix: StderrReaderTests.debian)
        #expect(many.rows.count == 2 && many.unread.isEmpty)
    }
}
