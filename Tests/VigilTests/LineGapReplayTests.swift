import EventStore
import Foundation
import Testing
import VigilModel

@testable import Vigil

@Suite("Missing lines, read from files")
struct LineGapReplayTests {
    private let place: Workplace

    init() throws { place = try Workplace() }

    /// What is told in a store.
    private func told(_ store: String) throws -> [String] {
        var found: [String] = []
        var filter = EventFilter()
        filter.values = [("event.action", "tamper.line_gap")]
        try Store(existing: place.path(store)).query(.events, filter) { row in
            if case .text(let text)? = row.first(where: { $0.key == "message" })?.value { found.append(text) }
        }
        return found.sorted()
    }

    private func log(sessions: Int, lines: Int, without: (Int, Int) -> Bool) -> [String] {
        (1...lines).flatMap { line in
            (1...sessions).filter { !without($0, line) }.map { session in
                let clock = "10:\(String(format: "%02d", line)):\(String(format: "%02d", session % 60)).000"
                return row(
                    clock, session: session, line: line, tag: "idle", severity: "LOG", state: "00000",
                    message: "checkpoint starting: time", detail: "")
            }
        }
    }

    @Test("a file that grows between readings tells the same as one that is read at once")
    func grown() throws {
        let rows = log(sessions: 40, lines: 30) { session, line in session * 7 % 30 == line || line * session % 97 == 3
        }
        let whole = Data(rows.map { $0 + "\n" }.joined().utf8)
        _ = try place.replay([try place.write("whole.csv", rows)], into: "whole.db")
        let wanted = try told("whole.db")
        #expect(wanted.count > 30)
        let path = place.path("grown.csv")
        for end in stride(from: 1000, to: whole.count, by: whole.count / 9) + [whole.count] {
            // The same file, longer.
            let handle = FileManager.default.fileExists(atPath: path) ? FileHandle(forWritingAtPath: path) : nil
            if let handle {
                let size = try handle.seekToEnd()
                try handle.write(contentsOf: whole[Int(size)..<end])
                try handle.close()
            } else {
                try whole.prefix(end).write(to: URL(fileURLWithPath: path))
            }
            _ = try place.replay([path], into: "grown.db")
        }
        #expect(try told("grown.db") == wanted)
    }

    @Test("rotation, in any order, and copies tell nothing; a hole is told once")
    func files() throws {
        let rows = log(sessions: 5, lines: 40) { _, _ in false }
        let parts = [rows[..<60], rows[60..<130], rows[130...]].enumerated().map { number, part in (number, Array(part))
        }
        let paths = try parts.map { try place.write("part\($0.0).csv", $0.1) }
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            _ = try place.replay(order.map { paths[$0] }, into: "parts\(order[0]).db")
            #expect(try told("parts\(order[0]).db").isEmpty)
        }
        // Without its middle part the log has no hole within a file either.
        _ = try place.replay([paths[0], paths[2]], into: "two.db")
        #expect(try told("two.db").isEmpty)
        let cut = log(sessions: 5, lines: 40) { session, line in session == 3 && (5...14).contains(line) }
        let first = try place.write("cut.csv", cut)
        let copy = try place.write("copy.csv", cut)
        for paths in [[first], [copy], [first, copy]] { _ = try place.replay(paths, into: "cut.db") }
        #expect(try told("cut.db") == ["lines 5 to 14 of session 69a55d0d.1003 are missing"])
    }

    @Test("a silence is the same however the log is read, and whatever follows it", arguments: [1, 2])
    func silence(parts: Int) throws {
        let place = try Workplace()
        func line(_ minute: Int, _ message: String, _ number: Int) -> String {
            let hour = 10 + minute / 60
            return
                "2026-03-02 \(hour):\(minute % 60 < 10 ? "0" : "")\(minute % 60):00.000 UTC,,,7,,69a5c6da.7,\(number),,"
                + "2026-03-02 10:00:00 UTC,,0,LOG,00000,\"\(message)\",,,,,,,,,\"\",\"postmaster\",,0"
        }
        var rows = (0..<120).map { line($0, "x", $0 + 1) }
        rows += [line(165, "x", 121), line(166, "received fast shutdown request", 122)]
        if parts == 2 { _ = try place.replay([place.write("a.csv", Array(rows.prefix(121)))]) }
        let path = place.path("a.csv")
        let bytes = Data(rows.map { $0 + "\n" }.joined().utf8)
        if parts == 2 {
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data((rows[121] + "\n").utf8))
            try handle.close()
        } else {
            try bytes.write(to: URL(fileURLWithPath: path))
        }
        _ = try place.replay([path])
        var told: [String] = []
        try Store(existing: place.path("a.db")).query(.events, EventFilter()) { row in
            if case .text("tamper.silence")? = row.first(where: { $0.key == "event.action" })?.value,
                case .text(let text)? = row.first(where: { $0.key == "message" })?.value
            {
                told.append(text)
            }
        }
        #expect(told.count == 1 && told.first?.contains("2026-03-02T11:59:00.000Z") == true, "\(told)")
    }
}
