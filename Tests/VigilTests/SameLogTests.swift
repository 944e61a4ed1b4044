import LogRecords
import Testing
import VigilModel

@testable import Vigil

@Suite("The same log in several forms")
struct SameLogTests {
    private let monday = LogTime(milliseconds: 1_772_409_600_000)

    /// `name form days-after-Monday [age in days]`, forms as `csvlog`; `-` for what is no server log.
    private func candidates(_ lines: [String]) -> [SameLog.Candidate] {
        lines.map { line in
            let words = line.split(separator: " ").map(String.init)
            return SameLog.Candidate(
                path: "/log/" + words[0], form: ServerLogForm(rawValue: words[1]),
                start: words.count > 2
                    ? Double(words[2]).map { monday.adding(milliseconds: Int64($0 * 86_400_000)) } : nil,
                age: words.count > 3 ? Double(words[3]).map { $0 * 86_400 } : 0,
                isNamed: words.count > 4)
        }
    }

    @Test(
        "the richest is read",
        arguments: [
            (["postgresql.csv csvlog 0", "postgresql.json jsonlog 0", "postgresql.log stderr 0"], [1: 0, 2: 0]),
            (["postgresql.json jsonlog 0", "postgresql.log stderr 0"], [1: 0]),
            (["a-Mon.csv csvlog 0", "a-Mon.log stderr 0", "a-Tue.log stderr 1"], [1: 0]),
            // Without an extension, rotated by logrotate, packed.
            (["a-Mon stderr 0", "a-Mon.csv csvlog 0"], [0: 1]),
            (["a.log.1 stderr 0", "a.csv.1.gz csvlog 0", "a.csv csvlog 1", "a.log stderr 1"], [0: 1, 3: 2]),
            (["a.log-20260302.xz stderr 0", "a.csv-20260302 csvlog 0"], [0: 1]),
            (["x/a.csv csvlog 0", "y/a.log stderr 0"], [:]),
            // A packed copy of the same form is no other form.
            (["a.csv csvlog 0", "a.csv.gz csvlog 0"], [:]),
            // What is in it decides.
            (["a.csv csvlog 0", "a.log - 0", "a.json -"], [:]),
            (["a.csv csvlog 0", "b.log stderr 0"], [:]),
            // No time in its head, or one without its zone.
            (["a.csv csvlog 0", "a.log stderr"], [1: 0]),
            (["a.csv csvlog 0.5", "a.log stderr 0.1"], [1: 0]),
            // Named itself.
            (["a.csv csvlog 0", "a.log stderr 0 0 named"], [:]),
            (["a.csv csvlog 0 0 named", "a.log stderr 0"], [1: 0]),
            // Of another time: last month's Monday, and a form that was given up.
            (["a-Mon.csv csvlog 0", "a-Mon.log stderr -28 28"], [:]),
            (["a-Mon.csv csvlog -28 28", "a-Mon.json jsonlog 0 0"], [:]),
            (["a.csv csvlog -28 0", "a.json jsonlog 0 0"], [1: 0]),
            // Cut by size: each form has its own times in its names.
            (
                [
                    "p-2026-03-02_000000.csv csvlog 0", "p-2026-03-02_120000.csv csvlog 0.5",
                    "p-2026-03-02_000000.log stderr 0", "p-2026-03-02_180000.log stderr 0.75",
                ], [2: 0, 3: 1]
            ),
            (["p-2026-03-02_120000.csv csvlog 0.5", "p-2026-03-02_110000.log stderr 0.45"], [:]),
            (["p-2026-03-02.csv csvlog 0", "p-2026-03-03.log stderr 1"], [:]),
        ])
    func richest(_ files: [String], _ expected: [Int: Int]) {
        #expect(SameLog.find(candidates(files)) == expected)
    }

    @Test("a folder with three forms of one log is read once", .enabled(if: LogFormat(rawValue: "jsonlog") != nil))
    func folder() throws {
        let place = try Workplace()
        try place.write("logs/postgresql.csv", [row("10:00:00.000", session: 1, line: 2)])
        try place.write(
            "logs/postgresql.json",
            [
                #"{"timestamp":"2026-03-02 10:00:00.000 UTC","user":"bob","dbname":"shop","pid":4097,"remote_host":"203.0.113.66","remote_port":40000,"session_id":"69a55d0d.1001","line_num":2,"ps":"authentication","session_start":"2026-03-02 09:49:01 UTC","vxid":"3/1","txid":0,"error_severity":"FATAL","state_code":"28P01","message":"password authentication failed for user \"bob\"","backend_type":"client backend","query_id":0}"#
            ])
        let summary = try place.replay([place.path("logs")])
        #expect(summary.files == 1 && summary.actions == ["auth.failure": 1])
        #expect(summary.sameLogs.map(\.path) == [place.path("logs/postgresql.json")])
        let named = try place.replay([place.path("logs"), place.path("logs/postgresql.json")], into: "b.db")
        #expect(named.files == 2 && named.result.inserted == 1)
    }
}
