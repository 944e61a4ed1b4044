import Foundation

extension VictoriaLogs {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "victorialogs.py").path

    /// Ships records as Pigsty's Vector does.
    func ship(records files: [String]) throws {
        _ = try Lab.run(["python3", VictoriaLogs.script, "records", "\(port)"] + files)
    }

    /// A query and the moments at which it is run.
    struct Query: Codable {
        var query: String
        var times: [Double]
    }

    /// The labels of what each query gives at each of its times.
    func results(_ queries: [Query]) throws -> [[[[String: String]]]] {
        let answer = try Lab.run(
            ["python3", VictoriaLogs.script, "query", "\(port)"], input: try JSONEncoder().encode(queries))
        return try answer.split(separator: "\n").map {
            try JSONDecoder().decode([[[String: String]]].self, from: Data($0.utf8))
        }
    }

    /// Waits until that many rows of a job are found by their stream, which takes longest.
    func settle(_ job: String, rows count: Int) throws {
        let query = "{job=\"\(job)\"} | stats count() as rows | filter rows:>=\(count) | stats count() as all"
        try Lab.until("\(count) rows of \(job) are found", seconds: 120) {
            try rows(query).first?["all"] == "1"
        }
    }
}

/// A vmalert over a VictoriaLogs, and who takes its alerts.
struct Vmalert {
    static let binary = VictoriaLogs.folder.appending(path: "vmalert").path
    private let lab: Lab
    private let port: Int

    /// A rule as vmalert read it.
    struct Rule: Decodable {
        var name: String
        var query: String
        var labels: [String: String]
    }

    /// Starts it with a file of rules, looked at every two seconds.
    init(_ lab: Lab, rules: String, logs: VictoriaLogs) throws {
        self.lab = lab
        let ports = Port.free(2)
        let port = ports[0]
        self.port = port
        let quick = rules.replacing(#/interval: [0-9]+m/#, with: "interval: 2s")
            .replacing("eval_delay: 30s", with: "eval_delay: 1s")
        try lab.write(quick, to: "rules.yml")
        _ = try Receiver(lab, port: ports[1], name: "told").start()
        _ = try lab.start(
            [
                Vmalert.binary, "-rule=\(lab.path("rules.yml"))", "-datasource.url=\(logs.url)",
                "-notifier.url=http://127.0.0.1:\(ports[1])", "-httpListenAddr=127.0.0.1:\(port)",
            ], output: "vmalert.out", errors: "vmalert.log")
        try Lab.until("vmalert listens: " + lab.read("vmalert.log")) { Port.isOpen(port) }
    }

    private struct Groups: Decodable {
        struct Group: Decodable { var rules: [Rule], lastEvaluation: String }
        struct Data: Decodable { var groups: [Group] }
        var data: Data
    }

    private func groups() throws -> [Groups.Group] {
        let text = try Lab.run(["curl", "-sS", "--fail", "http://127.0.0.1:\(port)/api/v1/rules"])
        return try JSONDecoder().decode(Groups.self, from: Data(text.utf8)).data.groups
    }

    /// Its rules.
    func rules() throws -> [Rule] { try groups().flatMap(\.rules) }

    /// Waits until each group was looked at twice more: the first time may have begun before.
    func look() throws {
        for _ in 0..<2 {
            let before = try groups().map(\.lastEvaluation)
            try Lab.until("all rules were looked at: " + lab.read("vmalert.log").suffix(1000), seconds: 240) {
                zip(try groups().map(\.lastEvaluation), before).allSatisfy { $0 != $1 }
            }
        }
    }

    /// The labels of every alert that was told so far.
    func alerts() throws -> Set<[String: String]> {
        struct Request: Decodable {
            struct Alert: Decodable { var labels: [String: String] }
            var body: [Alert]
        }
        var found: Set<[String: String]> = []
        for line in lab.read("told.jsonl").split(separator: "\n") {
            found.formUnion(try JSONDecoder().decode(Request.self, from: Data(line.utf8)).body.map(\.labels))
        }
        return found
    }

    /// What it said of rules that could not be looked at.
    var complaints: String {
        lab.read("vmalert.log").split(separator: "\n").filter { $0.contains("\terror\t") || $0.contains("\twarn\t") }
            .joined(separator: "\n")
    }
}
