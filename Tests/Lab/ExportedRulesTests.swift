import Foundation
import Testing

/// Rules as `patterns export` writes them, in the engines that they are for.
@Suite("Lab: exported rules", .serialized)
struct ExportedRulesTests {
    private let lab: Lab
    private let logs: VictoriaLogs

    init() throws {
        lab = try Lab()
        logs = VictoriaLogs(lab, port: Port.free(1)[0])
        try lab.write("sinks: {victorialogs: {url: '\(logs.url)'}}\n", to: "pgvigil.yml")
    }

    private static let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    /// Two days of a server with eight attacks, in UTC; samples/README.md tells of them.
    private static let samples = ["postgresql-Mon.csv", "postgresql-Tue.csv"].map {
        here.appending(path: "../../samples/\($0)").standardizedFileURL.path
    }
    /// Events as pgvigil sends them, records as Pigsty does.
    private static let shapes = ["pgvigil", "pigsty"]

    private func pgvigil(_ arguments: [String]) throws -> String { try Lab.run([Vigil.binary.path] + arguments) }

    private func export(_ target: String, _ fields: String, _ more: [String] = []) throws -> String {
        try pgvigil(["patterns", "export", "--target", target, "--fields", fields] + more)
    }

    private func exported(_ target: String, _ fields: String) throws -> Set<String> {
        let lines = try export(target, fields, ["--format", "jsonl"]).split(separator: "\n")
        let rows = try lines.map { try Row(String($0)) }
        return Set(rows.filter { $0["exported"] == "yes" }.map { $0["rule.id"] })
    }

    /// Reads logs, has their rows sent, and gives what pgvigil itself alerts of.
    private func alerts(_ files: [String], store: String, fields: String) throws -> [Row] {
        let store = ["--store", lab.path(store), "--config", lab.path("pgvigil.yml")]
        let sent = fields == "pgvigil"
        _ = try pgvigil(["replay"] + store + (sent ? ["--deliver"] : []) + files)
        let events = try pgvigil(["events"] + store + ["--format", "jsonl"]).split(separator: "\n")
        if sent {
            try logs.settle("pgvigil", rows: events.count)
        } else {
            try logs.ship(records: files)
            try logs.settle("postgres", rows: events.count)
        }
        return try pgvigil(["alerts"] + store + ["--format", "jsonl"]).split(separator: "\n").map {
            try Row(String($0))
        }
    }

    @Test("vmalert takes every exported rule, pySigma every document")
    func reading() throws {
        let python = ExportedRulesTests.here.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: ".build/sigma/bin/python").path
        let reader = ExportedRulesTests.here.appending(path: "read-sigma.py").path
        func read(_ files: [String]) throws -> [String: Int] {
            try JSONDecoder().decode([String: Int].self, from: Data(try Lab.run([python, reader] + files).utf8))
        }
        for fields in ExportedRulesTests.shapes {
            try lab.write(try export("vmalert", fields), to: "vmalert.yml")
            _ = try Lab.run([Vmalert.binary, "-dryRun", "-rule=\(lab.path("vmalert.yml"))"])
            try lab.write(try export("sigma", fields), to: "sigma.yml")
            let counts = try read([lab.path("sigma.yml")])
            let ids = try exported("sigma", fields)
            #expect(counts["rule"] ?? 0 >= ids.count)
            #expect(counts["event_count"] ?? 0 > 0 && counts["value_count"] ?? 0 > 0)
            // One file a rule says the same.
            let folder = lab.path("sigma-\(fields)") + "/"
            _ = try export("sigma", fields, ["--output", folder])
            let files = try FileManager.default.contentsOfDirectory(atPath: folder).map { folder + $0 }
            #expect(Set(files) == Set(ids.map { folder + $0 + ".yml" }))
            #expect(try read(files) == counts)
        }
    }

    @Test(
        "when pgvigil alerts, the same rule fires about the same people, and in quiet hours none does",
        arguments: shapes)
    func moments(fields: String) throws {
        _ = try logs.start()
        let alerts = try alerts(ExportedRulesTests.samples, store: "samples.db", fields: fields)
        let rules = try Vmalert(lab, rules: try export("vmalert", fields), logs: logs).rules()
        #expect(Set(rules.compactMap { $0.labels["rule"] }) == (try exported("vmalert", fields)))
        // Before the first alert.
        let quiet = try ["06:30", "07:45", "08:35"].map { try seconds("2026-03-02T\($0):00Z") }
        let own = rules.map { rule in alerts.filter { $0["rule.id"] == rule.labels["rule"] } }
        let queries = try zip(rules, own).map { rule, own in
            // Just behind the event that fired.
            VictoriaLogs.Query(query: rule.query, times: try own.map { try seconds($0["@timestamp"]) + 0.002 } + quiet)
        }
        for ((rule, own), results) in zip(zip(rules, own), try logs.results(queries)) {
            for (alert, groups) in zip(own, results) {
                #expect(groups.contains { isAbout(alert, $0) }, "\(alert.text): \(groups)")
            }
            for groups in results.dropFirst(own.count) { #expect(groups.isEmpty, "\(rule.name)") }
        }
        // Most rules need the meaning of SQL, which columns do not tell.
        #expect(alerts.count == 40)
        #expect(own.reduce(0) { $0 + $1.count } == (fields == "pgvigil" ? 36 : 20))
    }

    @Test("an attack of this minute sets off the alerts that pgvigil raises, a quiet morning none", arguments: shapes)
    func live(fields: String) throws {
        _ = try logs.start()
        let morning = try slice(from: "06:00", to: "08:30", name: "morning.csv")
        #expect(try alerts([morning], store: "morning.db", fields: fields).isEmpty)
        let vmalert = try Vmalert(lab, rules: try export("vmalert", fields), logs: logs)
        try vmalert.look()
        #expect(try vmalert.alerts().isEmpty)
        let attack = try slice(from: "16:38", to: "16:47", name: "attack.csv")
        let alerts = try alerts([attack], store: "attack.db", fields: fields)
        let wanted = Set(alerts.map { $0["rule.id"] }).intersection(try exported("vmalert", fields))
        #expect(wanted.count >= (fields == "pgvigil" ? 10 : 1), "\(wanted)")
        try Lab.until("all are told: \(wanted.sorted())", seconds: 240) {
            wanted.isSubset(of: try vmalert.alerts().compactMap { $0["rule"] })
        }
        try vmalert.look()
        let told = try vmalert.alerts()
        #expect(Set(told.compactMap { $0["rule"] }) == wanted)
        let guessing = try #require(told.first { $0["rule"] == "auth-bruteforce" })
        let labels = ["alertname", "source", "level", "severity", "category", "job"].map { guessing[$0] }
        #expect(labels == ["PgAuthBruteforce", "203.0.113.7", "1", "WARN", "pgsql", "pgvigil"])
        #expect(vmalert.complaints == "")
    }

    @Test("a failure at PgBouncer counts once, for who made it, whatever names stand in the line")
    func pooler() throws {
        _ = try logs.start()
        var lines = ""
        for number in 0..<10 {
            let head = "2026-03-02 09:3\(number):00.598 UTC [17790]"
            let client = "C-0x55d0c\(number): (nodb)/x@198.51.100.1:9 pooler error: @203.0.113.7:4242"
            lines += "\(head) LOG C-0x55d0c\(number): (nodb)/(nouser)@203.0.113.7:4242 no such user: y@192.0.2.9:1 z\n"
            lines += "\(head) ERROR \(client) password authentication failed\n"
            lines += "\(head) WARNING \(client) pooler error: SASL authentication failed\n"
        }
        try lab.write(lines, to: "pgbouncer.log")
        try logs.ship(records: [lab.path("pgbouncer.log")])
        try logs.settle("syslog", rows: 30)
        let rules = try export("vmalert", "pigsty", ["--rule", "auth-bruteforce"])
        let query = try #require(try Vmalert(lab, rules: rules, logs: logs).rules().first).query
        let times = try ["08:30", "09:38:30", "09:39:30"].map { text in
            try seconds("2026-03-02T\(text.count == 5 ? text + ":00" : text)Z")
        }
        let found = try logs.results([.init(query: query, times: times)])[0]
        #expect(found.map { $0.compactMap { $0["source"] } } == [[], [], ["203.0.113.7"]])
    }

    /// Some hours of the first day of the samples, moved so that they end now.
    private func slice(from: String, to: String, name: String) throws -> String {
        let text = try String(contentsOfFile: ExportedRulesTests.samples[0], encoding: .utf8)
        let shift = Date().timeIntervalSince1970 - 3 - (try seconds("2026-03-02T\(to):00Z"))
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        var lines: [Substring] = []
        var isMeant = false
        // A record may have several lines.
        for line in text.split(separator: "\n") {
            guard line.hasPrefix("2026-03-02 ") else {
                if isMeant { lines.append(line) }
                continue
            }
            let time = line.dropFirst(11).prefix(12)
            isMeant = from <= time.prefix(5) && time.prefix(5) < to
            guard isMeant else { continue }
            let moved = Date(timeIntervalSince1970: try seconds("2026-03-02T\(time)Z") + shift).formatted(style)
            lines.append(moved.replacing("T", with: " ").replacing("Z", with: "") + line.dropFirst(23))
        }
        try lab.write(lines.joined(separator: "\n") + "\n", to: name)
        return lab.path(name)
    }

    private func seconds(_ text: String) throws -> Double {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
        return try style.parse(text).timeIntervalSince1970
    }

    /// Whether a group of a query's is whom an alert is about.
    private func isAbout(_ alert: Row, _ group: [String: String]) -> Bool {
        func agrees(_ label: String, _ key: String) -> Bool {
            guard let value = group[label], !value.isEmpty, !alert[key].isEmpty else { return true }
            // IPv6 is grouped by the beginning of its text.
            return value.hasSuffix("/64") ? alert[key].hasPrefix(value.dropLast(4)) : alert[key] == value
        }
        return agrees("source", "source.ip") && agrees("user", "user.name")
    }
}
