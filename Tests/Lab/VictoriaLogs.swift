import Foundation

/// A VictoriaLogs that was built by `get-victorialogs.sh`; gone with the test.
final class VictoriaLogs {
    static let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    /// Where the test command puts what it built.
    static let tools = here.appending(path: "../../.build/victorialogs").standardizedFileURL

    let port: Int
    private let server: Child

    init(_ lab: Lab, port: Int) throws {
        self.port = port
        let binary = try VictoriaLogs.tool("victoria-logs")
        server = try Child(
            [
                binary, "-storageDataPath=\(lab.path("victorialogs"))", "-retentionPeriod=100y",
                "-httpListenAddr=127.0.0.1:\(port)", "-memory.allowedPercent=10",
            ], signal: "TERM", output: lab.path("victorialogs.log"), errors: nil, folder: lab.folder)
        try Lab.until("VictoriaLogs listens", seconds: 180) { Port.isOpen(port) }
    }

    deinit { server.stop() }

    static func tool(_ name: String) throws -> String {
        let path = tools.appending(path: name).path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Lab.Problem(
                description: "\(path) is missing; Tests/Lab/get-victorialogs.sh .build/victorialogs makes it")
        }
        return path
    }

    private func run(_ what: String, _ arguments: [String], input: String = "") throws -> String {
        try Lab.run(
            ["python3", VictoriaLogs.here.appending(path: "victorialogs.py").path, what, "\(port)"] + arguments,
            input: Data(input.utf8))
    }

    /// Ships events as pgvigil does, that many seconds later than they were.
    func ship(events: String, tenant: Int, shift: Double = 0) throws {
        _ = try run("events", ["\(tenant)", "\(shift)"], input: events)
    }

    /// Ships records as Pigsty does.
    func ship(records files: [String], tenant: Int, shift: Double = 0) throws {
        _ = try run("records", ["\(tenant)", "\(shift)"] + files)
    }

    /// A query and the moments at which it is run.
    struct Query: Codable {
        var query: String
        var times: [Double]
    }

    /// The labels of what each query gives at each of its times.
    func results(_ queries: [Query], tenant: Int) throws -> [[[[String: String]]]] {
        let input = String(decoding: try JSONEncoder().encode(queries), as: UTF8.self)
        return try run("query", ["\(tenant)"], input: input).split(separator: "\n").map {
            try JSONDecoder().decode([[[String: String]]].self, from: Data($0.utf8))
        }
    }

    /// Waits until new rows are found by everything that is asked.
    func settle(tenant: Int) throws {
        let all = #"{job=~".+"} | stats count() as rows | filter rows:>0"#
        try Lab.until("rows are found", seconds: 120) {
            try results([Query(query: all, times: [Date().timeIntervalSince1970])], tenant: tenant)[0][0].isEmpty
                == false
        }
    }
}

/// A vmalert over a VictoriaLogs, and who takes its alerts.
final class Vmalert {
    private let lab: Lab
    private let name: String
    private let port: Int
    private let children: [Child]

    /// A rule as vmalert read it.
    struct Rule: Decodable {
        var name: String
        var query: String
        var labels: [String: String]
    }

    /// Starts it with a file of rules, looked at every second or two.
    init(_ lab: Lab, name: String, rules: String, logs: VictoriaLogs, tenant: Int) throws {
        (self.lab, self.name) = (lab, name)
        let ports = Port.free(2)
        port = ports[0]
        let quick = rules.replacing(#/interval: [0-9]+m/#, with: "interval: 2s")
            .replacing("eval_delay: 30s", with: "eval_delay: 1s\n    headers: [\"AccountID: \(tenant)\"]")
        try lab.write(quick, to: "\(name).yml")
        let receiver = VictoriaLogs.here.appending(path: "alert-receiver.py").path
        let taking = try Child(
            ["python3", receiver, "\(ports[1])"], signal: "TERM", output: lab.path("\(name).alerts"), errors: nil,
            folder: lab.folder)
        try Lab.until("the receiver listens", seconds: 120) { Port.isOpen(ports[1]) }
        let alerting = try Child(
            [
                try VictoriaLogs.tool("vmalert"), "-rule=\(lab.path("\(name).yml"))",
                "-datasource.url=http://127.0.0.1:\(logs.port)", "-notifier.url=http://127.0.0.1:\(ports[1])",
                "-httpListenAddr=127.0.0.1:\(ports[0])",
            ], signal: "TERM", output: lab.path("\(name).log"), errors: nil, folder: lab.folder)
        children = [alerting, taking]
        let port = port
        try Lab.until("vmalert listens: \(lab.read("\(name).log.errors").suffix(2000))", seconds: 120) {
            Port.isOpen(port)
        }
    }

    deinit { for child in children { child.stop() } }

    /// Whether the file can be loaded; throws with what vmalert says.
    static func check(_ file: String) throws {
        _ = try Lab.run([try VictoriaLogs.tool("vmalert"), "-dryRun", "-rule=\(file)"])
    }

    private struct Groups: Decodable {
        struct Group: Decodable { var rules: [Rule], lastEvaluation: String }
        struct Data: Decodable { var groups: [Group] }
        var data: Data
    }

    private static let fetch =
        "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"

    private func groups() throws -> [Groups.Group] {
        let text = try Lab.run(
            ["python3", "-c", Vmalert.fetch, "http://127.0.0.1:\(port)/api/v1/rules"])
        return try JSONDecoder().decode(Groups.self, from: Data(text.utf8)).data.groups
    }

    /// Its rules.
    func rules() throws -> [Rule] { try groups().flatMap(\.rules) }

    /// Waits until each group was looked at again, twice.
    func look() throws {
        for _ in 0..<2 {
            let before = try groups().map(\.lastEvaluation)
            try Lab.until("all rules were looked at", seconds: 240) {
                zip(try groups().map(\.lastEvaluation), before).allSatisfy { $0 != $1 }
            }
        }
    }

    /// The labels of every alert that came so far.
    func alerts() throws -> Set<[String: String]> {
        struct Alert: Decodable { var labels: [String: String] }
        var found: Set<[String: String]> = []
        for line in lab.read("\(name).alerts").split(separator: "\n") {
            found.formUnion(try JSONDecoder().decode([Alert].self, from: Data(line.utf8)).map(\.labels))
        }
        return found
    }

    /// What it said of rules that could not be looked at.
    var complaints: String {
        lab.read("\(name).log.errors").split(separator: "\n").filter { $0.contains("error\t") || $0.contains("warn\t") }
            .joined(separator: "\n")
    }
}
