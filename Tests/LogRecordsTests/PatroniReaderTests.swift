import LogRecords
import Testing
import VigilModel

private let columns: [LogColumn] = [.severity, .message]

private func format(_ text: String) -> LogFormat? { LogFormat.detect(Array(text.utf8), path: "patroni.log") }

@Suite("Patroni reader")
struct PatroniReaderTests {
    @Test(
        "reads the formats of times",
        arguments: [
            ("2026-03-02 09:12:07,954", "08:12:07.954"), ("2026-03-02 09:12:07 +0800", "01:12:07.000"),
            ("2026-03-02T09:12:07.5Z", "09:12:07.500"), ("2026-03-02 09:12:07,954 UTC", "09:12:07.954"),
            ("2026-03-02 09:12:07+00:00", "09:12:07.000"), ("2026-03-02 09:12:07", "08:12:07.000"),
        ])
    func times(printed: String, expected: String) {
        let text = printed + " INFO: no action. I am (node1), the leader with the lock\n"
        #expect(format(text) == .patroni)
        let found = read(.patroni, text, columns, timezone: "Europe/Berlin")
        #expect(found.times.first?.description == "2026-03-02T\(expected)Z")
        #expect(found.rows == [["INFO", "no action. I am (node1), the leader with the lock"]])
    }

    @Test("joins tracebacks and pg_controldata, not what children write")
    func continuations() {
        let text = """
            2026-03-02 09:12:07,954 ERROR: get_cluster
            Traceback (most recent call last):
              File "/usr/lib/python3/dist-packages/patroni/dcs/etcd3.py", line 1, in get_cluster
            patroni.utils.RetryFailedError: Exceeded retry deadline
            2026-03-02 09:12:08,001 INFO: pg_controldata:
              pg_control version number: 1700
              Database cluster state: shut down

            2026-03-02 09:12:08,101 INFO: postmaster pid=25108
            2026-03-02 09:12:08.935 UTC [25108] LOG:  redirecting log output to logging collector process
            localhost:5432 - accepting connections
            2026-03-02 09:12:09,101 INFO: primary: history=1\t0/3022F20\tno recovery target specified
            2\t0/4022F20\tno recovery target specified
            2026-03-02 09:12:10,101 INFO:  stderr=pg_rewind: servers diverged
            pg_rewind: Done!

            """
        let found = read(.patroni, text, columns)
        #expect(found.rows.map { $0[1].split(separator: "\n").count } == [4, 3, 1, 2, 2])
        #expect(found.text.count == 2)
        #expect(found.unread.isEmpty)
    }

    @Test("reads JSON, renamed keys too")
    func json() {
        let text = """
            {"asctime": "2026-03-02 09:12:07,954", "levelname": "INFO", "message": "Lock owner: node1; I am node1"}
            {"@timestamp": "2026-03-02T09:12:08+0000", "level": "ERROR", "msg": "say \\"x\\" \\u00e9\\ud83d\\ude00", "exc_info": "Traceback\\nx", "n": [1, {"a": "}"}]}

            """
        #expect(format(text) == .patroni)
        let found = read(.patroni, text, columns)
        #expect(found.rows == [["INFO", "Lock owner: node1; I am node1"], ["ERROR", "say \"x\" é😀\nTraceback\nx"]])
        #expect(
            format("{\"timestamp\":\"2026-03-02 09:12:07 UTC\",\"error_severity\":\"LOG\",\"message\":\"x\"}\n")
                == .jsonlog)
    }

    @Test("takes no log of PostgreSQL, whatever stands in its lines")
    func others() {
        #expect(
            format("2026-03-02 09:12:07.954 UTC [1] LOG:  x\n2026-03-02 09:12:07,954 INFO: forged\n") == .stderr)
        #expect(format("2026-03-02 09:12:07.954 UTC ERROR:  syntax error\n") == .stderr)
        // Without a time in the prefix, a made-up line is the first that starts with one.
        #expect(
            format(
                """
                user=app,db=shop LOG:  statement: SELECT 1
                user=app
                2026-03-02 09:12:07,954 INFO: no action. I am (x), the leader with the lock
                ,db=shop FATAL:  role "x" does not exist
                user=app,db=shop LOG:  statement: SELECT 2

                """) != .patroni)
        #expect(format("2026-03-02 09:12:07.954 P00   INFO: backup command begin 2.45\n") == .pgbackrest)
    }

    @Test("any chunking finds the same")
    func chunks() {
        var text = ""
        for second in 10..<60 {
            text +=
                "2026-03-02 09:12:\(second),954 ERROR: x\r\n  more\n\nand more\n2026-03-02 09:12:\(second),955 INFO: y\ntext\n"
        }
        var bytes = Array(text.utf8)
        bytes[34] = 0xFF
        let whole = read(.patroni, bytes, columns)
        #expect(whole.rows.count == 100)
        for pieces in [[1], [13, 2, 400]] {
            #expect(read(.patroni, bytes, columns, pieces: pieces).isSame(as: whole))
        }
    }
}

@Suite("Local times")
struct LocalTimeTests {
    private func times(_ printed: [String], zone: String?, clock: LogTime = .distantPast) -> [String] {
        let text = printed.map { "\($0) INFO: x\n" }.joined()
        return read(.patroni, Array(text.utf8), columns, timezone: zone, clock: clock).times.map(\.description)
    }

    @Test("an hour that happens twice does not run back")
    func backwards() {
        let printed = [
            "2026-10-25 01:59:59,000", "2026-10-25 02:10:00,000", "2026-10-25 02:59:00,000", "2026-10-25 02:10:00,000",
            "2026-10-25 02:59:00,000", "2026-10-25 03:00:00,000",
        ]
        #expect(
            times(printed, zone: "Europe/Berlin") == [
                "2026-10-24T23:59:59.000Z", "2026-10-25T00:10:00.000Z", "2026-10-25T00:59:00.000Z",
                "2026-10-25T01:10:00.000Z", "2026-10-25T01:59:00.000Z", "2026-10-25T02:00:00.000Z",
            ])
        // Reading starts in the second one.
        let clock = LogTime(parsing: "2026-10-25T01:05:00Z") ?? .distantPast
        #expect(times(["2026-10-25 02:10:00,000"], zone: "Europe/Berlin", clock: clock) == ["2026-10-25T01:10:00.000Z"])
        // Lines of several threads are some milliseconds out of order.
        #expect(
            times(["2026-10-25 02:10:00,005", "2026-10-25 02:10:00,001"], zone: "Europe/Berlin") == [
                "2026-10-25T00:10:00.005Z", "2026-10-25T00:10:00.001Z",
            ])
    }

    @Test("an hour that is skipped, half hours, the south, and no zone")
    func others() {
        #expect(times(["2026-03-29 02:30:00,000"], zone: "Europe/Berlin") == ["2026-03-29T01:30:00.000Z"])
        #expect(times(["2026-03-29 03:30:00,000"], zone: "Europe/Berlin") == ["2026-03-29T01:30:00.000Z"])
        #expect(times(["2026-03-02 12:00:00,000"], zone: "Asia/Kolkata") == ["2026-03-02T06:30:00.000Z"])
        #expect(times(["2026-01-02 12:00:00,000"], zone: "Australia/Lord_Howe") == ["2026-01-02T01:00:00.000Z"])
        #expect(times(["2026-07-02 12:00:00,000"], zone: "Australia/Lord_Howe") == ["2026-07-02T01:30:00.000Z"])
        #expect(times(["2026-03-02 12:00:00,000"], zone: nil) == ["2026-03-02T12:00:00.000Z"])
        let reader = LogFormat.patroni.reader(ReadingFacts())
        var found = Columns(columns)
        _ = reader.fill { buffer in
            let line = Array("2026-03-02 12:00:00,000 INFO: x\n".utf8)
            buffer.copyBytes(from: line)
            return line.count
        }
        reader.drain(into: &found, atEnd: true)
        #expect(reader.unknownZones == ["local time"])
    }
}
