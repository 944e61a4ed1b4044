import Foundation

/// An Alertmanager that tells one receiver by HTTP.
struct Alertmanager {
    let port: Int
    private let lab: Lab

    var url: String { "http://127.0.0.1:\(port)" }

    /// Not started yet. What it tells goes to `receiver`, a port; 0: to nobody.
    init(_ lab: Lab, port: Int, receiver: Int) throws {
        (self.lab, self.port) = (lab, port)
        let hook = "webhook_configs: [{url: 'http://127.0.0.1:\(receiver)/alerts', send_resolved: true}]"
        try lab.write(
            """
            route: {receiver: people, group_by: [...], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
            receivers:
            - name: people
              \(receiver > 0 ? hook : "")

            """, to: "alertmanager.yml")
    }

    /// Starts it, with nothing in memory.
    func start() throws -> Child {
        let child = try lab.start(
            [
                "prometheus-alertmanager", "--config.file=\(lab.path("alertmanager.yml"))",
                "--storage.path=\(lab.path("alertmanager-\(UUID().uuidString)"))",
                "--web.listen-address=127.0.0.1:\(port)", "--cluster.listen-address=",
            ], output: "alertmanager.log")
        try Lab.until("Alertmanager listens: " + lab.read("alertmanager.log.errors")) { Port.isOpen(port) }
        return child
    }

    struct Alert: Decodable {
        let labels: [String: String]
        let annotations: [String: String]
        let endsAt: String
    }

    /// What it holds now.
    func alerts() throws -> [Alert] {
        let answer = try Lab.run(["curl", "-sS", "--fail", "\(url)/api/v2/alerts"])
        return try JSONDecoder().decode([Alert].self, from: Data(answer.utf8))
    }
}
