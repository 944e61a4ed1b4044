import LogRecords
import Testing
import VigilModel

@Suite("jsonlog reader")
struct JSONLogReaderTests {
    private func read(_ bytes: [UInt8], pieces: [Int] = [1 << 20]) -> PlainRows {
        PlainRows.read(bytes, pieces: pieces, with: LogFormat.jsonlog.reader())
    }

    private func read(_ text: String) -> PlainRows { read(Array(text.utf8)) }

    private static let plain =
        #"{"timestamp":"2026-11-22 00:30:36.624 CET","user":"postgres","dbname":"postgres","pid":24328,"#
        + #""remote_host":"127.0.0.1","remote_port":53008,"session_id":"6b02299c.5f08","line_num":3,"ps":"SELECT","#
        + #""session_start":"2026-11-22 00:30:36 CET","vxid":"3/29","txid":0,"error_severity":"ERROR","#
        + #""state_code":"22012","message":"division by zero","statement":"select 1/0","#
        + #""application_name":"x","backend_type":"client backend","query_id":0}"#

    @Test("reads the server's line as the row that csvlog has of it")
    func plain() {
        let found = read(JSONLogReaderTests.plain + "\n")
        let csv =
            #"2026-11-22 00:30:36.624 CET,"postgres","postgres",24328,"127.0.0.1:53008",6b02299c.5f08,3,"SELECT","#
            + #"2026-11-22 00:30:36 CET,3/29,0,ERROR,22012,"division by zero",,,,,,"select 1/0",,,"x","#
            + #""client backend",,0"# + "\n"
        #expect(found.rows == PlainRows.read(Array(csv.utf8), with: CSVLogReader()).rows)
        #expect(found.rows.first?.time == LogTime(parsing: "2026-11-21T23:30:36.624Z"))
        #expect(found.unread.isEmpty && found.text.isEmpty)
    }

    @Test("gives the rows of csvlog for whatever texts", arguments: 1...40)
    func roundTrip(seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed))
        let records = (1...40).map { ServerRecord.hostile(&numbers, line: $0) }
        var csv = PlainRows.read(records.flatMap(\.csv), with: CSVLogReader())
        let json = read(records.flatMap(\.json))
        #expect(csv.rows.count == records.count && csv.unread.isEmpty)
        #expect(json.unread.isEmpty && json.text.isEmpty)
        for index in csv.rows.indices {
            csv.rows[index].offset = json.rows.indices.contains(index) ? json.rows[index].offset : -1
        }
        #expect(json.rows.count == csv.rows.count)
        for (left, right) in zip(json.rows, csv.rows) { #expect(left == right) }
    }

    @Test("gives the same in whatever pieces the bytes come", arguments: 1...12)
    func chunking(seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed) &* 77)
        var bytes: [UInt8] = []
        for line in 1...12 {
            var record = ServerRecord.hostile(&numbers, line: line).json
            switch Int.random(in: 0..<8, using: &numbers) {
            case 0: record = Array(record.prefix(Int.random(in: 1..<record.count, using: &numbers)))
            case 1: record.insert(contentsOf: [0, 0, 0], at: Int.random(in: 0..<record.count, using: &numbers))
            case 2: record += Array("junk \" here\n\n".utf8)
            default: break
            }
            bytes += record
        }
        let whole = read(bytes)
        #expect(read(bytes, pieces: [1]) == whole)
        for _ in 0..<6 {
            let pieces = (0..<7).map { _ in Int.random(in: 1..<300, using: &numbers) }
            #expect(read(bytes, pieces: pieces) == whole)
        }
    }

    @Test("a value is the first of its name")
    func duplicates() {
        let line = JSONLogReaderTests.plain.dropLast() + #","user":"victim","session_id":"1.1","pid":1}"#
        #expect(read(line + "\n").rows == read(JSONLogReaderTests.plain + "\n").rows)
    }

    @Test("undoes what other writers escape, in whatever order and with whatever they add")
    func reEmitted() {
        let text =
            #" { "tags" : ["a", {"b": "]}\""}] , "message":"pa\u00DF\ud83d\ude42 \/ \ud83d x\q", "#
            + #""kubernetes":{"pod":"{\"message\":\"no\"}"},"error_severity":"FATAL","pid":"77","#
            + #""timestamp":"2026-03-02T09:49:01.374+02:00","detail":null,"user":"\u0022a\u0022", "txid": -1.5e3} "#
        let found = read(text + "\r\n")
        #expect(found.unread.isEmpty)
        #expect(found.rows.count == 1)
        #expect(found.rows.first?[.message] == "paß🙂 / \u{FFFD} x\\q")
        #expect(found.rows.first?[.userName] == "\"a\"")
        #expect(found.rows.first?[.processID] == "77")
        #expect(found.rows.first?[.detail] == "")
        #expect(found.rows.first?.time == LogTime(parsing: "2026-03-02T07:49:01.374Z"))
    }

    @Test(
        "a client's socket path harms no record",
        arguments: [
            "/tmp/x", "/tmp/c\"li,ent.sock", "@abc", "/a\nb", "/a\r\nb\n", "/\n{\"timestamp\":\"2026", "/a\"\"b", "7",
            "1,\"session_id\":\"1.1\"", "1}", "1}\n", "/,\"user\":\"root\",\"x\":\"", "/\n\n\n\n\n\n\n\n",
        ])
    func socketPath(path: String) {
        let records = (1...3).map { line in
            var record = ServerRecord()
            record.line = line
            if line == 2 { (record.host, record.port) = (Array("[local]".utf8), Array(path.utf8)) }
            return record
        }
        let csv = PlainRows.read(records.flatMap(\.csv), with: CSVLogReader())
        let bytes = records.flatMap(\.json)
        for pieces in [[1 << 20], [1]] {
            let json = read(bytes, pieces: pieces)
            #expect(json.unread.isEmpty && json.text.isEmpty)
            #expect(json.rows.map(\.columns) == csv.rows.map(\.columns))
        }
    }

    @Test("loses only what is torn")
    func torn() {
        let line = JSONLogReaderTests.plain
        for cut in [1, 20, 150, 300, line.utf8.count - 1] {
            let torn = String(line.prefix(cut))
            for gap in ["", "\n", "\u{0}\u{0}\u{0}"] {
                let found = read(line + "\n" + torn + gap + line + "\n" + line + "\n")
                #expect(found.rows.count == 3, "\(cut) \(gap)")
                #expect(found.unread.reduce(0) { $0 + $1.length } >= Int64(torn.utf8.count))
            }
        }
    }

    @Test("a torn last line is told, and waits")
    func tornEnd() {
        let reader = LogFormat.jsonlog.reader()
        let line = Array((JSONLogReaderTests.plain + "\n").utf8)
        let found = PlainRows.read(line + line.prefix(100), with: reader)
        #expect(found.rows.count == 1)
        #expect(found.unread.map(\.offset) == [Int64(line.count)])
        #expect(reader.position == Int64(line.count))
        // A sound one is read, and waits for its line feed.
        let sound = LogFormat.jsonlog.reader()
        #expect(PlainRows.read(line + line.dropLast(), with: sound).rows.count == 2)
        #expect(sound.position == Int64(line.count))
    }

    @Test(
        "names a line that is no record",
        arguments: [
            "hello", "[1,2]", "{}", "{\"timestamp\":\"2026-11-22 00:30:36.624 CET\"}", "\u{0}\u{0}",
            "{\"timestamp\":\"x\",\"pid\":1,\"message\":\"m\",\"error_severity\":\"LOG\"}", "{\"a\":", "}", "\"",
        ])
    func garbage(line: String) {
        let found = read(JSONLogReaderTests.plain + "\n" + line + "\n\n" + JSONLogReaderTests.plain + "\n")
        #expect(found.rows.count == 2)
        #expect(found.unread.map(\.length) == [Int64(line.utf8.count + 1)])
        #expect(found.text.count == 1)
    }

    @Test("believes no record inside a record")
    func forged() {
        for fake in [JSONLogReaderTests.plain, "\"}\n" + JSONLogReaderTests.plain, "\\\"}" + JSONLogReaderTests.plain] {
            var record = ServerRecord()
            record.user = Array(fake.utf8)
            record.message = Array(fake.utf8)
            record.query = Array(fake.utf8)
            let found = read(record.json)
            #expect(found.rows.count == 1)
            #expect(found.unread.isEmpty)
        }
    }

    @Test("a record longer than the buffer is a record")
    func long() {
        var record = ServerRecord()
        record.message = Array("statement: ".utf8) + [UInt8](repeating: 10, count: 7 << 20)
        let found = read(JSONLogReaderTests.plain.utf8 + [10] + record.json + record.json.prefix(5 << 20))
        #expect(found.rows.count >= 2)
        #expect(found.rows[1][.message].hasPrefix("statement: \n"))
        #expect(found.rows[1][.message].utf8.count < 2 << 20)
        #expect(found.unread.isEmpty)
    }

    @Test("damage costs no more than its size")
    func linear() {
        let opening = Array(#"{"timestamp":""#.utf8)
        for piece in [opening, opening + Array("x\",".utf8), Array("[".utf8), Array("\\".utf8), Array("{\"a\":".utf8)] {
            var bytes: [UInt8] = []
            while bytes.count < 3 << 20 { bytes += piece }
            let found = read(bytes + [10])
            #expect(found.rows.isEmpty)
            #expect(found.unreadBytes == Int64(bytes.count + 1))
        }
    }

    @Test("is told by its first line")
    func detection() {
        func format(_ text: String) -> LogFormat? { LogFormat.detect(Array(text.utf8), path: "x.log") }
        #expect(format(JSONLogReaderTests.plain + "\n") == .jsonlog)
        #expect(format("\u{FEFF}\n\n" + JSONLogReaderTests.plain) == .jsonlog)
        #expect(format(String(JSONLogReaderTests.plain.prefix(330))) == .jsonlog)
        #expect(format("{\"a\":1}\n" + JSONLogReaderTests.plain) == nil)
        #expect(format("2026-03-02 09:49:01.374 UTC [1] LOG:  " + JSONLogReaderTests.plain) == .stderr)
        #expect(format("[" + JSONLogReaderTests.plain + "]") == nil)
        let tail = "ation_name\":\"x\"}\n" + JSONLogReaderTests.plain
        #expect(format(tail) == nil)
        #expect(LogFormat.detect(Array(tail.utf8), path: "/x/postgresql-Mon.json") == .jsonlog)
        let audit = #"{"log.source":"pgauditlogtofile","severity":"audit","timestamp":"2026-03-02 05:47:01.1 UTC"}"#
        #expect(format(audit) == .pgauditlogtofile)
    }
}
