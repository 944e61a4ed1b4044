import Foundation
import LogRecords
import Testing
import VigilModel

/// The row that Vector makes of a csvlog row, all values texts, empty ones left out.
func vectorRow(_ csv: String, extra: [String: String] = [:]) throws -> [UInt8] {
    let names = [
        "time", "user", "db", "pid", "addr", "sid", "sln", "cmd", "stime", "vxid", "txid", "lv", "code", "msg",
        "detail", "hint", "iq", "iqp", "ctx", "q", "qp", "loc", "app", "btype", "lpid", "query",
    ]
    var columns = Columns(LogColumn.allCases)
    let reader = CSVLogReader()
    reader.read(Array((csv + "\n").utf8), into: &columns)
    var row = ["job": "postgres", "cls": "pg-test", "ins": "pg-test-1"]
    for (name, value) in zip(names, columns.rows.first ?? []) where value != "-" { row[name] = value }
    row["_time"] = columns.times.first?.description
    row["time"] = nil
    row.merge(extra) { _, new in new }
    return Array(try JSONSerialization.data(withJSONObject: row.filter { $0.value != "" }))
}

/// What a stream's rows are read as.
private func read(_ lines: [[UInt8]], _ wanted: [LogColumn]) throws -> Columns {
    let rows = try lines.map { try VectorRow($0) }
    var columns = Columns(wanted)
    guard let stream = rows.first?.stream else { return columns }
    let reader = VectorReader(stream, timezone: nil)
    for (place, row) in rows.enumerated() { reader.read(row, offset: Int64(place), into: &columns) }
    reader.finish(into: &columns)
    return columns
}

private func json(_ row: [String: String]) throws -> [UInt8] {
    Array(try JSONSerialization.data(withJSONObject: row))
}

@Suite("Rows of Vector")
struct VectorRowTests {
    private func columns(_ csv: String) -> Columns {
        var columns = Columns(LogColumn.allCases.filter { $0 != .logTime })
        CSVLogReader().read(Array((csv + "\n").utf8), into: &columns)
        return columns
    }

    @Test(
        "a server's row gives the columns that csvlog has",
        arguments: [
            "bob", "a\"b", "a,b", "line\nfeed", "tab\tand \\ back", "ünï", "\u{1}\u{7F}", "'; DROP TABLE x; --",
            "\",\"FATAL\",\"28P01\",", "{\"job\":\"patroni\"}", "\u{FFFD}", "\"", "\"\"", " ", "\\u0041", "𝄞",
        ], ["\"192.0.2.1:40000\"", "\"2001:db8::7:40000\"", "\"[local]\"", ""])
    func asCSV(user: String, address: String) throws {
        let csv = row(user: user, from: address, message: "text of \(user)\nsecond line, \"quoted\"")
        let found = try read([try vectorRow(csv)], LogColumn.allCases.filter { $0 != .logTime })
        let wanted = columns(csv)
        #expect(found.rows == wanted.rows)
        #expect(found.times == wanted.times)
        #expect(found.unread.isEmpty)
    }

    @Test("random texts of a client come through whatever they hold", arguments: 1...40)
    func random(seed: UInt64) throws {
        var numbers = SeededNumbers(seed: seed)
        let pieces = [
            "\"", "\\", ",", "\n", "\r\n", "{", "}", "\u{0}", "\u{1F}", "a", "é", "\u{2028}", "\\u0000", "\\\"", "[",
            "]",
            "_time", ":", "'", "𝄞", "\t", "null",
        ]
        func text() -> String {
            (0..<Int.random(in: 1...40, using: &numbers)).map { _ in pieces.randomElement(using: &numbers) ?? "" }
                .joined()
        }
        for _ in 0..<20 {
            // A carriage return before a line feed, and NUL, do not come through csvlog itself unharmed.
            let csv = row(user: text().replacingOccurrences(of: "\u{0}", with: ""), message: "m" + text())
            let found = try read([try vectorRow(csv)], LogColumn.allCases.filter { $0 != .logTime })
            #expect(found.rows == columns(csv).rows)
        }
    }

    @Test("numbers are compared as numbers, times by all their digits")
    func order() throws {
        func make(_ time: String, _ session: String, _ line: Int) throws -> VectorRow {
            try VectorRow(
                json([
                    "_time": time, "job": "postgres", "sid": session, "sln": "\(line)", "lv": "LOG", "msg": "x",
                ]))
        }
        let rows = try [
            make("2026-03-02T09:49:01.374Z", "69a55d0d.1", 10), make("2026-03-02T09:49:01.374Z", "69a55d0d.1", 9),
            make("2026-03-02T09:49:01.373999999Z", "69a55d0d.1", 100), make("2026-03-02T09:49:01Z", "69a55d0d.9", 1),
            make("2026-03-02T09:49:01.374000000Z", "69a55d0d.0", 2),
            make("2026-03-02T10:49:00.1+01:00", "69a55d0d.9", 1),
        ]
        let sorted = rows.sorted(by: VectorRow.isBefore)
        #expect(sorted.map(\.number) == [1, 1, 100, 2, 9, 10])
        #expect(sorted[0].time == LogTime(parsing: "2026-03-02T09:49:00.100Z"))
        #expect(sorted[2].time == LogTime(parsing: "2026-03-02T09:49:01.373Z"))
    }

    @Test("a row without what a record must have is told, not dropped; one of another program is nobody's")
    func faults() throws {
        let row: [String: String] = [
            "_time": "2026-03-02T09:49:01Z", "job": "postgres", "sid": "a.b", "sln": "1", "lv": "LOG", "msg": "x",
        ]
        #expect(try VectorRow(json(row)).fault == nil)
        for (key, value) in [("sid", ""), ("sln", ""), ("sln", "x"), ("sln", "0"), ("sln", "-3"), ("lv", "")] {
            let broken = row.merging([key: value]) { $1 }.filter { $0.value != "" }
            #expect(try VectorRow(json(broken)).fault != nil, "\(key)=\(value)")
        }
        #expect(throws: VectorRow.Problem.broken) { try VectorRow(json(row.filter { $0.key != "_time" })) }
        #expect(throws: VectorRow.Problem.broken) { try VectorRow(Array("{\"_time\":\"2026\"".utf8)) }
        #expect(throws: VectorRow.Problem.broken) { try VectorRow(Array("cannot obtain: timeout".utf8)) }
        #expect(throws: VectorRow.Problem.foreign) { try VectorRow(json(row.merging(["job": "nginx"]) { $1 })) }
        #expect(throws: VectorRow.Problem.foreign) {
            try VectorRow(json(row.merging(["job": "syslog", "app": "sshd"]) { $1 }))
        }
    }

    @Test("the first of two values of a name counts, so no text of a client can add one")
    func doubled() throws {
        let line =
            #"{"_time":"2026-03-02T09:49:01Z","job":"postgres","sid":"a.b","sln":"1","lv":"LOG","code":"00000","#
            + #""user":"x","msg":"m","code":"28P01","user":"y"}"#
        #expect(try read([Array(line.utf8)], [.userName, .sqlState]).rows == [["x", "00000"]])
    }

    @Test("numbers, and values that are none, are read as Vector may write them")
    func kinds() throws {
        let line =
            #"{"_time":"2026-03-02T09:49:01Z","job":"postgres","sid":"a.b","sln":7,"pid":42,"lv":"LOG","#
            + #""msg":"m","user":null,"db":{"a":1},"app":""}"#
        let found = try read(
            [Array(line.utf8)], [.sessionLine, .processID, .userName, .databaseName, .applicationName])
        #expect(found.rows == [["7", "42", "-", "-", "-"]])
    }

    @Test("a text of many megabytes is kept by its start, its length and its hash")
    func long() throws {
        let text = String(repeating: "x\n\"", count: 1_000_000)
        let line = try json([
            "_time": "2026-03-02T09:49:01Z", "job": "postgres", "sid": "a.b", "sln": "1", "lv": "LOG", "msg": text,
        ])
        let found = try read([line], [.message])
        #expect(found.rows[0][0].utf8.count < LogRecord.textLimit + 200)
        #expect(found.rows[0][0].hasPrefix("x\n\"x"))
    }

    @Test("Patroni's rows get back the head that Vector took")
    func patroni() throws {
        let bare = try json([
            "_time": "2026-03-02T09:49:01Z", "job": "patroni", "level": "err", "ins": "a",
            "_msg": "Failed\nTraceback (most recent call last):\n  File",
        ])
        let whole = try json([
            "_time": "2026-03-02T09:49:02Z", "job": "patroni", "level": "info", "ins": "a",
            "_msg": "2026-03-02 09:49:02 +0000 INFO: promoted self to leader",
        ])
        let found = try read([bare, whole], [.severity, .message])
        #expect(
            found.rows == [
                ["ERROR", "Failed\nTraceback (most recent call last):\n  File"], ["INFO", "promoted self to leader"],
            ])
        #expect(found.times.map(\.description) == ["2026-03-02T09:49:01.000Z", "2026-03-02T09:49:02.000Z"])
    }

    @Test("pgBackRest's rows know their stanza and command by the name of their file")
    func pgBackRest() throws {
        let line = try json([
            "_time": "2026-03-02T09:49:01.5Z", "job": "pgbackrest", "topic": "pg-meta-archive-push-async",
            "level": "err",
            "ins": "a", "_msg": "[082]: unable to push",
        ])
        let found = try read([line], [.severity, .message, .databaseName, .commandTag])
        #expect(found.rows == [["ERROR", "[082]: unable to push", "pg-meta", "archive-push"]])
    }

    @Test("PgBouncer's lines come as they are in the journal, or as the drop-in cuts them")
    func pgBouncer() throws {
        let text = "C-0x55: shop/app@203.0.113.7:41436 pooler error: password authentication failed"
        let whole = try json([
            "_time": "2026-03-02T09:49:01.5Z", "job": "syslog", "app": "pgbouncer", "ins": "a", "pid": "26114",
            "_msg": "2026-03-02 09:49:01.374 UTC [26114] WARNING \(text)",
        ])
        let cut = try json([
            "_time": "2026-03-02T09:49:01.374Z", "job": "pgbouncer", "pid": "26114", "ins": "a", "_msg": text,
        ])
        for line in [whole, cut] {
            let found = try read([line], [.userName, .databaseName, .connectionFrom, .processID])
            #expect(found.rows == [["app", "shop", "203.0.113.7:41436", "26114"]])
            #expect(found.times.map(\.description) == ["2026-03-02T09:49:01.374Z"])
        }
    }
}
