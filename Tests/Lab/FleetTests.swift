import Foundation
import Testing

@Suite("Lab: the logs of a fleet out of VictoriaLogs")
struct FleetTests {
    private let lab: Lab
    private let server: VictoriaLogs

    init() throws {
        lab = try Lab()
        server = VictoriaLogs(lab, port: Port.free(1)[0])
    }

    private static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../Corpus").standardizedFileURL

    private var address: String { server.url.replacing("http://", with: "victorialogs://") }

    private func configure(_ more: String = "") throws {
        try lab.write(
            """
            topology: {detect: false}
            bans: {loopback: true, private: true}
            sources:
            - {path: '*-node2*', cluster: pg-test, instance: pg-test-2}
            - {path: '\(lab.path("logs"))', cluster: pg-test, instance: pg-test-1}
            - {victorialogs: '\(address)', time: log, delay: 2s}
            \(more)

            """, to: "pgvigil.yml")
    }

    /// The logs of a run that Vector follows on a Pigsty node. Vector gives no bytes that are not UTF-8, so these are
    /// taken out of the files, too.
    private func unpack(_ run: String) throws -> [String] {
        try lab.makeFolder("logs")
        _ = try Lab.run(
            [
                "tar", "-xJf", FleetTests.corpus.appending(path: "\(run).tar.xz").path, "-C", lab.path("logs"),
                "--strip=1",
            ]
        )
        let names = try FileManager.default.subpathsOfDirectory(atPath: lab.path("logs")).sorted()
        return try names.filter { name in
            name.hasSuffix(".csv")
                || name.hasSuffix(".log") && !name.contains("postgresql") && !name.contains("console")
        }.map { name in
            let path = lab.path("logs/\(name)")
            let text = try Data(contentsOf: URL(fileURLWithPath: path))
            try Data(String(decoding: text, as: UTF8.self).utf8).write(to: URL(fileURLWithPath: path))
            return path
        }
    }

    private func rows(_ files: [String], ins: String = "pg-test-1") throws -> [String] {
        guard !files.isEmpty else { return [] }
        let script = FleetTests.corpus.appending(path: "../Lab/pigsty-rows.py").standardizedFileURL.path
        return try Lab.run(["python3", script, "--ins", ins] + files).split(separator: "\n").map(String.init)
    }

    /// What Vector would make of all files, each node's under its own name.
    private func allRows(_ files: [String]) throws -> [String] {
        let second = files.filter { $0.contains("-node2") }
        return try rows(files.filter { !second.contains($0) }) + rows(second, ins: "pg-test-2")
    }

    private func push(_ rows: some Sequence<String>) throws {
        let body = rows.map { $0 + "\n" }.joined()
        _ = try Lab.run(
            [
                "curl", "-sS", "--fail", "--data-binary", "@-", "-H", "Content-Type: application/stream+json",
                "\(server.url)/insert/jsonline?_stream_fields=job,ins,ip&_time_field=_time&_msg_field=message",
            ], input: Data(body.utf8))
    }

    /// Waits until so many rows are seen.
    private func settle(_ count: Int, _ query: String = "*") throws {
        try Lab.until("\(count) rows are seen") {
            let found = try server.rows("\(query) | stats count() rows").first?["rows"] ?? "0"
            return Int(found) ?? 0 >= count
        }
    }

    @discardableResult
    private func vigil(_ words: [String], store: String) throws -> String {
        let line = [Vigil.binary.path, words[0], "--config", lab.path("pgvigil.yml"), "--store", lab.path(store)]
        return try Lab.run(["sh", "-c", "\"$0\" \"$@\" 2>&1"] + line + words.dropFirst())
    }

    /// Events, alerts and bans, without where they were read.
    private func content(_ store: String) throws -> [String: Set<String>] {
        var result: [String: Set<String>] = [:]
        for (what, words) in [
            ("events", ["events"]), ("alerts", ["alerts"]), ("bans", ["bans", "--all"]),
        ] {
            guard lab.size(store) > 0 else { return [:] }
            let line =
                [Vigil.binary.path] + words + [
                    "--config", lab.path("pgvigil.yml"), "--store", lab.path(store), "--format", "jsonl",
                ]
            result[what] = Set(try Lab.run(line).split(separator: "\n").map { try Row(String($0)).content })
        }
        return result
    }

    private func figures(_ store: String) throws -> String {
        try Lab.run([
            "sqlite3", lab.path(store),
            "SELECT (SELECT sum(records) FROM sources), (SELECT sum(count) FROM activity), (SELECT sum(unread) FROM sources)",
        ])
    }

    private func compare(_ found: String, _ wanted: String, _ note: String = "") throws {
        let (one, other) = (try content(found), try content(wanted))
        for what in ["events", "bans"] {
            let (found, wanted) = (one[what] ?? [], other[what] ?? [])
            #expect(wanted.count > 0 || what == "bans", "\(what) \(note)")
            #expect(Array(found.subtracting(wanted).prefix(2)) == [], "\(what) only from rows \(note)")
            #expect(Array(wanted.subtracting(found).prefix(2)) == [], "\(what) only from files \(note)")
        }
        // Which of several events of one millisecond came first, and fired an alert, VictoriaLogs does not tell.
        func alerts(_ rows: Set<String>?) throws -> [String: Int] {
            counts(
                try (rows ?? []).map { text in
                    let row = try Row(text)
                    return row.values("@timestamp", "rule.id", "source.ip", "event.count", "first_seen", "last_seen")
                })
        }
        let (found, wanted) = (try alerts(one["alerts"]), try alerts(other["alerts"]))
        #expect(found.count > 0)
        #expect(found.filter { wanted[$0.key] != $0.value } == [:], "alerts only from rows \(note)")
        #expect(wanted.filter { found[$0.key] != $0.value } == [:], "alerts only from files \(note)")
        let same = (one["alerts"] ?? []).intersection(other["alerts"] ?? []).count
        #expect(same * 10 >= (other["alerts"] ?? []).count * 9, "\(same) alerts are the same in everything")
    }

    @Test(
        "rows in Pigsty's shape give the events, alerts and bans that their files give",
        arguments: [
            "pg15-audit-all", "pg15-noaudit-dur0", "pg18-audit", "pgbouncer", "patroni4-pg17", "pgbackrest-2.55-pg17",
        ])
    func corpus(run: String) throws {
        try configure()
        _ = try server.start()
        let files = try unpack(run)
        let rows = try allRows(files)
        try push(rows)
        try vigil(["replay"] + files, store: "files.db")
        try settle(rows.count)
        try vigil(["replay", "--from", address], store: "rows.db")
        try compare("rows.db", "files.db", run)
        // The same rows of servers once more are known. Equal lines of other programs are taken for real.
        guard files.allSatisfy({ $0.hasSuffix(".csv") }) else { return }
        try push(rows)
        try settle(2 * rows.count)
        let before = try figures("rows.db")
        let again = try vigil(["replay", "--from", address, "--since", "2020-01-01"], store: "rows.db")
        #expect(again.contains("events: 0 new"), "\(again)")
        #expect(try figures("rows.db") == before)
        try compare("rows.db", "files.db", run)
    }

    private func watch() throws -> Child {
        try Child(
            [
                Vigil.binary.path, "watch", "--config", lab.path("pgvigil.yml"), "--store", lab.path("live.db"),
                "--from", address,
            ], signal: "TERM", output: lab.path("live.out"), errors: lab.path("live.talk"), folder: lab.folder)
    }

    /// Ends a reader as a crash would.
    private func kill(_ reader: Child) throws {
        _ = try? Lab.run(["pkill", "-KILL", "-f", "^\(Vigil.binary.path) watch .*\(lab.path("live.db"))"])
        reader.stop()
    }

    /// Ids of events, and the rules that alerted: a standby that was cloned has lines of its primary in its log, and whose
    /// they are is a matter of what was read first.
    private func ids(_ store: String) throws -> Set<String> {
        var result: Set<String> = []
        guard lab.size(store) > 0 else { return [] }
        for what in ["events", "alerts"] {
            let line = [
                Vigil.binary.path, what, "--config", lab.path("pgvigil.yml"), "--store", lab.path(store), "--format",
                "jsonl",
            ]
            for text in try Lab.run(line).split(separator: "\n") {
                let row = try Row(String(text))
                result.insert(row["event.id"] + row["rule.id"])
            }
        }
        return result
    }

    @Test("watch follows rows that come twice and out of order, while it is killed and the server is started anew")
    func followed() throws {
        try configure()
        var child = try server.start()
        let files = try unpack("patroni4-pg17").filter { $0.hasSuffix(".csv") }
        try vigil(["replay"] + files, store: "files.db")
        let wanted = try ids("files.db")
        // The same as if it ended just now.
        let last = try allRows(files).compactMap { try Row($0)["_time"] }.max() ?? ""
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        let late = "\(Int(Date().timeIntervalSince(try style.parse(last))) - 5)"
        let script = FleetTests.corpus.appending(path: "../Lab/pigsty-rows.py").standardizedFileURL.path
        let nodes = try [1, 2].map { node in
            let own = files.filter { $0.contains("-node\(node)") }
            let text = try Lab.run(["python3", script, "--ins", "pg-test-\(node)", "--late", late] + own)
            return text.split(separator: "\n").map(String.init)
        }
        var reader = try watch()
        var sent = 0
        for (node, rows) in nodes.enumerated().reversed() {
            let parts = [rows[..<(rows.count / 2)], rows[(rows.count / 2)...]]
            for (number, part) in parts.enumerated() {
                try push(part)
                try push(part.shuffled())
                sent += 2 * part.count
                if number == 0 {
                    try kill(reader)
                    reader = try watch()
                } else if node == 1 {
                    try settle(sent)
                    child.stop()
                    try Lab.until("it is told that the server is gone: " + lab.read("live.talk")) {
                        lab.read("live.talk").contains("cannot read \(server.url)")
                    }
                    child = try server.start()
                }
            }
        }
        // What came behind the last two minutes is looked for at the start.
        try kill(reader)
        reader = try watch()
        try Lab.until("all is there: " + lab.read("live.talk"), seconds: 90) {
            try wanted.subtracting(ids("live.db")).isEmpty
        }
        #expect(try ids("live.db") == wanted)
        #expect(reader.stop() == 0)
        let records = nodes.map(\.count).reduce(0, +)
        #expect(try figures("live.db").hasPrefix("\(records)|"))
        child.stop()
    }

    /// Failed logins of one address, now, as Vector sends them.
    private func failures(_ count: Int, from line: Int, at time: Date, ins: String = "pg-test-1") -> [String] {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return (line..<line + count).map { number in
            let moment = time.addingTimeInterval(Double(number - line) * 0.2)
            let session = "\(String(Int(moment.timeIntervalSince1970), radix: 16)).\(String(number, radix: 16))"
            return
                #"{"job":"postgres","ins":"\#(ins)","cls":"pg-test","ip":"10.0.0.1","_time":"\#(moment.formatted(style))","#
                + #""user":"app","db":"shop","pid":"\#(number)","addr":"203.0.113.7:\#(40_000 + number)","sid":"\#(session)","#
                + #""sln":"2","cmd":"authentication","lv":"FATAL","code":"28P01","btype":"client backend","#
                + #""msg":"password authentication failed for user \"app\"","message":"password authentication failed"}"#
        }
    }

    @Test("watch tells an attack within seconds, goes on after kill -9, and takes rows that are late")
    func live() throws {
        try configure()
        _ = try server.start()
        func events() throws -> Int {
            guard lab.size("live.db") > 0 else { return 0 }
            return try content("live.db")["events"]?.count ?? 0
        }
        var reader = try watch()
        try push(failures(12, from: 1, at: Date(timeIntervalSinceNow: -3)))
        try Lab.until("an alert: " + lab.read("live.talk"), seconds: 60) {
            lab.read("live.talk").contains("[auth-bruteforce]")
        }
        #expect(try events() == 12)
        for round in 1...3 {
            try kill(reader)
            try push(failures(10, from: round * 100, at: Date(timeIntervalSinceNow: -2)))
            reader = try watch()
            // A minute late, and what was there once more.
            try push(failures(5, from: round * 1000, at: Date(timeIntervalSinceNow: -60), ins: "pg-test-1"))
            try Lab.until("round \(round): " + lab.read("live.talk")) {
                try events() == 12 + round * 15
            }
        }
        #expect(reader.stop() == 0)
        #expect(try figures("live.db").hasPrefix("57|"))
    }

    @Test("what one pgvigil ships, a central one reads as the same events and alerts")
    func central() throws {
        let files = try unpack("pg15-audit-all") + unpack("pgbouncer").filter { $0.contains("pgbouncer") }
        try configure("sinks: {victorialogs: {url: '\(server.url)'}}")
        _ = try server.start()
        let told = try vigil(["replay", "--deliver"] + files, store: "node.db")
        let wanted = try content("node.db")["events"]?.count ?? 0
        try settle(wanted, "job:=pgvigil | uniq by (event.id)")
        try vigil(["replay", "--from", address, "--query", "job:=pgvigil"], store: "central.db")
        try compare("central.db", "node.db", told)
        // Beside the rows of the logs themselves they are no second events.
        try push(try rows(files))
        try settle(wanted + 1000)
        try vigil(["replay", "--from", address, "--since", "2020-01-01"], store: "central.db")
        try compare("central.db", "node.db", "both kinds of rows")
    }

    @Test("rows that Vector posts are in the store when it hears 200, who shows no token is not heard")
    func posted() throws {
        let port = Port.free(1)[0]
        try lab.makeFolder("logs")
        try lab.write("t0ken\n", to: "token")
        try configure(
            "listen: {address: '127.0.0.1:\(port)', token_file: '\(lab.path("token"))'}\ningest: {time: log}")
        func watch() throws -> Child {
            try Child(
                [
                    Vigil.binary.path, "watch", "--config", lab.path("pgvigil.yml"), "--store", lab.path("live.db"),
                    lab.path("logs"),
                ], signal: "TERM", output: lab.path("live.out"), errors: lab.path("live.talk"), folder: lab.folder)
        }
        func post(_ rows: [String], token: String = "t0ken", packs: Bool = true) throws -> String {
            let body = packs ? "gzip -c" : "cat"
            let packing = packs ? "-H 'Content-Encoding: gzip'" : ""
            let line = """
                \(body) | curl -sS -o /dev/null -w '%{http_code}' --data-binary @- \(packing) \
                -H 'Content-Type: application/x-ndjson' -H 'Authorization: Bearer \(token)' \
                http://127.0.0.1:\(port)/ingest/vector
                """
            return try Lab.run(["sh", "-c", line], input: Data(rows.map { $0 + "\n" }.joined().utf8))
        }
        func events() throws -> Int { try content("live.db")["events"]?.count ?? 0 }
        var reader = try watch()
        try Lab.until("it listens: " + lab.read("live.talk")) { Port.isOpen(port) }
        let rows = failures(30, from: 1, at: Date(timeIntervalSinceNow: -10))
        try Lab.until("it takes rows") { try post(Array(rows[..<1])) == "200" }
        #expect(try post(Array(rows[..<20])) == "200")
        #expect(try events() == 20)
        // Right after the answer, as if the power had gone.
        #expect(try post(Array(rows[..<25]), packs: false) == "200")
        try kill(reader)
        #expect(try events() == 25)
        reader = try watch()
        try Lab.until("it listens again: " + lab.read("live.talk")) { try Port.isOpen(port) && post(rows) == "200" }
        #expect(try events() == 30)
        #expect(try post(rows, token: "other") == "401")
        #expect(try post(["no row"]) == "400")
        #expect(try figures("live.db").hasPrefix("30|"))
        try Lab.until("an alert: " + lab.read("live.talk")) { lab.read("live.talk").contains("[auth-bruteforce]") }
        #expect(reader.stop() == 0)
    }
}
