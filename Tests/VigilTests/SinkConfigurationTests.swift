import Foundation
import LocatedYAML
import Testing
import VigilModel

@testable import Vigil

@Suite("Sinks in the configuration")
struct SinkConfigurationTests {
    private func read(_ text: String) throws -> [SinkConfiguration] {
        try Configuration(YAMLValue(text: text, file: "c.yml")).sinks
    }

    @Test("have defaults that wake people for what matters")
    func defaults() throws {
        let sinks = try read(
            """
            sinks:
              alertmanager: {urls: [http://a:9059, http://b:9059/]}
              victorialogs: {url: http://a:9428}
              webhook: [{url: http://a/one}, {url: http://a/two, send: [alerts, events], severity: low}]
              file: {path: /tmp/x.jsonl, max_size: 10MB}
            """)
        #expect(sinks.map(\.subscription.name) == ["alertmanager", "victorialogs", "webhook", "webhook-2", "file"])
        #expect(sinks.map(\.subscription.events) == [false, true, false, true, true])
        #expect(sinks.map(\.subscription.alerts) == [.high, nil, .high, .low, .info])
        #expect(sinks.map(\.subscription.oldest) == [3_600_000, nil, 3_600_000, 3_600_000, nil])
        #expect(sinks[0].target == "http://a:9059 http://b:9059")
        if case .file(let options) = sinks[4].kind {
            #expect(options.size == 10 << 20)
        } else {
            Issue.record("no file")
        }
        // It answers 400 to packed bodies.
        if case .alertmanager(let endpoints, _) = sinks[0].kind { #expect(endpoints.map(\.packs) == [false, false]) }
    }

    @Test(
        "that are wrong are refused with their place",
        arguments: [
            ("alertmanager: {}", "'url' is missing"), ("alertmanager: {url: 'http://u:secret@a'}", "does not belong"),
            ("webhook: {url: ftp://a}", "no address"), ("webhook: {}", "'url' is missing"),
            ("webhook: {url: http://a, url_env: X}", "said twice"),
            ("webhook: {url_env: NOT_SET_ANYWHERE}", "is not set"),
            ("webhook: {url: http://a, basic: {user: u}}", "where the secret stands"),
            ("webhook: {url: http://a, basic: {user: u, password: p}}", "unknown key 'password'"),
            ("webhook: {url: http://a, tls: {ca: /nowhere.pem}}", "cannot be read"),
            ("webhook: [{url: http://a, name: x}, {url: http://b, name: x}]", "two sinks are named 'x'"),
            ("alertmanager: {url: http://a, labels: {a-b: c}}", "cannot be a name"),
            ("alertmanager: {url: http://a, hold: 1s}", "at least 10 s"),
            ("file: {path: /x, max_size: 1TB}", "a size belongs here"), ("mail: {}", "unknown key 'mail'"),
        ])
    func wrong(text: String, reason: String) throws {
        let problem = #expect(throws: YAMLProblem.self) { try read("sinks:\n  \(text)\n") }
        let message = problem.map { "\($0)" } ?? ""
        #expect(message.hasPrefix("c.yml:2") && message.contains(reason), "\(message)")
        #expect(!message.contains("secret@") && !message.contains("password: p"))
    }
}
