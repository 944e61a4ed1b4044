import Foundation
import Testing

/// Rules as `patterns export` writes them, in the engines that they are for.
@Suite("Lab: exported rules", .serialized)
struct ExportedRulesTests {
    private let lab: Lab
    private let vigil: Vigil

    init() throws {
        lab = try Lab()
        vigil = try Vigil(lab)
    }

    /// Two days of a server with eight attacks, in UTC; samples/README.md tells of them.
    private static let samples = ["postgresql-Mon.csv", "postgresql-Tue.csv"].map {
        VictoriaLogs.here.appending(path: "../../samples/\($0)").standardizedFileURL.path
    }
    private static let shapes = ["pgvigil", "pigsty"]

    private func export(_ target: String, _ fields: String, _ more: [String] = []) throws -> String {
        try Lab.run([Vigil.binary.path, "patterns", "export", "--target", target, "--fields", fields] + more)
    }

    private func exported(_ target: String, _ fields: String) throws -> Set<String> {
        let rows = try export(target, fields, ["--format", "jsonl"]).split(separator: "\n").map { try Row(String($0)) }
        return Set(rows.filter { $0["exported"] == "yes" }.map { $0["rule.id"] })
    }

    private func replay(_ files: [String], store: String) throws -> [Row] {
        _ = try Lab.run([Vigil.binary.path, "replay", "--store", lab.path(store)] + files)
        return try vigil.rows("alerts", store)
    }

    private func ship(_ fields: String, _ logs: VictoriaLogs, store: String, files: [String], shift: Double = 0) throws
        -> Int
    {
        let tenant = fields == "pgvigil" ? 1 : 2
        if fields == "pgvigil" {
            let events = try vigil.run("events", ["--format", "jsonl"], store: store)
            try logs.ship(events: events, tenant: tenant, shift: shift)
        } else {
            try logs.ship(records: files, tenant: tenant, shift: shift)
        }
        try logs.settle(tenant: tenant)
        return tenant
    }

    @Test("vmalert takes every exported rule, pySigma every document")
    func reading() throws {
        for fields in ExportedRulesTests.shapes {
            let name = "vmalert-\(fields).yml"
            try lab.write(try export("vmalert", fields), to: name)
            try Vmalert.check(lab.path(name))
            try lab.write(try export("sigma", fields), to: "sigma-\(fields).yml")
            let python = try VictoriaLogs.tool("sigma/bin/python")
            let reader = VictoriaLogs.here.appending(path: "read-sigma.py").path
            let counts = try JSONDecoder().decode(
                [String: Int].self, from: Data(try Lab.run([python, reader, lab.path("sigma-\(fields).yml")]).utf8))
            #expect(counts["rule"] ?? 0 >= (try exported("sigma", fields).count))
            #expect(counts["event_count"] ?? 0 > 0 && counts["value_count"] ?? 0 > 0)
            // One file a rule says the same.
            let folder = lab.path("sigma-\(fields)/")
            _ = try export("sigma", fields, ["--output", folder])
            let files = try FileManager.default.contentsOfDirectory(atPath: folder).map { folder + $0 }
            #expect(Set(files) == Set(try exported("sigma", fields).map { folder + $0 + ".yml" }))
            let alike = try JSONDecoder().decode(
                [String: Int].self, from: Data(try Lab.run([python, reader] + files).utf8))
            #expect(alike == counts)
        }
    }

    @Test(
        "at the moments of pgvigil's alerts the same rules fire about the same people, and in quiet hours none",
        arguments: shapes)
    func moments(fields: String) throws {
        let logs = try VictoriaLogs(lab, port: Port.free(1)[0])
        let alerts = try replay(ExportedRulesTests.samples, store: "samples.db")
        let tenant = try ship(fields, logs, store: "samples.db", files: ExportedRulesTests.samples)
        let vmalert = try Vmalert(
            lab, name: fields, rules: try export("vmalert", fields), logs: logs, tenant: tenant)
        let rules = try vmalert.rules()
        #expect(Set(rules.compactMap { $0.labels["rule"] }) == (try exported("vmalert", fields)))
        let moments = try Moments(alerts)
        let queries = rules.map { rule in
            VictoriaLogs.Query(
                query: rule.query, times: moments.ofAlerts(of: rule.labels["rule"] ?? "") + moments.quiet)
        }
        var found = 0
        for (rule, results) in zip(rules, try logs.results(queries, tenant: tenant)) {
            let own = alerts.filter { $0["rule.id"] == rule.labels["rule"] }
            for (alert, groups) in zip(own, results) {
                #expect(groups.contains { Moments.isAbout(alert, $0) }, "\(alert.text): \(groups)")
                found += 1
            }
            for groups in results.dropFirst(own.count) { #expect(groups.isEmpty, "\(rule.name)") }
        }
        // What the samples hold: most rules need the meaning of SQL, which columns do not tell.
        #expect(found == (fields == "pgvigil" ? 37 : 21), "\(found) alerts of \(alerts.count)")
    }

    @Test(
        "an attack of this minute sets off the alerts that pgvigil raises, and a quiet morning none", arguments: shapes)
    func live(fields: String) throws {
        let logs = try VictoriaLogs(lab, port: Port.free(1)[0])
        let morning = try slice(from: "06:00", to: "08:30", name: "morning.csv")
        let attack = try slice(from: "16:38", to: "16:47", name: "attack.csv")
        #expect(try replay([morning], store: "morning.db").isEmpty)
        let alerts = try replay([attack], store: "attack.db")
        // The morning ends, the attack begins: both are over now.
        var tenant = try ship(
            fields, logs, store: "morning.db", files: [morning], shift: try shift("2026-03-02T08:30:00Z"))
        let vmalert = try Vmalert(
            lab, name: fields, rules: try export("vmalert", fields), logs: logs, tenant: tenant)
        try vmalert.look()
        #expect(try vmalert.alerts().isEmpty)
        tenant = try ship(
            fields, logs, store: "attack.db", files: [attack], shift: try shift("2026-03-02T16:46:00Z"))
        let exported = try exported("vmalert", fields)
        let wanted = Set(alerts.map { $0["rule.id"] }).intersection(exported)
        #expect(wanted.count >= (fields == "pgvigil" ? 10 : 1), "\(wanted)")
        try Lab.until("all alerts came: \(wanted)", seconds: 240) {
            wanted.isSubset(of: try vmalert.alerts().compactMap { $0["rule"] })
        }
        try vmalert.look()
        let found = try vmalert.alerts()
        #expect(Set(found.compactMap { $0["rule"] }) == wanted)
        let guessing = try #require(found.first { $0["rule"] == "auth-bruteforce" })
        #expect(guessing["client"] == "203.0.113.7" && guessing["level"] == "1" && guessing["severity"] == "WARN")
        #expect(guessing["alertname"] == "PgvigilAuthBruteforce" && guessing["category"] == "pgsql")
        #expect(vmalert.complaints == "")
    }

    /// Guessing at PgBouncer, as its lines come through journald.
    @Test("failures at PgBouncer are counted once each, by who made them")
    func pooler() throws {
        let logs = try VictoriaLogs(lab, port: Port.free(1)[0])
        let start = "2026-03-02 09:3"
        var lines = ""
        for number in 0..<10 {
            let head = "\(start)\(number):00.598 UTC [17790]"
            let client = "C-0x55d0c\(number): (nodb)/x@198.51.100.1:9 pooler error: @203.0.113.7:4242"
            lines += "\(head) LOG C-0x55d0c\(number): (nodb)/(nouser)@203.0.113.7:4242 no such user: y@192.0.2.9:1 z\n"
            lines += "\(head) ERROR \(client) password authentication failed\n"
            lines += "\(head) WARNING \(client) pooler error: SASL authentication failed\n"
        }
        try lab.write(lines, to: "pgbouncer.log")
        try logs.ship(records: [lab.path("pgbouncer.log")], tenant: 2)
        try logs.settle(tenant: 2)
        let vmalert = try Vmalert(
            lab, name: "pooler", rules: try export("vmalert", "pigsty", ["--rule", "auth-bruteforce"]), logs: logs,
            tenant: 2)
        let query = try #require(try vmalert.rules().first).query
        func groups(_ time: String) throws -> [[String: String]] {
            let time = try Moments.seconds(time)
            return try logs.results([.init(query: query, times: [time])], tenant: 2)[0][0]
        }
        #expect(try groups("2026-03-02T09:38:30Z").isEmpty)
        #expect(try groups("2026-03-02T09:39:30Z").map { $0["client"] } == ["203.0.113.7"])
    }

    /// Some hours of the first day of the samples.
    private func slice(from: String, to: String, name: String) throws -> String {
        let text = try String(contentsOfFile: ExportedRulesTests.samples[0], encoding: .utf8)
        // Records may have several lines; each begins with its time.
        var records: [String] = []
        for line in text.split(separator: "\n") {
            if line.prefix(11) == "2026-03-02 " {
                records.append("\(line)\n")
            } else if !records.isEmpty {
                records[records.count - 1] += "\(line)\n"
            }
        }
        let wanted = records.filter { record in
            let time = record.dropFirst(11).prefix(5)
            return from <= time && time < to
        }
        try lab.write(wanted.joined(), to: name)
        return lab.path(name)
    }

    /// Seconds from a moment of the samples to a few seconds ago.
    private func shift(_ end: String) throws -> Double { Date().timeIntervalSince1970 - 5 - (try Moments.seconds(end)) }
}

/// Moments at which rules are looked at, by what pgvigil found.
private struct Moments {
    private let alerts: [Row]
    /// Minutes of the first morning, before the first alert.
    let quiet: [Double]

    init(_ alerts: [Row]) throws {
        self.alerts = alerts
        quiet = try ["2026-03-02T06:30:00Z", "2026-03-02T07:45:00Z", "2026-03-02T08:35:00Z"].map {
            try Moments.seconds($0)
        }
    }

    /// Just behind the event that made each fire.
    func ofAlerts(of rule: String) -> [Double] {
        alerts.filter { $0["rule.id"] == rule }.compactMap { try? Moments.seconds($0["@timestamp"]) + 0.002 }
    }

    static func seconds(_ text: String) throws -> Double {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
        return try style.parse(text).timeIntervalSince1970
    }

    /// Whether a group of a query's is whom an alert is about.
    static func isAbout(_ alert: Row, _ group: [String: String]) -> Bool {
        if let client = group["client"], !client.isEmpty, !alert["source.ip"].isEmpty {
            // IPv6 is grouped by its beginning.
            let start = client.hasSuffix("/64") ? String(client.dropLast(4)) : client
            guard client.hasSuffix("/64") ? alert["source.ip"].hasPrefix(start) : alert["source.ip"] == client else {
                return false
            }
        }
        guard let user = group["user"], !user.isEmpty, !alert["user.name"].isEmpty else { return true }
        return user == alert["user.name"]
    }
}
