import Testing
import VigilModel

@testable import Deliveries

@Suite("Alertmanager's alerts")
struct AlertmanagerAlertTests {
    static func delivery(_ item: Int64, _ more: ShownRow = [], rule: String = "auth-bruteforce") -> Delivery {
        let row: ShownRow = [
            ("@timestamp", .time(LogTime(milliseconds: 1000 * item))), ("alert.id", .text("id\(item)")),
            ("rule.id", .text(rule)), ("event.severity", .text("high")),
            ("first_seen", .time(LogTime(milliseconds: 1000 * item - 500))),
            ("last_seen", .time(LogTime(milliseconds: 1000 * item))), ("message", .text("message \(item)")),
        ]
        return Delivery(kind: .alert, item: item, version: 0, row: row + more)
    }

    private func merge(_ deliveries: [Delivery], limit: Int = 20) -> [AlertmanagerAlert] {
        AlertmanagerAlert.merge(
            deliveries.map { ($0, LogTime(milliseconds: 1000 * $0.item + 60_000)) },
            AlertmanagerAlert.Style(labels: ["env": "prod"], link: "http://g/?i={ins}&a={alert}", sourceLimit: limit))
    }

    @Test("with the same labels are one, from the first's start to the last's end, and the newest speaks")
    func merged() throws {
        let more: ShownRow = [("source.ip", .text("203.0.113.7")), ("service.node.name", .text("pg-test-1"))]
        let alerts = merge([Self.delivery(1, more), Self.delivery(2, more)])
        let alert = try #require(alerts.first)
        #expect(alerts.count == 1 && alert.alerts == [1, 2])
        #expect(alert.start == LogTime(milliseconds: 500) && alert.end == LogTime(milliseconds: 62_000))
        #expect(
            alert.labels == [
                "alertname": "PgAuthBruteforce", "rule": "auth-bruteforce", "job": "pgvigil", "category": "pgsql",
                "level": "1", "severity": "WARN", "ins": "pg-test-1", "source": "203.0.113.7", "env": "prod",
            ])
        #expect(alert.annotations["description"]?.hasPrefix("message 2") == true)
        #expect(alert.link == "http://g/?i=pg%2Dtest%2D1&a=id2")
    }

    @Test("of more addresses than the limit share one alert, and those that had one keep it")
    func capped() {
        let deliveries = (1...30).map { Self.delivery(Int64($0), [("source.ip", .text("203.0.113.\($0)"))]) }
        let alerts = merge(deliveries, limit: 20)
        #expect(alerts.count == 21)
        let rest = alerts.filter { $0.labels["source"] == nil }
        #expect(rest.count == 1 && rest.first?.alerts.count == 10)
        #expect(rest.first?.annotations["sources"]?.split(separator: " ").count == 10)
    }

    @Test("carry what an attacker wrote in annotations alone, escaped")
    func hostile() throws {
        let name = "x\u{1B}[2J\u{202E}\"}],\"labels\":{\"alertname\":\"Other"
        let alert = try #require(
            merge([Self.delivery(1, [("user.name", .text(name)), ("db.namespace", .text(name))])]).first)
        #expect(!alert.labels.values.contains { $0.contains("x\u{1B}") || $0.contains("Other") })
        #expect(alert.annotations["user"]?.unicodeScalars.contains { $0.value < 32 || $0.value == 0x202E } == false)
        #expect(alert.json.hasPrefix(#"{"labels":{"alertname":"PgAuthBruteforce""#))
    }

    @Test(
        "say how severe they are in Pigsty's words",
        arguments: [("critical", "0", "CRIT"), ("medium", "1", "WARN"), ("low", "2", "INFO")])
    func levels(severity: String, level: String, word: String) {
        let found = AlertmanagerAlert.level(severity)
        #expect(found.level == level && found.word == word)
    }

    @Test("receivers without a way to tell anybody are known")
    func receivers() {
        let text = """
            global: {resolve_timeout: 5m}
            route: {receiver: default}
            receivers:
            - name: default
            - name: empty
              webhook_configs: []
            - name: mail
              email_configs:
              - to: a@example.com
            """
        #expect(AlertmanagerReceivers.silent(in: text) == ["default", "empty"])
    }
}
