import Foundation
import HTTPTransport
import LocatedYAML

/// Whom an Alertmanager tells of what, as it says itself.
struct AlertmanagerReceivers {
    private let client: HTTPClient
    /// Names of receivers that have no way to tell anybody.
    private let silent: Set<String>

    /// Asks for the configuration (`GET /api/v2/status`).
    init(_ client: HTTPClient) throws {
        self.client = client
        struct Status: Decodable {
            struct Config: Decodable { let original: String }
            let config: Config
        }
        let answer = try client.send(HTTPRequest("GET", "/api/v2/status"), limit: 4 << 20)
        guard let status = try? JSONDecoder().decode(Status.self, from: Data(answer.body)) else {
            throw DeliveryProblem("no answer from /api/v2/status (\(answer.status)): is this an Alertmanager?")
        }
        silent = AlertmanagerReceivers.silent(in: status.config.original)
    }

    func isSilent(_ name: String) -> Bool { silent.contains(name) }

    /// Receivers with nothing but a name.
    static func silent(in configuration: String) -> Set<String> {
        guard let file = try? YAMLValue(text: configuration, file: "alertmanager.yml"), let keys = try? file.entries(),
            let list = try? keys.first(where: { $0.key == "receivers" })?.value.list()
        else { return [] }
        var names: Set<String> = []
        for receiver in list {
            guard let entries = try? receiver.entries(),
                let name = try? entries.first(where: { $0.key == "name" })?.value.text()
            else { continue }
            let speaks = entries.contains { $0.key.hasSuffix("_configs") && !(((try? $0.value.list()) ?? []).isEmpty) }
            if !speaks { names.insert(name) }
        }
        return names
    }

    /// The receivers of each of the alerts with a name, by their severity.
    func of(alert name: String) throws -> [(severity: String, receivers: [String])] {
        struct Alert: Decodable {
            struct Receiver: Decodable { let name: String }
            let labels: [String: String]
            let receivers: [Receiver]
        }
        let filter = FormText.escaped("alertname=\"\(name)\"")
        let answer = try client.send(HTTPRequest("GET", "/api/v2/alerts?filter=\(filter)"), limit: 4 << 20)
        guard let alerts = try? JSONDecoder().decode([Alert].self, from: Data(answer.body)) else {
            throw DeliveryProblem("no answer from /api/v2/alerts (\(answer.status))")
        }
        return ["CRIT", "WARN"].map { word in
            (word, Set(alerts.filter { $0.labels["severity"] == word }.flatMap(\.receivers).map(\.name)).sorted())
        }
    }
}
