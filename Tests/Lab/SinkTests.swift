import Foundation
import Testing

@Suite("Lab: alerts and events reach real servers")
struct SinkTests {
    private let lab: Lab

    init() throws { lab = try Lab() }

    private func configure(_ sinks: String) throws {
        try lab.write(
            """
            topology: {detect: false}
            sources: [{path: \(lab.path("logs")), cluster: pg-test, instance: pg-test-1}]
            sinks:
            \(sinks.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))

            """, to: "pgvigil.yml")
        try lab.makeFolder("logs")
    }

    private func vigil(_ words: [String], fails: Bool = false) throws -> String {
        let line = [Vigil.binary.path, words[0], "--config", lab.path("pgvigil.yml"), "--store", lab.path("a.db")]
        let shell = ["sh", "-c", "\"$0\" \"$@\" 2>&1; echo \"code $?\""]
        let text = try Lab.run(shell + line + words.dropFirst())
        if text.hasSuffix("code 0\n") == fails { throw Lab.Problem(description: "\(words): \(text)") }
        return text
    }

    private func watch() throws -> Child {
        try Child(
            [Vigil.binary.path, "watch", "--config", lab.path("pgvigil.yml"), "--store", lab.path("a.db")],
            signal: "TERM", output: lab.path("watch.out"), errors: lab.path("watch.talk"), folder: lab.folder)
    }

    private func rows(_ what: String) throws -> [Row] {
        // `watch` may not have made it yet.
        guard lab.size("a.db") > 0 else { return [] }
        return try Lab.run([
            Vigil.binary.path, what, "--config", lab.path("pgvigil.yml"), "--store", lab.path("a.db"), "--format",
            "jsonl",
        ]).split(separator: "\n").map { try Row(String($0)) }
    }

    /// Failed logins of now, one a row.
    private func attack(_ address: String, _ count: Int, user: String = "app", from line: Int) throws {
        let style = Date.ISO8601FormatStyle(dateTimeSeparator: .space, includingFractionalSeconds: true)
        let start = String(Int(Date.now.timeIntervalSince1970), radix: 16)
        func quoted(_ text: String) -> String { "\"" + text.replacing("\"", with: "\"\"") + "\"" }
        var text = ""
        for number in line..<line + count {
            // Two in a tenth of a second would be one with two attempts.
            let age = Double(line + count - number) * 0.2
            let time = Date(timeIntervalSinceNow: -age).formatted(style).replacing("Z", with: " UTC")
            let session = "\(start).\(String(number, radix: 16))"
            text += [
                time, quoted(user), quoted("shop"), "\(number)", quoted("\(address):\(40_000 + number)"), session, "2",
                quoted("authentication"), "\(time.prefix(19)) UTC", "3/1", "0", "FATAL", "28P01",
                quoted("password authentication failed for user \"\(user)\""), "", "", "", "", "", "", "", "", "",
                quoted("client backend"), "", "0\n",
            ].joined(separator: ",")
        }
        let path = lab.path("logs/postgresql.csv")
        if !FileManager.default.fileExists(atPath: path) { try lab.write("", to: "logs/postgresql.csv") }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    @Test("Alertmanager: fires once, is told again after a restart, resolves, and hears that we live")
    func alertmanager() throws {
        let ports = Port.free(3)
        let receiver = Receiver(lab, port: ports[1])
        _ = try receiver.start()
        let alertmanager = try Alertmanager(lab, port: ports[0], receiver: ports[1])
        try configure(
            "alertmanager: {urls: ['\(alertmanager.url)', 'http://127.0.0.1:\(ports[2])'], hold: 20s, resend: 1s}")
        let first = try alertmanager.start()
        let watch = try watch()
        defer { watch.stop() }
        try attack("203.0.113.7", 12, from: 1)
        func talk() -> String { lab.read("watch.talk") }
        func isThere() throws -> Bool {
            try alertmanager.alerts().contains { $0.labels["rule"] == "auth-bruteforce" }
        }
        try Lab.until("an alert: " + talk(), seconds: 30, isThere)
        let alert = try #require(try alertmanager.alerts().first { $0.labels["rule"] == "auth-bruteforce" })
        #expect(
            alert.labels == [
                "alertname": "PgAuthBruteforce", "category": "pgsql", "cls": "pg-test", "ins": "pg-test-1",
                "job": "pgvigil", "level": "1", "rule": "auth-bruteforce", "severity": "WARN",
                "source": "203.0.113.7",
            ])
        #expect(alert.annotations["evidence"]?.hasPrefix("pgvigil alerts show ") == true)
        #expect(try alertmanager.alerts().contains { $0.labels["alertname"] == "PgvigilHeartbeat" })
        // It forgets everything, and is told again.
        first.stop()
        Thread.sleep(forTimeInterval: 2)
        _ = try alertmanager.start()
        try Lab.until("the alert again: " + talk(), seconds: 30, isThere)
        func told(_ status: String) throws -> [[String: any Sendable]] {
            try receiver.bodies().filter { body in
                body["status"] as? String == status
                    && (body["commonLabels"] as? [String: String])?["rule"] == "auth-bruteforce"
            }
        }
        try Lab.until("resolved: " + talk(), seconds: 60) { try !told("resolved").isEmpty }
        // Once by each of the two Alertmanagers, however often it was told.
        #expect(try (1...2).contains(told("firing").count))
        #expect(try told("resolved").count == 1)
        #expect(try vigil(["outbox"]).contains("127.0.0.1:\(ports[2])"), "a peer that is down shows")
    }

    @Test("what sinks that were down and killed readers missed is there at the end, exactly as in the store")
    func outage() throws {
        let ports = Port.free(2)
        let server = VictoriaLogs(lab, port: ports[0])
        let receiver = Receiver(lab, port: ports[1])
        try configure(
            """
            victorialogs: {url: '\(server.url)'}
            webhook: {url: 'http://127.0.0.1:\(ports[1])/hook', severity: info, max_age: 36500d}
            file: {path: '\(lab.path("out.jsonl"))', max_size: 20kB, keep: 100}
            """)
        let samples = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../samples")
        let logs = try ["postgresql-Mon.csv", "postgresql-Tue.csv"].map {
            try Data(contentsOf: samples.standardizedFileURL.appending(path: $0))
        }
        var reader = try watch()
        try logs[0].write(to: URL(fileURLWithPath: lab.path("logs/a.csv")))
        try Lab.until("events: " + lab.read("watch.talk")) { try rows("events").count > 50 }
        var databases = try server.start()
        var hook = try receiver.start(["--fail", "3"])
        // Readers killed while they deliver, and servers that come and go.
        for round in 0..<4 {
            Thread.sleep(forTimeInterval: 1.5)
            _ = try Lab.run(["pkill", "-KILL", "-f", "^\(Vigil.binary.path) watch .*\(lab.path("a.db"))"])
            reader.stop()
            if round == 1 {
                databases.stop()
                hook.stop()
            }
            reader = try watch()
            if round == 2 {
                try logs[1].write(to: URL(fileURLWithPath: lab.path("logs/b.csv")))
                databases = try server.start()
                hook = try receiver.start()
            }
        }
        func states() throws -> [[String]] {
            try Lab.run([
                Vigil.binary.path, "outbox", "--config", lab.path("pgvigil.yml"), "--store", lab.path("a.db"),
                "--format", "csv",
            ]).split(separator: "\n").dropFirst().map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
        }
        try Lab.until("all taken: \(lab.read("watch.talk"))", seconds: 120) {
            let all = try rows("alerts").count
            return try all >= 40 && states().allSatisfy { $0[2] == "0" && $0[3] == "0" }
        }
        reader.stop()
        let events = try rows("events")
        let alerts = try rows("alerts")
        // VictoriaLogs has each event, whole; its newest row tells.
        Thread.sleep(forTimeInterval: 2)
        let found = try server.rows("job:=pgvigil event.kind:=event")
        #expect(Set(found.map { $0["event.id"] }) == Set(events.map { $0["event.id"] }))
        let byID = Dictionary(grouping: found) { $0["event.id"] ?? "" }
        for event in events {
            let texts = byID[event["event.id"]] ?? []
            let keys = [
                "@timestamp", "event.action", "user.name", "source.ip", "db.query.text", "event.reason", "log.offset",
            ]
            #expect(texts.contains { row in keys.allSatisfy { (row[$0] ?? "") == event[$0] } }, "\(event.text)")
        }
        let verified = try vigil(["outbox", "--verify"])
        #expect(verified.contains("\(events.count) of \(events.count) delivered events are there"), "\(verified)")
        // The others have all alerts, the file all events, too.
        let hooked = try receiver.bodies().flatMap { $0["alerts"] as? [[String: any Sendable]] ?? [] }
        #expect(Set(hooked.compactMap { $0["alert.id"] as? String }) == Set(alerts.map { $0["alert.id"] }))
        let files = try FileManager.default.contentsOfDirectory(atPath: lab.folder.path).filter {
            $0.hasPrefix("out.jsonl")
        }
        let lines = try files.flatMap { lab.read($0).split(separator: "\n") }.map { try Row(String($0)) }
        #expect(files.count > 2)
        #expect(Set(lines.map { $0["event.id"] }.filter { $0 != "" }) == Set(events.map { $0["event.id"] }))
        #expect(Set(lines.map { $0["alert.id"] }.filter { $0 != "" }) == Set(alerts.map { $0["alert.id"] }))
    }

    @Test("a bad alert is set aside and shown, the others arrive; secrets are right and never shown")
    func poison() throws {
        let ports = Port.free(3)
        let receiver = Receiver(lab, port: ports[0])
        let secure = Receiver(lab, port: ports[1], name: "secure")
        try lab.write("s3cr3t-token\n", to: "token")
        try lab.write("http://127.0.0.1:\(ports[2])/services/s3cr3t-path\n", to: "address")
        try certificates()
        try configure(
            """
            webhook:
            - {url: 'http://127.0.0.1:\(ports[0])/', name: plain, severity: info, max_age: 36500d, bearer: {token_file: '\(lab.path("token"))'}}
            - {url: 'https://localhost:\(ports[1])/', name: secure, severity: info, max_age: 36500d, tls: {ca: '\(lab.path("ca.crt"))', certificate: '\(lab.path("us.crt"))', key: '\(lab.path("us.key"))'}, basic: {user: us, password_file: '\(lab.path("token"))'}}
            - {url_file: '\(lab.path("address"))', name: gone, severity: info, timeout: 1s}
            """)
        _ = try receiver.start(["--auth", "Bearer s3cr3t-token", "--refuse", "forgery-attempt"])
        let basic = Data("us:s3cr3t-token".utf8).base64EncodedString()
        _ = try secure.start(
            ["--tls", lab.path("server.crt"), lab.path("server.key"), lab.path("ca.crt"), "--auth", "Basic \(basic)"])
        let samples = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../samples")
        try FileManager.default.copyItem(
            atPath: samples.standardizedFileURL.appending(path: "postgresql-Mon.csv").path,
            toPath: lab.path("logs/a.csv"))
        let told = try vigil(["replay", "--deliver", lab.path("logs")], fails: true)
        #expect(told.contains("sink gone: 0 delivered") && told.contains("sink secure: "), "\(told)")
        let alerts = try rows("alerts").map { $0["alert.id"] }
        #expect(alerts.count > 10)
        func sent(_ receiver: Receiver) throws -> [String] {
            try receiver.bodies().flatMap { $0["alerts"] as? [[String: any Sendable]] ?? [] }
                .compactMap { $0["alert.id"] as? String }
        }
        #expect(try sent(secure).sorted() == alerts.sorted())
        let aside = try vigil(["outbox", "--aside"])
        let refused = try rows("alerts").filter { $0.text.contains("forgery-attempt") }.map { $0["alert.id"] }
        #expect(!refused.isEmpty && refused.allSatisfy { aside.contains($0) })
        #expect(try sent(receiver).count == alerts.count - refused.count)
        // A token that is no longer right is no fault of the alerts: they wait.
        try lab.write("other\n", to: "token")
        let everything = try told + aside + vigil(["outbox"]) + vigil(["check", "--send-test"], fails: true)
        #expect(everything.contains("answered 401"))
        #expect(!everything.contains("s3cr3t"), "\(everything)")
    }

    /// An authority, a server's certificate and one of ours.
    private func certificates() throws {
        func openssl(_ words: String) throws {
            _ = try Lab.run(["sh", "-c", "cd \(lab.folder.path) && openssl \(words) 2>&1"])
        }
        try openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt")
        for (name, subject) in [("server", "localhost"), ("us", "pgvigil")] {
            try openssl(
                "req -newkey rsa:2048 -nodes -subj /CN=\(subject) -keyout \(name).key -out \(name).csr -addext subjectAltName=DNS:\(subject)"
            )
            try openssl(
                "x509 -req -in \(name).csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -copy_extensions copy -out \(name).crt"
            )
            for kind in ["key", "crt"] { chmod(lab.path("\(name).\(kind)"), 0o644) }
        }
        // A store being made elsewhere in this process narrows its umask.
        chmod(lab.path("ca.crt"), 0o644)
    }

    @Test("a proxy is gone through, and an address behind a slow or silent server keeps nobody else waiting")
    func proxy() throws {
        let ports = Port.free(2)
        let proxy = Receiver(lab, port: ports[0])
        _ = try proxy.start()
        // It takes connections and never answers.
        _ = try lab.start(
            [
                "python3", "-c",
                "import socket,time\nserver=socket.create_server(('127.0.0.1',\(ports[1])))\ntime.sleep(600)",
            ], output: "silent.log")
        try Lab.until("it listens") { Port.isOpen(ports[1]) }
        try configure(
            """
            webhook:
            - {url: 'http://127.0.0.1:\(ports[1])/', name: silent, severity: info, timeout: 2s}
            - {url: 'http://nowhere.invalid/hook', name: proxied, severity: info, proxy: 'http://127.0.0.1:\(ports[0])'}
            """)
        let watch = try watch()
        defer { watch.stop() }
        try attack("203.0.113.7", 12, from: 1)
        try Lab.until("an alert: " + lab.read("watch.talk"), seconds: 30) { try !proxy.bodies().isEmpty }
        #expect(lab.read("receiver.jsonl").contains("\"path\": \"http://nowhere.invalid/hook\""))
        try Lab.until("told of: " + lab.read("watch.talk"), seconds: 20) {
            lab.read("watch.talk").contains("sink silent: http://127.0.0.1:\(ports[1])")
        }
    }

    @Test("check says whether anybody would hear of it")
    func deaf() throws {
        let ports = Port.free(1)
        let alertmanager = try Alertmanager(lab, port: ports[0], receiver: 0)
        _ = try alertmanager.start()
        try configure("alertmanager: {url: '\(alertmanager.url)'}")
        let text = try vigil(["check", "--send-test", lab.path("logs")], fails: true)
        #expect(text.contains("CRIT goes to receiver \"people\", which tells nobody"), "\(text)")
    }
}
