import Foundation
import Testing

/// A `pgvigil watch` that listens, with a configuration of its own, and those who ask it.
final class Listening {
    let lab: Lab
    let port: Int
    let store = "listen.db"
    private let process: Child

    /// What came back.
    struct Answer {
        let status: Int
        let headers: [String: String]
        let body: String
    }

    init(_ lab: Lab, configuration: String = "", paths: [String], port: Int? = nil, arguments: [String] = []) throws {
        self.lab = lab
        self.port = port ?? Port.free(1)[0]
        try lab.write("topology: {detect: false}\n" + configuration + "\n", to: "listen.yml")
        let program = [
            Vigil.binary.path, "watch", "--config", lab.path("listen.yml"), "--store", lab.path(store),
        ]
        let listen = arguments.isEmpty ? ["--listen", "\(self.port)"] : arguments
        // The number of the process, for signals.
        process = try Child(
            ["sh", "-c", "echo $$ > listen.pid; exec \"$@\"", "sh"] + program + listen + paths, signal: "TERM",
            output: lab.path("listen.out"), errors: lab.path("listen.talk"), folder: lab.folder)
    }

    deinit { process.stop() }

    func stop() -> Int32 { process.stop() }

    var talk: String { lab.read("listen.talk") }

    func hangUp() throws {
        let number = try #require(Int32(lab.read("listen.pid").trimmingCharacters(in: .whitespacesAndNewlines)))
        kill(number, SIGHUP)
    }

    func waitUntilReady(path: String = "/healthz") throws {
        try Lab.until("an answer of \(path); \(talk.suffix(500))") { (try? get(path))?.status == 200 }
    }

    /// Asks by curl; further arguments are its own.
    func get(_ path: String, _ more: String..., port: Int? = nil) throws -> Answer {
        try Listening.get(path, more, port: port ?? self.port)
    }

    static func get(_ path: String, _ more: [String] = [], port: Int) throws -> Answer {
        let text = try Lab.run(
            ["curl", "-sS", "-i", "--max-time", "20"] + more + ["http://127.0.0.1:\(port)\(path)"])
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        let lines = (parts.first ?? "").split(separator: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let sides = line.split(separator: ":", maxSplits: 1)
            headers[sides[0].lowercased()] = sides.last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
        }
        return Answer(
            status: lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0, headers: headers,
            body: parts.count > 1 ? String(parts[1]) : "")
    }

    /// Metrics as promtool approved of them: the value of each series.
    func metrics() throws -> [String: Double] {
        let answer = try get("/metrics")
        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        return try Listening.values(answer.body)
    }

    static func values(_ text: String) throws -> [String: Double] {
        let told = try Lab.run(["promtool", "check", "metrics"], input: Data(text.utf8))
        #expect(told.isEmpty, "\(told)")
        var values: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let blank = line.lastIndex(of: " ") else { continue }
            values[String(line[..<blank])] = Double(line[line.index(after: blank)...])
        }
        return values
    }

    func vigil(_ command: String, _ arguments: String...) throws -> String {
        try Lab.run(
            [Vigil.binary.path] + command.split(separator: " ").map(String.init) + [
                "--config", lab.path("listen.yml"), "--store", lab.path(store),
            ] + arguments)
    }

    func eventCount() throws -> Int { try vigil("events", "--format", "jsonl").split(separator: "\n").count }
}

/// A client that says what it likes, and then nothing.
final class Hanging {
    private let file: Int32

    init(_ port: Int, _ text: String) throws {
        file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Lab.Problem(description: "no connection to \(port)") }
        send(file, text, text.utf8.count, Int32(MSG_NOSIGNAL))
    }

    deinit { close(file) }
}
