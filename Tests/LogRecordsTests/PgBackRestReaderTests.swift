import LogRecords
import Testing
import VigilModel

private let columns: [LogColumn] = [.severity, .processID, .commandTag, .databaseName, .message]
private let banner = "-------------------PROCESS START-------------------\n"

private func format(_ text: String) -> LogFormat? { LogFormat.detect(Array(text.utf8), path: "x.log") }

@Suite("pgBackRest reader")
struct PgBackRestReaderTests {
    @Test("reads a file: its command and stanza hold for all its lines, wherever reading starts")
    func file() {
        let begin = "2026-03-02 11:32:01.195 P00   INFO: backup command begin 2.55.1: --exec-id=1-a --stanza=pg-meta\n"
        let detail = "2026-03-02 11:32:02.039 P01 DETAIL: backup file /pg/base/5/1 (1.5MB, 6.34%) checksum 5b\n"
        let text =
            banner + begin + detail + "2026-03-02 11:32:03.000 P100  ERROR: [055]: unable to load info file\n"
            + "                                    HINT: has a stanza-create been performed?\n"
            + "2026-03-02 11:32:03.001 P00   INFO: backup command end: aborted with exception [055]\n\n" + banner
            + "garbage\n"
        #expect(format(text) == .pgbackrest)
        let found = read(.pgbackrest, text, columns)
        #expect(found.rows.count == 4)
        #expect(
            found.rows[1] == [
                "DETAIL", "01", "backup", "pg-meta", "backup file /pg/base/5/1 (1.5MB, 6.34%) checksum 5b",
            ])
        #expect(found.rows[2][1] == "100")
        #expect(found.rows[2][4] == "[055]: unable to load info file\nHINT: has a stanza-create been performed?")
        #expect(found.times.last?.description == "2026-03-02T11:32:03.001Z")
        #expect(found.text.count == 3)
        #expect(found.unread.map(\.length) == [8])
        let later = read(.pgbackrest, Array(text.utf8), columns, from: (banner + begin).utf8.count)
        #expect(later.rows == Array(found.rows.dropFirst()))
    }

    @Test("reads the console: lines without time, output that is no record")
    func console() {
        let text = """
            2026-03-02 11:32:01.195 P00   INFO: backup command begin 2.45: --stanza=demo
            ERROR: [062]: stop file exists for stanza demo
                   HINT: run the start command
            2026-03-02 11:32:03.195 P00   INFO: backup command end: aborted with exception [062]
            stanza: demo
                status: ok

            P00  ERROR: [037]: backup command requires option: pg1-path
                        HINT: does this stanza exist?
            WARN: unable to check pg1
            P00   INFO: [DRY-RUN] repo1: remove expired backup 20260302-113201F

            """
        let found = read(.pgbackrest, text, columns)
        #expect(found.rows.map { $0[0] } == ["INFO", "ERROR", "INFO", "ERROR", "WARN", "INFO"])
        #expect(
            found.rows[1] == [
                "ERROR", "00", "backup", "-", "[062]: stop file exists for stanza demo\nHINT: run the start command",
            ])
        // The error is of the time at which its command ended; one without such an end has none.
        #expect(found.times[1].description == "2026-03-02T11:32:03.195Z")
        #expect(found.times[3] == .distantPast)
        #expect(found.text.count == 3)
        #expect(found.unread.isEmpty)
    }

    @Test("is recognised by banner, process or error number only")
    func recognised() {
        #expect(format(banner) == .pgbackrest)
        #expect(format("P00   INFO: check command begin 2.45: --stanza=demo\n") == .pgbackrest)
        #expect(format("ERROR: [082]: unable to push\n") == .pgbackrest)
        #expect(format("ERROR: something\n") == nil)
        #expect(format("2026-03-02 11:32:01.195 UTC [1] LOG:  x\nP00   INFO: x\n") == .stderr)
    }

    @Test("any chunking finds the same")
    func chunks() {
        var text = banner
        for second in 10..<60 {
            text += "2026-03-02 09:12:\(second).954 P00  ERROR: [0\(second)]: x\n      more\n\nrubbish\n"
            text += "2026-03-02 09:12:\(second).955 P00   INFO: expire command end: aborted with exception\n"
        }
        let bytes = Array(text.utf8)
        let whole = read(.pgbackrest, bytes, columns)
        #expect(whole.rows.count == 100)
        for pieces in [[1], [13, 2, 400]] {
            #expect(read(.pgbackrest, bytes, columns, pieces: pieces).isSame(as: whole))
        }
    }
}

@Suite("HAProxy reader")
struct HAProxyReaderTests {
    private let columns: [LogColumn] = [.connectionFrom, .context, .applicationName, .location, .commandTag]

    @Test(
        "reads lines as HAProxy 2.6 writes them",
        arguments: [
            (
                "127.0.0.1:35988 [26/Nov/2026:06:06:24.742] pgdef pg/pg-test-1 1/0/0 2 -- 1/1/0/0/0 0/0",
                ["127.0.0.1:35988", "pgdef", "pg/pg-test-1", "-", "--"]
            ),
            (
                "127.0.0.1:51272 [26/Nov/2026:06:06:25.044] pghop pg/pg-test-1 127.0.0.1:37012 1/0/0 2 -- 1/1/0/0/0 0/0",
                ["127.0.0.1:51272", "pghop", "pg/pg-test-1", "127.0.0.1:37012", "--"]
            ),
            (
                "127.0.0.1:44114 [26/Nov/2026:06:06:32.263] pghop pg/<NOSRV> -:- -1/-1/0 0 SC 1/1/0/0/0 0/0",
                ["127.0.0.1:44114", "pghop", "pg/<NOSRV>", "-", "SC"]
            ),
            (
                "::1:33930 [26/Nov/2026:06:06:28.250] pgv6~ pg/pg-test-1 1/0/0 2 cD 1/1/0/0/0 0/0",
                ["::1:33930", "pgv6", "pg/pg-test-1", "-", "cD"]
            ),
            (
                "127.0.0.1:43538 [26/Nov/2026:06:06:29.158] tls/1: SSL handshake failure",
                ["127.0.0.1:43538", "tls/1", "-", "-", "-"]
            ),
            (
                "Connect from 127.0.0.1:58400 to 127.0.0.1:25437 (plain/TCP)",
                ["127.0.0.1:58400", "plain", "-", "-", "-"]
            ),
            (
                "10.0.0.7:4000 [26/Nov/2026:06:06:24.742] web web/a 0/0/0/1/1 200 123 - - ---- 1/1/0/0/0 0/0 \"GET /SC HTTP/1.1\"",
                ["10.0.0.7:4000", "web", "web/a", "-", "--"]
            ),
            ("Server pg/pg-test-1 is DOWN, reason: Layer4 connection problem", ["-", "-", "-", "-", "-"]),
        ])
    func lines(text: String, expected: [String]) {
        for header in [
            "", "Nov 26 06:06:24 lb1 haproxy[123]: ", "2026-11-26T06:06:24.750+00:00 lb1 haproxy[123]: ",
            "<134>Nov 26 06:06:24 haproxy[123]: ",
        ] {
            let found = read(.haproxy, header + text + "\n", columns)
            #expect(found.rows == [expected], "\(header)")
            #expect(found.unread.isEmpty)
        }
    }

    @Test("the connection's own time counts, as local time or with its zone")
    func times() {
        func time(_ text: String, zone: String? = nil) -> String? {
            read(.haproxy, text + "\n", columns, timezone: zone).times.first?.description
        }
        #expect(
            time("::1:3 [26/Nov/2026:06:06:24.742] a b/c 1/0/0 2 -- 1", zone: "Asia/Shanghai")
                == "2026-11-25T22:06:24.742Z")
        #expect(time("::1:3 [26/Nov/2026:06:06:24 +0800] a b/c 1/0/0 2 -- 1") == "2026-11-25T22:06:24.000Z")
        #expect(
            time("2026-11-26T06:06:24.750+01:00 lb1 haproxy[1]: Server pg/a is UP, reason: x")
                == "2026-11-26T05:06:24.750Z")
    }

    @Test("is recognised by its lines only")
    func recognised() {
        func format(_ text: String) -> LogFormat? { LogFormat.detect(Array(text.utf8), path: "x.log") }
        #expect(format("127.0.0.1:3 [26/Nov/2026:06:06:24.742] a b/c 1/0/0 2 -- 1\n") == .haproxy)
        #expect(format("[NOTICE]   (6275) : haproxy version is 2.6.12\n") == .haproxy)
        #expect(format("Nov 26 06:06:24 lb1 haproxy[123]: Proxy pg started.\n") == .haproxy)
        #expect(format("Nov 26 06:06:24 lb1 sshd[123]: x haproxy\n") == nil)
        #expect(format("127.0.0.1 - - [26/Nov/2026:06:06:24 +0000] \"GET / HTTP/1.1\" 200 1\n") == nil)
        #expect(format("Server is here\n") == nil)
    }
}
