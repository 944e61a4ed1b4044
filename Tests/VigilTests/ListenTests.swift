import EventStore
import Foundation
import LocatedYAML
import Responses
import Testing
import VigilModel

@testable import HTTPListener
@testable import Vigil

@Suite("Listening: configuration, health, block lists")
struct ListenTests {
    private let place: Workplace
    private static let now = LogTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))

    init() throws { place = try Workplace() }

    private func configuration(_ text: String) throws -> Configuration {
        try Configuration(YAMLValue(text: text, file: "c.yml"))
    }

    @Test("listen is a text, or a mapping with where the token stands") func keys() throws {
        #expect(try configuration("listen: 9655").listen?.address == .ip4("127.0.0.1", port: 9655))
        #expect(try configuration("listen: '[::1]:9655'").listen?.address == .ip6("::1", port: 9655))
        let path = place.path("token")
        try Data("s3cret\n".utf8).write(to: URL(fileURLWithPath: path))
        let listen = try #require(
            try configuration("listen: {address: '0.0.0.0:9655', token_file: \(path)}").listen)
        #expect(try listen.bearerToken()?.accepts("Bearer s3cret") == true)
        #expect(!"\(listen)".contains("s3cret"))
        for wrong in [
            "listen: nowhere", "listen: {address: 9655, token: x}", "listen: {token_file: /x}",
            "listen: {address: 9655, token_file: /x, token_env: Y}", "metrics_file: /x/y.txt",
        ] { #expect(throws: YAMLProblem.self) { try configuration(wrong) } }
        let none = try #require(try configuration("listen: {address: 9655, token_file: \(path)-not}").listen)
        #expect(throws: (any Error).self) { try none.bearerToken() }
        try Data("two words\n".utf8).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: (any Error).self) { try listen.bearerToken() }
        #expect(error.map { "\($0)".contains("two") } == false)
    }

    @Test("the command line says where, the file what token") func override() throws {
        var settings = try configuration("listen: {address: '0.0.0.0:1', token_env: PGVIGIL_NO_SUCH}")
        settings.listen(on: "9655")
        #expect(settings.listen?.address == .ip4("127.0.0.1", port: 9655))
        #expect(throws: (any Error).self) { try settings.listen?.bearerToken() }
    }

    @Test("healthz: the loop goes on; readyz: it runs, can write, reads something and is not far behind")
    func health() throws {
        var counts = WatchMeter().snapshot
        let now = Date()
        let path = place.path("a.db")
        _ = try Store(path: path)
        func wrong(_ checks: [HealthReport.Check]) -> [String] { checks.filter { !$0.isGood }.map(\.name) }
        #expect(wrong(HealthReport(counts, now: now).alive).isEmpty)
        #expect(wrong(HealthReport(counts, now: now).ready(store: path)) == ["running", "sources"])
        counts.isRunning = true
        counts.turnedAt = now
        counts.sources = ["/a": WatchMeter.Source(isUp: true), "/b": WatchMeter.Source()]
        #expect(wrong(HealthReport(counts, now: now).ready(store: path)).isEmpty)
        #expect(wrong(HealthReport(counts, now: now).ready(store: path + "-not")) == ["store"])
        #expect(wrong(HealthReport(counts, now: now + 61).alive) == ["loop"])
        // Rules may take longer than reading.
        counts.phase = .rules
        #expect(wrong(HealthReport(counts, now: now + 61).alive).isEmpty)
        #expect(wrong(HealthReport(counts, now: now + 901).alive) == ["loop"])
        let log = place.path("long.csv")
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        truncate(log, 65 << 20)
        counts.files = [
            .init(
                source: "/a", path: log, consumed: 0,
                lastRecord: LogTime(milliseconds: Int64(now.timeIntervalSince1970 * 1000) - 400_000))
        ]
        #expect(wrong(HealthReport(counts, now: now).ready(store: path)) == ["backlog"])
        // Nothing but names for those who have shown no token.
        let answer = HealthReport.answer(HealthReport(counts, now: now).ready(store: path), isTrusted: false)
        #expect(answer.status == 503)
        #expect(!String(decoding: answer.body, as: UTF8.self).contains("reason"))
        let told = HealthReport.answer(HealthReport(counts, now: now).ready(store: path), isTrusted: true)
        #expect(try JSONSerialization.jsonObject(with: Data(told.body)) is [String: Any])
    }

    // MARK: - Block lists

    private func request(_ format: String, query: [String: String] = [:], _ fields: [(String, String)] = [])
        -> HTTPRequest
    {
        var headers = HTTPFields()
        for (name, value) in fields { headers.add(name, value) }
        return HTTPRequest(
            method: "GET", path: "/blocklist/\(format)", parameter: format, query: query, headers: headers, body: [])
    }

    private func banned(_ text: String) throws -> StoreFigures {
        let path = place.path("a.db")
        let store = try Store(path: path)
        let settings = try configuration(text)
        _ = try BanDesk(store, settings, by: "test", now: ListenTests.now).ban(
            "203.0.113.66", for: 3_600_000, reason: "test")
        let figures = StoreFigures(path: path, configuration: settings)
        figures.use(store)
        return figures
    }

    @Test("while bans are only observed a list is empty, unless it is asked for so") func observe() throws {
        let figures = try banned("topology: {detect: false}")
        let page = BlockListPage()
        let plain = page.answer(request("plain"), figures)
        #expect(plain.status == 200 && plain.body.isEmpty)
        #expect(plain.headers.contains { $0.name == "Pgvigil-Mode" && $0.value == "observe" })
        let asked = page.answer(request("plain", query: ["mode": "observe"]), figures)
        #expect(String(decoding: asked.body, as: UTF8.self) == "203.0.113.66/32\n")
        #expect(page.answer(request("plain", query: ["mode": "all"]), figures).status == 400)
    }

    @Test("each form that is a file is given as the command prints it") func formats() throws {
        let figures = try banned("{topology: {detect: false}, bans: {mode: enforce}}")
        let page = BlockListPage()
        for format in BlockListPage.formats {
            let answer = page.answer(request(format.rawValue), figures)
            let list = try figures.blockList().list
            #expect(answer.status == 200)
            #expect(String(decoding: answer.body, as: UTF8.self) == format.render(list), "\(format)")
        }
        for format in ["ufw", "haproxy_runtime", "x", "PLAIN"] {
            #expect(page.answer(request(format), figures).status == 404)
        }
    }

    @Test("who has the list is told so, by its tag or its time") func conditional() throws {
        let figures = try banned("{topology: {detect: false}, bans: {mode: enforce}}")
        let page = BlockListPage()
        let first = page.answer(request("plain"), figures)
        let tag = try #require(first.headers.first { $0.name == "ETag" }?.value)
        let time = try #require(first.headers.first { $0.name == "Last-Modified" }?.value)
        #expect(tag == "\"\(Fingerprint.sha256(first.body))\"")
        let known = page.answer(request("plain", [("If-None-Match", tag)]), figures)
        #expect(known.status == 304 && known.body.isEmpty)
        #expect(known.headers.contains { $0.name == "ETag" && $0.value == tag })
        #expect(page.answer(request("plain", [("If-Modified-Since", time)]), figures).status == 304)
        // The tag decides where both are sent.
        #expect(
            page.answer(request("plain", [("If-None-Match", "\"x\""), ("If-Modified-Since", time)]), figures).status
                == 200)
        let store = try Store(path: figures.path)
        _ = try BanDesk(store, try configuration("topology: {detect: false}"), by: "test", now: ListenTests.now)
            .setPaused(true, reason: "test")
        Thread.sleep(forTimeInterval: 1.1)
        let paused = page.answer(request("plain", [("If-None-Match", tag)]), figures)
        #expect(paused.status == 200 && paused.body.isEmpty)
        #expect(paused.headers.contains { $0.name == "Pgvigil-Paused" })
    }

    @Test("without a store there is no list: an empty one would free everybody") func noStore() throws {
        let figures = StoreFigures(path: place.path("none.db"), configuration: Configuration())
        #expect(BlockListPage().answer(request("plain"), figures).status == 503)
        #expect(figures.failureCount == 0)
        let open = try banned("{topology: {detect: false}, bans: {mode: enforce}}")
        #expect(BlockListPage().answer(request("plain"), open).status == 200)
        // Between two configurations nothing is open.
        open.use(nil)
        #expect(BlockListPage().answer(request("plain"), open).status == 503)
    }
}
