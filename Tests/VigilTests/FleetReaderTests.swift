import EventStore
import Foundation
import LogRecords
import LogSources
import Patterns
import Testing
import VigilModel

@testable import Vigil

/// A store that rows are read into, with what is found in it.
private struct Fleet {
    let store: Store
    let catalogue: Catalogue
    var reader: FleetReader
    var count = StreamReader.Count()

    init(_ path: String) throws {
        store = try Store(path: path)
        catalogue = try Configuration().catalogue()
        reader = FleetReader(store: store, catalogue: catalogue.events)
    }

    /// As after a crash: nothing is known but what is in the store.
    mutating func restart() { reader = FleetReader(store: store, catalogue: catalogue.events) }

    mutating func take(_ rows: [VectorRow], through: LogTime?, isReceived: Bool = false) throws {
        count.add(try reader.commit(rows, through: through, FleetReader.Manner(isReceived: isReceived)))
    }

    /// Events and what is counted, without where it was read.
    func content() throws -> [String] {
        var result: [String] = []
        try store.query(.events, EventFilter()) { row in
            let apart: Set<String> = ["log.file.path", "log.offset", "service.name", "service.node.name"]
            result.append(row.filter { !apart.contains($0.key) }.json)
        }
        return result.sorted() + ["activity \(try store.activityTotal())", "records \(try store.coverage().records)"]
    }
}

@Suite("Rows of a fleet")
struct FleetReaderTests {
    private let place: Workplace
    private let csv: String

    init() throws {
        place = try Workplace()
        let samples = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../samples")
        csv = try String(
            contentsOf: samples.standardizedFileURL.appending(path: "postgresql-Mon.csv"), encoding: .utf8)
    }

    private func fromFile() throws -> [String] {
        try csv.write(toFile: place.path("a.csv"), atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -60)], ofItemAtPath: place.path("a.csv"))
        _ = try place.replay([place.path("a.csv")], into: "file.db")
        return try Fleet(place.path("file.db")).content()
    }

    /// Seconds of each window; the rows of the last `lookback` seconds come again with each, in any order.
    @Test(
        "windows of any length, read again and again, and restarts give what the file gives",
        arguments: [(3600, 0, 0), (60, 120, 7), (45, 90, 50), (100_000, 0, 0)])
    func windows(length: Int64, lookback: Int64, restarts: Int) throws {
        let wanted = try fromFile()
        let rows = try vectorRows(csv)
        var fleet = try Fleet(place.path("fleet.db"))
        let first = rows.map(\.time).min() ?? .distantPast
        let last = rows.map(\.time).max() ?? .distantPast
        var start = TimeWindow(from: first, to: first).from
        var turn = 0
        var numbers = SystemRandomNumberGenerator()
        while start <= last {
            let end = start.adding(milliseconds: length * 1000)
            let from = start.adding(milliseconds: -lookback * 1000)
            let window = rows.filter { $0.time >= from && $0.time < end }
            turn += 1
            if restarts > 0, turn % restarts == 0 { fleet.restart() }
            if !window.isEmpty { try fleet.take(window.shuffled(using: &numbers), through: end) }
            start = end
        }
        try fleet.take([], through: nil)
        let found = try fleet.content()
        #expect(Array(Set(wanted).subtracting(found)) == [])
        #expect(Array(Set(found).subtracting(wanted)) == [])
        #expect(fleet.count.late == 0)
    }

    @Test("rows that come twice, late and out of order add nothing and lose nothing", arguments: 1...6)
    func disorder(seed: UInt64) throws {
        let wanted = try fromFile()
        var rows = try vectorRows(csv)
        var state = seed
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        // Sessions are late as a whole: what was done in one is read together.
        let sessions = Set(rows.map(\.session)).sorted()
        let late = Set(sessions.filter { _ in random(4) == 0 })
        let tardy = rows.filter { late.contains($0.session) }
        rows = rows.filter { !late.contains($0.session) }
        var fleet = try Fleet(place.path("fleet.db"))
        let half = rows.count / 2
        // A whole second, as windows are.
        let cut = rows.sorted(by: VectorRow.isBefore)[half].time.milliseconds / 1000 * 1000
        let moment = LogTime(milliseconds: cut)
        try fleet.take(rows.filter { $0.time < moment } + rows.filter { $0.time < moment }, through: moment)
        try fleet.take(tardy, through: moment)
        if seed % 2 == 0 { fleet.restart() }
        try fleet.take(rows + tardy, through: .distantFuture)
        try fleet.take(tardy + rows, through: .distantFuture)
        let found = try fleet.content()
        #expect(Array(Set(wanted).subtracting(found)) == [])
        #expect(Array(Set(found).subtracting(wanted)) == [])
        #expect(fleet.count.late > 0 && fleet.count.known > rows.count)
    }

    @Test("sessions of two instances with one id stay apart, and each event knows its own")
    func instances() throws {
        var fleet = try Fleet(place.path("fleet.db"))
        let one = authorized("09:49:01.374", session: 1) + "\n"
        let other = row("09:49:01.400", session: 1, line: 3, tag: "startup", severity: "FATAL", state: "53300") + "\n"
        try fleet.take(
            try vectorRows(one, instance: "a-1") + vectorRows(other, instance: "a-2"), through: .distantFuture)
        var found: [String] = []
        try fleet.store.query(.events, EventFilter()) { row in
            found.append("\(row.value("event.action")?.text ?? "") \(row.value("service.node.name")?.text ?? "")")
        }
        #expect(found.contains("auth.success a-1"))
    }

    @Test("times of receipt: a login is when its session began, and nobody is banned; the log's own times ban")
    func receipt() throws {
        var lines = ""
        // Of two within a tenth of a second one may be the retry of a client that prefers TLS.
        for session in 1...24 {
            lines +=
                row("10:30:\(10 + session).000", session: session, line: 1, from: "203.0.113.7:\(40_000 + session)")
                + "\n"
        }
        for isReceived in [true, false] {
            var fleet = try Fleet(place.path("\(isReceived).db"))
            try fleet.take(try vectorRows(lines), through: .distantFuture, isReceived: isReceived)
            let configuration = Configuration()
            let found = try DetectionPass(
                store: fleet.store, rules: fleet.catalogue.rules, configuration: configuration
            ).run(through: .distantFuture)
            #expect(found.alerts.contains { $0.rule.id == "auth-bruteforce" })
            #expect(found.bans.isEmpty == isReceived)
            var times: Set<String> = []
            try fleet.store.query(.events, EventFilter()) { times.insert($0.value("@timestamp")?.text ?? "") }
            // 69a55d0d is the second in which the sessions began.
            #expect((times == ["2026-03-02T09:49:01.000Z"]) == isReceived)
        }
    }

    @Test("equal lines of one moment are as many as there are, however often they are read")
    func multiplicity() throws {
        let line =
            #"{"_time":"2026-03-02T09:49:01Z","job":"syslog","app":"pgbouncer","ins":"a","_msg":"2026-03-02 09:49:01.374 "#
            + #"UTC [26114] WARNING C-0x55: shop/app@203.0.113.7:41436 pooler error: password authentication failed"}"#
        let row = try VectorRow(Array(line.utf8))
        var fleet = try Fleet(place.path("fleet.db"))
        for count in [1, 2, 2, 1] { try fleet.take(Array(repeating: row, count: count), through: .distantFuture) }
        #expect(try fleet.store.coverage().records == 2)
        #expect(fleet.count.read == 2 && fleet.count.known == 4)
    }

    @Test("rows that cannot be read are told once")
    func faults() throws {
        let line = #"{"_time":"2026-03-02T09:49:01Z","job":"postgres","ins":"a","lv":"LOG","msg":"x"}"#
        let row = try VectorRow(Array(line.utf8))
        var fleet = try Fleet(place.path("fleet.db"))
        for _ in 0..<3 { try fleet.take([row], through: .distantFuture) }
        let status = try fleet.store.sourceStatus()
        #expect(status.map(\.unread) == [1])
    }
}
