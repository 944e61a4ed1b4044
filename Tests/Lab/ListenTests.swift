import Foundation
import Synchronization
import Testing

@Suite("Lab: watch answers those who ask")
struct ListenTests {
    private let lab: Lab
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../..").standardizedFileURL

    init() throws { lab = try Lab() }

    /// Rows of the packaged samples, in portions that end between records.
    private func portions(_ count: Int) throws -> [Data] {
        let text = try String(
            contentsOf: ListenTests.root.appending(path: "samples/postgresql-Mon.csv"), encoding: .utf8)
        // A record begins with its time; a statement may span lines.
        let starts = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var records: [String] = []
        for line in starts where !line.isEmpty {
            if line.hasPrefix("2026-") || records.isEmpty {
                records.append(line)
            } else {
                records[records.count - 1] += "\n" + line
            }
        }
        let size = records.count / count + 1
        return stride(from: 0, to: records.count, by: size).map { start in
            Data(records[start..<min(start + size, records.count)].map { $0 + "\n" }.joined().utf8)
        }
    }

    private func append(_ bytes: Data, to name: String) throws {
        let path = lab.path(name)
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: bytes)
        try file.close()
    }

    /// Waits until the events of a log are stored that a replay finds in it.
    private func store(_ watch: Listening, _ name: String) throws {
        let replayed = lab.path("\(UUID().uuidString).db")
        _ = try Lab.run([
            Vigil.binary.path, "replay", "--config", lab.path("listen.yml"), "--store", replayed, lab.path(name),
        ])
        let wanted = try Lab.run([
            Vigil.binary.path, "events", "--config", lab.path("listen.yml"), "--store", replayed, "--format", "jsonl",
        ]).split(separator: "\n").count
        #expect(wanted > 20)
        try Lab.until("\(wanted) events of \(name), not \((try? watch.eventCount()) ?? -1)", seconds: 30) {
            try watch.eventCount() == wanted
        }
    }

    @Test("metrics stand before promtool while logs grow under hostile names, and counters only grow")
    func growing() throws {
        let folder = "he\"llo \\ wor\nld {x=\"1\"} é"
        try lab.makeFolder(folder)
        // As a file, not as a label: names of files may be anybody's.
        try append(Data("no log\n".utf8), to: folder + "/evil\"} 1\npgvigil_up 7\n.csv")
        let watch = try Listening(lab, paths: [lab.path(folder)])
        try watch.waitUntilReady()
        var before: [String: Double] = [:]
        for portion in try portions(6) {
            try append(portion, to: folder + "/postgresql-Mon.csv")
            Thread.sleep(forTimeInterval: 0.4)
            let now = try watch.metrics()
            for (series, value) in before where series.contains("_total") || series.contains("_bucket") {
                #expect(now[series] ?? -1 >= value, "\(series)")
            }
            before = now
            let open = try watch.get("/metrics", "-H", "Accept: application/openmetrics-text")
            #expect(open.headers["content-type"]?.hasPrefix("application/openmetrics-text") == true)
            #expect(open.body.hasSuffix("# EOF\n"))
        }
        try store(watch, folder + "/postgresql-Mon.csv")
        let last = try watch.metrics()
        #expect(
            last.filter { $0.key.hasPrefix("pgvigil_events_total") }.values.reduce(0, +)
                == Double(try watch.eventCount()))
        let label =
            "source=\"\(lab.path(folder).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n"))\""
        let size = Double(lab.size(folder + "/postgresql-Mon.csv"))
        #expect(last["pgvigil_source_bytes_total{\(label)}"] ?? 0 >= size)
        #expect(last["pgvigil_source_lag_seconds{\(label)}"] == 0)
        #expect(last["pgvigil_up"] == 1)
        #expect(last["pgvigil_alerts_total{rule=\"auth-bruteforce\",severity=\"high\"}"] ?? 0 > 0)
        #expect(last["pgvigil_alerts_total{rule=\"server-crash\",severity=\"high\"}"] ?? 0 == 0)
        // Nobody who attacked is in a label.
        #expect(!last.keys.contains { $0.contains("203.0.113") || $0.contains("report_ro") })
        #expect(watch.stop() == 0)
    }

    @Test("metrics stand before promtool during a run over the corpus, and say what was stored")
    func corpus() throws {
        try lab.makeFolder("corpus")
        for name in ["pg17-audit", "pgbouncer", "patroni4-pg17"] {
            let archive = ListenTests.root.appending(path: "Tests/Corpus/\(name).tar.xz").path
            _ = try Lab.run(["tar", "-xJf", archive, "-C", lab.path("corpus")])
        }
        let watch = try Listening(lab, paths: [lab.path("corpus")])
        try watch.waitUntilReady()
        var last = try watch.metrics()
        var quiet = 0
        try Lab.until("the corpus is read", seconds: 120) {
            let now = try watch.metrics()
            let isSame = now["pgvigil_store_commits_total"] == last["pgvigil_store_commits_total"]
            quiet = isSame && now["pgvigil_store_commits_total"] ?? 0 > 0 ? quiet + 1 : 0
            last = now
            return quiet > 40
        }
        let events = last.filter { $0.key.hasPrefix("pgvigil_events_total") }.values.reduce(0, +)
        #expect(events == Double(try watch.eventCount()))
        let alerts = last.filter { $0.key.hasPrefix("pgvigil_alerts_total") }.values.reduce(0, +)
        #expect(alerts == Double(try watch.vigil("alerts", "--format", "jsonl").split(separator: "\n").count))
    }

    @Test("reading goes on while clients hang, flood and read slowly")
    func hanging() throws {
        try lab.makeFolder("logs")
        let portions = try portions(2)
        let watch = try Listening(lab, paths: [lab.path("logs")])
        try watch.waitUntilReady()
        // Nothing, half a head, a question whose answer is never read.
        let words = ["", "GET /metr", "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"]
        let hanging = (0..<150).compactMap { try? Hanging(watch.port, words[$0 % 3]) }
        #expect(hanging.count > 100)
        try append(portions[0], to: "logs/a.csv")
        try store(watch, "logs/a.csv")
        let good = Mutex(0)
        let port = watch.port
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for path in ["/metrics", "/healthz", "/blocklist/json", "/metrics"] {
                if (try? Listening.get(path, port: port))?.status == 200 { good.withLock { $0 += 1 } }
            }
        }
        #expect(good.withLock { $0 } == 32)
        try append(portions[1], to: "logs/a.csv")
        try store(watch, "logs/a.csv")
        let now = try watch.metrics()
        // Descriptors stay bounded whatever comes.
        #expect(now["process_open_fds"] ?? 1000 < 200)
        withExtendedLifetime(hanging) {}
        #expect(watch.stop() == 0)
    }

    @Test("the store may lie in a folder that is followed: others read it meanwhile, and see what is new")
    func storeAmongLogs() throws {
        let portions = try portions(2)
        let watch = try Listening(lab, paths: [lab.folder.path])
        try watch.waitUntilReady(path: "/readyz")
        for portion in portions {
            try append(portion, to: "a.csv")
            try store(watch, "a.csv")
            #expect(try watch.get("/blocklist/json").status == 200)
        }
        #expect(watch.stop() == 0)
    }

    @Test("a token is asked for by all but health; too large a head, and what is not there, are refused")
    func token() throws {
        try lab.makeFolder("logs")
        try lab.write("t0p-s3cret-token\n", to: "token")
        let port = Port.free(1)[0]
        let watch = try Listening(
            lab, configuration: "listen: {address: 127.0.0.1:\(port), token_file: \(lab.path("token"))}",
            paths: [lab.path("logs")], port: port, arguments: ["--metrics-file", lab.path("pgvigil.prom")])
        try watch.waitUntilReady()
        for path in ["/metrics", "/blocklist/plain", "/nothing"] {
            #expect(try watch.get(path).status == 401)
            #expect(try watch.get(path, "-H", "Authorization: Bearer wrong").status == 401)
            #expect(try watch.get(path, "-H", "Authorization: Basic dDBwLXMzY3JldC10b2tlbg==").status == 401)
        }
        let right = try watch.get("/metrics", "-H", "Authorization: Bearer t0p-s3cret-token")
        #expect(right.status == 200)
        #expect(try watch.get("/nothing", "-H", "Authorization: Bearer t0p-s3cret-token").status == 404)
        #expect(!(try watch.get("/readyz")).body.contains("reason"))
        let large = String(repeating: "x", count: 60_000)
        #expect(try watch.get("/healthz", "-H", "X: \(large)").status == 431)
        // Another token holds at once, for connections that are open, too.
        try lab.write("an0ther-token\n", to: "token")
        try watch.hangUp()
        try Lab.until("the new token holds") {
            try watch.get("/metrics", "-H", "Authorization: Bearer an0ther-token").status == 200
        }
        #expect(try watch.get("/metrics", "-H", "Authorization: Bearer t0p-s3cret-token").status == 401)
        try Lab.until("the file of metrics is there") { lab.size("pgvigil.prom") > 0 }
        let file = try Listening.values(lab.read("pgvigil.prom"))
        #expect(file["pgvigil_up"] == 1)
        for text in [watch.talk, lab.read("pgvigil.prom"), right.body] {
            #expect(!text.contains("t0p-s3cret") && !text.contains("an0ther-token"))
        }
    }

    @Test("block lists are what the command prints, known by their tag; SIGHUP makes observed bans enforced ones")
    func blockLists() throws {
        try lab.makeFolder("logs")
        let watch = try Listening(lab, paths: [lab.path("logs")])
        try watch.waitUntilReady(path: "/readyz")
        _ = try watch.vigil("ban", "203.0.113.66", "--for", "4h", "--reason", "test")
        _ = try watch.vigil("ban", "2001:db8:1::7", "--for", "4h", "--reason", "test")
        try Lab.until("the ban shows") { try watch.get("/blocklist/plain?mode=observe").body.contains("203.0.113.66") }
        let observed = try watch.get("/blocklist/plain")
        #expect(observed.status == 200 && observed.body.isEmpty)
        #expect(observed.headers["pgvigil-mode"] == "observe")
        try lab.write("topology: {detect: false}\nbans: {mode: enforce}\n", to: "listen.yml")
        try watch.hangUp()
        try Lab.until("it enforces") { try watch.get("/blocklist/plain").headers["pgvigil-mode"] == "enforce" }
        for format in [
            "plain", "plain4", "plain6", "fail2ban", "firewalld4", "firewalld6", "pg_hba", "haproxy", "json",
        ] {
            let printed = try watch.vigil("blocklist", "--format", format)
            let answer = try watch.get("/blocklist/\(format)")
            // fail2ban's lines tell which process wrote them when.
            if format != "fail2ban" { #expect(answer.body == printed, "\(format)") }
            #expect(!answer.body.isEmpty)
            let tag = try #require(answer.headers["etag"])
            if format != "fail2ban" {
                #expect(try watch.get("/blocklist/\(format)", "-H", "If-None-Match: \(tag)").status == 304)
            }
            let head = try watch.get("/blocklist/\(format)", "-I")
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(head.headers["content-length"] == "\(answer.body.utf8.count)" || format == "fail2ban")
        }
        for format in ["nft", "ipset", "crowdsec"] {
            #expect(try watch.get("/blocklist/\(format)").body.contains("203.0.113.66"))
        }
        let tag = try #require(try watch.get("/blocklist/plain").headers["etag"])
        _ = try watch.vigil("bans pause", "--reason", "test")
        try Lab.until(
            "the pause shows; \(String(describing: try? watch.get("/blocklist/plain"))) \(watch.talk.suffix(600))"
        ) {
            try watch.get("/blocklist/plain").body.isEmpty
        }
        #expect(try watch.get("/blocklist/plain", "-H", "If-None-Match: \(tag)").status == 200)
        #expect(try watch.metrics()["pgvigil_blocks_paused"] == 1)
        #expect(try watch.metrics()["pgvigil_blocks_enforced"] == 1)
    }

    @Test("a port in use ends it at the start; SIGHUP moves the port, and a wrong configuration leaves all as it was")
    func reload() throws {
        try lab.makeFolder("logs")
        let ports = Port.free(2)
        let watch = try Listening(
            lab, configuration: "listen: \(ports[0])", paths: [lab.path("logs")], port: ports[0],
            arguments: ["--metrics-file", lab.path("pgvigil.prom")])
        try watch.waitUntilReady()
        let other = Process()
        other.executableURL = Vigil.binary
        other.arguments = [
            "watch", "--store", lab.path("other.db"), "--config", lab.path("listen.yml"), lab.path("logs"),
        ]
        let errors = Pipe()
        other.standardError = errors
        try other.run()
        let told = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        other.waitUntilExit()
        #expect(other.terminationStatus == 1)
        #expect(told.contains("cannot listen on 127.0.0.1:\(ports[0])") && told.contains("hint:"), "\(told)")
        try lab.write("listen: nowhere\n", to: "listen.yml")
        try watch.hangUp()
        try Lab.until("the failure shows") { try watch.metrics()["pgvigil_config_last_reload_successful"] == 0 }
        #expect(try watch.metrics()["pgvigil_config_reload_failures_total"] == 1)
        try lab.write("listen: \(ports[1])\n", to: "listen.yml")
        try watch.hangUp()
        try Lab.until("it moved") { (try? watch.get("/healthz", port: ports[1]))?.status == 200 }
        try Lab.until("the old port is closed") { !Port.isOpen(ports[0]) }
        let moved = try watch.get("/metrics", port: ports[1])
        let values = try Listening.values(moved.body)
        #expect(values["pgvigil_config_last_reload_successful"] == 1)
        #expect(values["pgvigil_config_reload_failures_total"] == 1)
        #expect(watch.stop() == 0)
    }

    @Test("promtool takes the packaged rules, and each fires when it must") func rules() throws {
        let rules = ListenTests.root.appending(path: "packaging/prometheus/pgvigil.yml").path
        #expect(try Lab.run(["promtool", "check", "rules", rules]).contains("SUCCESS"))
        let test = try String(
            contentsOf: ListenTests.root.appending(path: "Tests/Lab/pgvigil-rules.yml"), encoding: .utf8)
        try lab.write(test.replacing("RULES", with: rules), to: "rules.yml")
        #expect(try Lab.run(["promtool", "test", "rules", lab.path("rules.yml")]).contains("SUCCESS"))
    }

    @Test("promtool can read every expression of the dashboard") func dashboard() throws {
        let bytes = try Data(contentsOf: ListenTests.root.appending(path: "packaging/grafana/pgvigil.json"))
        let board = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        let targets = (board["panels"] as? [[String: Any]] ?? []).flatMap { $0["targets"] as? [[String: Any]] ?? [] }
        let expressions = targets.filter { ($0["datasource"] as? [String: Any])?["uid"] as? String == "ds-prometheus" }
            .compactMap { $0["expr"] as? String }
        #expect(expressions.count > 30)
        var rules = "groups:\n  - name: dashboard\n    rules:\n"
        for (index, expression) in expressions.enumerated() {
            let filled = expression.replacing("$__rate_interval", with: "5m").replacing("$__range", with: "1h")
                .replacing("$cls", with: ".*").replacing("$ins", with: ".*")
            rules += "      - record: panel:number_\(index)\n        expr: |\n          \(filled)\n"
        }
        try lab.write(rules, to: "dashboard.yml")
        let told = try Lab.run(["promtool", "check", "rules", lab.path("dashboard.yml")])
        #expect(told.contains("SUCCESS: \(expressions.count) rules found"), "\(told)")
    }
}
