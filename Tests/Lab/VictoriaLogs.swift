import Foundation

/// A VictoriaLogs of one node.
struct VictoriaLogs {
    /// Where `make test` puts it (get-victorialogs.sh).
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../.build/victorialogs").standardizedFileURL
    let port: Int
    private let lab: Lab
    private let name: String

    var url: String { "http://127.0.0.1:\(port)" }

    /// Not started yet. `name` is its folder in the lab.
    init(_ lab: Lab, port: Int, name: String = "victorialogs") {
        (self.lab, self.port, self.name) = (lab, port, name)
    }

    /// Starts it, on the data that it had.
    func start() throws -> Child {
        let child = try lab.start(
            [
                VictoriaLogs.folder.appending(path: "victoria-logs").path, "-storageDataPath=\(lab.path(name))",
                "-httpListenAddr=127.0.0.1:\(port)", "-retentionPeriod=100y",
            ], output: name + ".out", errors: name + ".log")
        try Lab.until("VictoriaLogs listens: " + lab.read(name + ".log")) { Port.isOpen(port) }
        return child
    }

    /// The rows that a query gives, in no order.
    func rows(_ query: String) throws -> [[String: String]] {
        let answer = try Lab.run(
            ["curl", "-sS", "--fail", "--data-urlencode", "query=\(query)", "\(url)/select/logsql/query"])
        return try answer.split(separator: "\n").map { line in
            guard let row = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String] else {
                throw Lab.Problem(description: "no row: \(line)")
            }
            return row
        }
    }
}
