import Foundation

/// A web server that keeps what it is sent (receiver.py).
struct Receiver {
    let port: Int
    private let lab: Lab
    private let name: String
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "receiver.py").path

    /// Not started yet.
    init(_ lab: Lab, port: Int, name: String = "receiver") { (self.lab, self.port, self.name) = (lab, port, name) }

    func start(_ options: [String] = []) throws -> Child {
        let child = try lab.start(
            ["python3", Receiver.script, "\(port)", lab.path(name + ".jsonl")] + options, output: name + ".log")
        try Lab.until("the receiver listens: " + lab.read(name + ".log.errors")) { Port.isOpen(port) }
        return child
    }

    /// Bodies of the requests that it took.
    func bodies() throws -> [[String: any Sendable]] {
        try lab.read(name + ".jsonl").split(separator: "\n").compactMap { line in
            let request = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: any Sendable]
            return request?["body"] as? [String: any Sendable]
        }
    }
}
