import EventStore
import Foundation
import Testing
import VigilModel

@testable import Vigil

@Suite("Records cut on another thread")
struct RecordsAheadTests {
    private let place: Workplace

    init() throws { place = try Workplace() }

    /// Some sessions' rows, some damaged, one longer than a buffer.
    private func log(_ seed: UInt64) -> [String] {
        var numbers = SystemNumbers(state: seed)
        return (1...4000).map { line in
            let time = "10:\(10 + line / 400):\(10 + line % 400 / 10).\(100 + line % 10)"
            let session = Int.random(in: 0..<7, using: &numbers)
            switch Int.random(in: 0..<40, using: &numbers) {
            case 0: return "no record"
            case 1: return authorized(time, session: session, line: line)
            case 2: return row(time, session: session, line: line)
            case 3:
                return row(
                    time, session: session, line: line, tag: "idle", severity: "LOG", state: "00000",
                    message: "statement: CREATE TABLE t\(line) (a int)", detail: "")
            case 4 where line % 500 == 0:
                return row(
                    time, session: session, line: line, tag: "SELECT", severity: "LOG", state: "00000",
                    message: "duration: 1.5 ms  statement: SELECT '" + String(repeating: "x\n", count: 300_000) + "'",
                    detail: "")
            default:
                return row(
                    time, session: session, line: line, tag: "SELECT", severity: "LOG", state: "00000",
                    message: "duration: 1.5 ms  statement: SELECT \(line) FROM t WHERE a = 'b'", detail: "")
            }
        }
    }

    /// All that a store holds of a log.
    private func contents(_ store: String) throws -> [String] {
        var lines: [String] = []
        try Store(existing: place.path(store)).query(.events, EventFilter()) { row in lines.append("\(row)") }
        try Store(existing: place.path(store)).query(.alerts, EventFilter()) { row in lines.append("\(row)") }
        let coverage = try Store(existing: place.path(store)).coverage()
        return lines.sorted() + ["\(coverage.records) \(coverage.connections.sorted { $0.key < $1.key })"]
    }

    private func replay(_ path: String, into store: String, jobs: Int) throws -> ReplaySummary {
        let options = Replay.Options(paths: [path], store: place.path(store), since: nil, until: nil, jobs: jobs)
        return try Replay(options, configuration: Configuration()).run { _, _ in }
    }

    @Test("give the same store, whole and grown", arguments: 1...4)
    func equal(seed: UInt64) throws {
        let rows = log(seed)
        let path = try place.write("a.csv", rows)
        let alone = try replay(path, into: "1.db", jobs: 1)
        let ahead = try replay(path, into: "2.db", jobs: 2)
        #expect(alone.records == ahead.records && alone.unread == ahead.unread)
        let expected = try contents("1.db")
        #expect(expected.count > 200)
        #expect(try contents("2.db") == expected)
        // The same in two readings.
        for jobs in 1...2 {
            let path = try place.write("grown.csv", Array(rows.prefix(1777)))
            _ = try replay(path, into: "grown\(jobs).db", jobs: jobs)
            try FileHandle(forWritingTo: URL(fileURLWithPath: path)).close()
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(rows.dropFirst(1777).map { $0 + "\n" }.joined().utf8))
            try handle.close()
            _ = try replay(path, into: "grown\(jobs).db", jobs: jobs)
            #expect(try contents("grown\(jobs).db").count == expected.count)
        }
    }
}

/// Numbers that are the same in each run.
private struct SystemNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
