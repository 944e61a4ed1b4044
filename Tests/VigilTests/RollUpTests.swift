import EventStore
import Foundation
import Testing
import VigilModel

@testable import Vigil

/// Beyond 1,000 like events in a minute one stands for the rest, whichever way the log is read.
@Suite("Floods are rolled up")
struct RollUpTests {
    private let place: Workplace

    init() throws { place = try Workplace() }

    /// Failures of an address, evenly spread over a minute.
    private static func failures(_ count: Int, minute: Int, from address: String) -> [(time: Int, address: String)] {
        (0..<count).map { (time: minute * 60_000 + $0 * 60_000 / count, address: address) }
    }

    private static let attempts: [(time: Int, address: String)] =
        (failures(3500, minute: 0, from: "203.0.113.1") + failures(2200, minute: 1, from: "203.0.113.1")
        + failures(1500, minute: 1, from: "203.0.113.2") + failures(1000, minute: 2, from: "203.0.113.2")
        + failures(40, minute: 2, from: "203.0.113.3")).sorted { ($0.time, $0.address) < ($1.time, $1.address) }

    private static let truth = ["203.0.113.1": 5700, "203.0.113.2": 2500, "203.0.113.3": 40]

    private static func clock(_ time: Int) -> String {
        String(format: "10:%02d:%02d.%03d", time / 60_000, time / 1000 % 60, time % 1000)
    }

    enum Log: CaseIterable {
        case csv, pooler

        fileprivate var rows: [String] { self == .csv ? RollUpTests.csv : RollUpTests.pooler }
    }

    fileprivate static let csv: [String] = attempts.enumerated().map { index, attempt in
        row(clock(attempt.time), session: index, line: 1, from: "\(attempt.address):\(1024 + index)")
    }

    fileprivate static let pooler: [String] = attempts.enumerated().map { index, attempt in
        "2026-03-02 \(clock(attempt.time)) UTC [77] LOG C-0x55d0c8\(String(index + 0x10000, radix: 16)): "
            + "shop/bob@\(attempt.address):\(1024 + index) closing because: password authentication failed (age=0s)"
    }

    private struct Found: Equatable {
        var counts: [String: Int] = [:]
        var rows: [String: Int] = [:]
    }

    private func filter(_ action: String) -> EventFilter {
        var filter = EventFilter()
        filter.values = [("event.action", action)]
        return filter
    }

    private func found(_ store: String) throws -> Found {
        var found = Found()
        try Store(existing: place.path(store)).query(.events, filter("auth.failure")) { row in
            var address = ""
            var id = ""
            var count = 1
            for (key, value) in row {
                switch (key, value) {
                case ("source.ip", .text(let text)): address = text
                case ("event.id", .text(let text)): id = text
                case ("event.count", .number(let number)): count = Int(number)
                default: break
                }
            }
            found.counts[address, default: 0] += count
            found.rows[id] = count
        }
        return found
    }

    @Test("with exact counts, and at most 1,001 rows", arguments: Log.allCases)
    func counts(_ log: Log) throws {
        let summary = try place.replay([place.write("a.log", log.rows)])
        #expect(summary.addresses.mapValues(Int.init) == RollUpTests.truth)
        let found = try found("a.db")
        #expect(found.counts == RollUpTests.truth)
        #expect(found.rows.count == 1001 * 3 + 1000 + 40)
        #expect(found.rows.values.filter { $0 > 1 }.sorted() == [500, 1200, 2500])
    }

    @Test("a log that grew has the rows of one that was read at once", arguments: Log.allCases)
    func grown(_ log: Log) throws {
        let rows = log.rows
        _ = try place.replay([place.write("a.log", rows)], into: "whole.db")
        var random = SystemRandomNumberGenerator()
        let cuts = (0..<12).map { _ in Int.random(in: 1..<rows.count, using: &random) }.sorted()
        for cut in cuts + [rows.count] {
            _ = try place.replay([place.write("grown.log", Array(rows[..<cut]))], into: "grown.db")
        }
        let (grown, whole) = (try found("grown.db"), try found("whole.db"))
        #expect(grown == whole, "cut at \(cuts)")
        // A copy adds nothing.
        _ = try place.replay([place.write("copy.log", rows)], into: "grown.db")
        #expect(try found("grown.db") == whole)
    }

    @Test("the number of a flood is no record of its own", arguments: Log.allCases)
    func places(_ log: Log) throws {
        _ = try place.replay([place.write("a.log", log.rows)])
        let store = try Store(existing: place.path("a.db"))
        var places = 0
        for event in Int64(1)...4043 {
            let found = try store.places(of: event)
            #expect(found.count == 1, "event \(event)")
            places += found.count
        }
        #expect(places == 4043)
    }

    @Test("statements about different objects are not alike")
    func statements() throws {
        let rows = (0..<1500).map { index in
            row(
                RollUpTests.clock(index * 10), session: 1, line: index + 1, tag: "idle", severity: "LOG",
                state: "00000", message: "statement: DROP TABLE t\(index % 1200)", detail: "")
        }
        _ = try place.replay([place.write("a.csv", rows)])
        var count = 0
        try Store(existing: place.path("a.db")).query(.events, filter("ddl.drop")) { _ in count += 1 }
        #expect(count == 1500)
    }

    @Test("holes in a log are alike, whoever's session they are in")
    func holes() throws {
        let rows = (0..<1300).flatMap { session in
            [1, 3].map { line in
                row(
                    RollUpTests.clock(session * 40), session: session, line: line, user: "user\(session)",
                    from: "203.0.113.\(session % 250):4000", tag: "idle", severity: "LOG", state: "00000",
                    message: "duration: 1 ms", detail: "")
            }
        }
        _ = try place.replay([place.write("a.csv", rows)])
        var counts: [Int64] = []
        try Store(existing: place.path("a.db")).query(.events, filter("tamper.line_gap")) { row in
            var count: Int64 = 1
            for case ("event.count", .number(let number)) in row { count = number }
            counts.append(count)
        }
        #expect(counts.count == 1001 && counts.reduce(0, +) == 1300)
    }
}
