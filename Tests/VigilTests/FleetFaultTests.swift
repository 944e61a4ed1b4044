import EventStore
import Foundation
import HTTPListener
import LogRecords
import Synchronization
import Testing
import VigilModel

@testable import Vigil

/// Answers as VictoriaLogs does, with faults.
final class FaultyServer: Sendable {
    private let rows: [VectorRow]
    /// Faults to come, first to last.
    private let faults: Mutex<[Fault]>
    let server: HTTPServer

    enum Fault: Sendable { case busy, textBehindRows, torn, textOnly, foreignBytes }

    init(_ rows: [VectorRow], faults: [Fault]) throws {
        self.rows = rows
        self.faults = Mutex(faults)
        let address = try #require(ListenAddress("127.0.0.1:0"))
        server = try HTTPServer(address)
        server.serve(
            [HTTPRoute("POST", "/select/logsql/query", bodyLimit: 1 << 20) { [self] in answer($0) }], token: nil)
        server.start()
    }

    deinit { server.stop() }

    var faultsLeft: Int { faults.withLock { $0.count } }

    private func answer(_ request: HTTPRequest) -> HTTPAnswer {
        let query = String(decoding: request.body.dropFirst(6), as: UTF8.self).removingPercentEncoding ?? ""
        let times = query.dropFirst("_time:[".count).split(separator: ")")[0].split(separator: ", ")
        let from = LogTime(parsing: String(times[0])) ?? .distantPast
        let to = LogTime(parsing: String(times[1])) ?? .distantPast
        let found = rows.filter { from <= $0.time && $0.time < to }
        if query.contains("| stats count() rows") {
            return HTTPAnswer(200, text: "{\"rows\":\"\(found.count)\",\"bytes\":\"\(found.count * 100)\"}\n")
        }
        var body: [UInt8] = []
        for row in found.shuffled() { body += row.line + [10] }
        switch faults.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
        case .busy: return HTTPAnswer(503, text: "too many concurrent requests\n")
        case .textBehindRows: body += Array("cannot read data: timeout\n".utf8)
        case .torn: body.removeLast(20)
        case .textOnly: body = Array("remoteAddr: cannot execute query\n".utf8)
        case .foreignBytes: body += Array("{\"a\":}\n".utf8)
        case nil: break
        }
        return HTTPAnswer(200, body: body)
    }
}

@Suite("A server of logs with faults")
struct FleetFaultTests {
    private let place: Workplace

    init() throws { place = try Workplace() }

    private func replay(_ server: FaultyServer, into store: String) throws -> ReplaySummary {
        var options = Replay.Options(paths: [], store: place.path(store), since: nil, until: nil, jobs: 1)
        options.fleets = [
            try FleetSource.named(
                "victorialogs://\(server.server.address)", query: nil, in: Configuration())
        ]
        return try Replay(options, configuration: Configuration()).run { _, _ in }
    }

    private func rows() throws -> [VectorRow] {
        let csv = (0..<300).map { number in
            let second = number % 50 + 10
            return row("09:\(10 + number / 50):\(second).374", session: number, line: 1) + "\n"
        }
        return try vectorRows(csv.joined())
    }

    @Test(
        "an answer that is not whole does not count: it is asked for again, and nothing is lost or twice",
        arguments: [
            [FaultyServer.Fault.busy, .busy], [.textBehindRows], [.torn], [.textOnly], [.foreignBytes],
            [.busy, .torn, .textBehindRows],
        ])
    func retried(faults: [FaultyServer.Fault]) throws {
        let server = try FaultyServer(try rows(), faults: faults)
        let summary = try replay(server, into: "a.db")
        #expect(summary.records == 300 && summary.result.inserted == 300)
        #expect(server.faultsLeft == 0)
    }

    @Test("a server that stays broken ends a replay; the next one goes on and has everything once")
    func broken() throws {
        let all = try rows()
        let bad = try FaultyServer(all, faults: Array(repeating: .textBehindRows, count: 10))
        #expect(throws: (any Error).self) { try replay(bad, into: "a.db") }
        #expect(try Store(path: place.path("a.db")).lastEventRow() == 0)
        let good = try FaultyServer(all, faults: [])
        #expect(try replay(good, into: "a.db").result.inserted == 300)
        // Another copy of the same rows, under another address, adds nothing.
        let copy = try FaultyServer(all, faults: [])
        let again = try replay(copy, into: "a.db")
        #expect(again.result.inserted == 0 && again.records == 0 && again.repeatedRows == 300)
    }
}
