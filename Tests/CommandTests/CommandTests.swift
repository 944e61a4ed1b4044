import Foundation
import Testing

/// Runs the built program as a person does.
struct Program {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The program lies beside the tests.
    static let binary = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "pgvigil")

    struct Result {
        let code: Int32
        let output: String
        let talk: String
    }

    static func start(_ executable: URL, _ arguments: [String], input: Data? = nil) throws -> (Process, Pipe, Pipe) {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        let (output, talk) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = talk
        if let input {
            let pipe = Pipe()
            process.standardInput = pipe
            Thread.detachNewThread {
                try? pipe.fileHandleForWriting.write(contentsOf: input)
                try? pipe.fileHandleForWriting.close()
            }
        }
        try process.run()
        return (process, output, talk)
    }

    /// What a tool makes of bytes.
    static func pack(_ bytes: Data, _ tool: String) throws -> Data {
        let (process, output, _) = try start(URL(fileURLWithPath: "/usr/bin/\(tool)"), ["-q", "-c"], input: bytes)
        defer { process.waitUntilExit() }
        return try output.fileHandleForReading.readToEnd() ?? Data()
    }

    static func run(_ arguments: [String], input: Data? = nil, executable: URL = binary) throws -> Result {
        let (process, output, talk) = try start(executable, arguments, input: input)
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        let errors = try talk.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Result(
            code: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
            talk: String(decoding: errors, as: UTF8.self))
    }
}

@Suite("Commands")
struct CommandTests {
    private let folder: URL
    private var samples: String { Program.root.appending(path: "samples").path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    @Test("archives are read from files and standard input; a torn one gives a summary, its place and code 1")
    func archives() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = try Data(contentsOf: URL(fileURLWithPath: samples + "/postgresql-Mon.csv"))
        let packed = try Program.pack(log, "gzip")
        try packed.write(to: folder.appending(path: "a.gz"))
        let whole = try Program.run(["replay", "--store", path("a.db"), path("a.gz")])
        #expect(whole.code == 0 && whole.talk.contains("unread: 0"))
        let piped = try Program.run(["replay", "--store", path("a.db"), "-"], input: packed)
        #expect(piped.code == 0 && piped.talk.contains("events: 0 new"))
        try packed.dropLast(1000).write(to: folder.appending(path: "torn.gz"))
        let torn = try Program.run(["replay", "--store", path("b.db"), path("torn.gz")])
        #expect(torn.code == 1)
        let place = "failed: \(path("torn.gz")): ends in the middle of its gzip data, at byte \(packed.count - 1000)"
        #expect(torn.talk.contains(place) && torn.talk.contains("auth.failure"))
    }

    private func replaySamples() throws -> Program.Result {
        try Program.run(["replay", "--store", path("a.db"), samples])
    }

    @Test("the demo's story: what the samples hold is found, and the attackers are on the block list")
    func story() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let replay = try replaySamples()
        #expect(replay.code == 0)
        #expect(replay.output.isEmpty)
        #expect(replay.talk.contains("166  auth.failure"))
        #expect(replay.talk.contains("\"report_ro\" got in from 203.0.113.7 after 14 failures"))
        #expect(!replay.talk.contains("\u{1B}"))
        func blocked(_ time: String) throws -> String {
            try Program.run(["blocklist", "--store", path("a.db"), "--format", "plain", "--at", time]).output
        }
        #expect(try blocked("2026-03-02T12:30:00Z") == "203.0.113.66/32\n")
        #expect(try blocked("2026-03-02T14:30:00Z") == "203.0.113.99/32\n2001:db8:bad::/64\n")
        #expect(try blocked("2026-03-03T08:30:00Z") == "203.0.113.66/32\n")
        #expect(try blocked("2026-03-10T00:00:00Z") == "")
        let secret = try Program.run(["events", "--store", path("a.db"), "--format", "jsonl"]).output
        #expect(!secret.contains("Winter-2026!"))
        // The forged name speaks of 10.20.1.11; nothing may be said about that address.
        let alerts = try Program.run(["alerts", "--store", path("a.db"), "--format", "jsonl"]).output
        #expect(!alerts.contains("10.20.1.11"))
    }

    @Test("events are JSON with the documented keys, absent ones left out")
    func jsonLines() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        _ = try replaySamples()
        let lines = try Program.run([
            "events", "--store", path("a.db"), "--format", "jsonl", "--action", "auth.failure",
        ])
        .output.split(separator: "\n")
        #expect(lines.count == 166)
        for line in lines {
            let event = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            for key in [
                "@timestamp", "event.id", "event.reason", "source.ip", "process.pid", "postgresql.log.session_id",
            ] {
                #expect(event[key] != nil, "\(key)")
            }
            #expect(!event.values.contains { $0 is NSNull || ($0 as? String) == "" })
            #expect(event["tls.version"] == nil)
        }
    }

    @Test("--fail-on gives exit code 3")
    func failOn() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(try Program.run(["replay", "--store", path("a.db"), "--fail-on", "critical", samples]).code == 3)
        // Nothing new fires the second time.
        #expect(try Program.run(["replay", "--store", path("a.db"), "--fail-on", "critical", samples]).code == 0)
    }

    @Test(
        "wrong use says what to do",
        arguments: [
            (["replay"], "Missing expected argument", 64), (["replay", "none.csv"], "No such file or directory", 1),
            (["events", "--store", "none.db"], "pgvigil replay", 1), (["frobnicate"], "Unexpected argument", 64),
            (["replay", "--config", "none.yml", "x"], "cannot be read", 2),
            (["replay", "--jobs", "0", "x"], "--jobs takes a number", 64), (["blocklist", "--at", "soon"], "--at", 64),
        ] as [([String], String, Int32)])
    func wrongUse(arguments: [String], words: String, code: Int32) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = try Program.run(arguments)
        #expect(result.code == code)
        #expect(result.talk.contains(words))
        #expect(result.output.isEmpty)
    }

    @Test(
        "every command has help with an example",
        arguments: [
            "replay", "watch", "events", "alerts", "alerts show", "story", "status", "check", "blocklist", "ban",
            "unban", "bans list", "bans pause",
            "bans resume", "why", "patterns check",
        ])
    func help(command: String) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = try Program.run(command.split(separator: " ").map(String.init) + ["--help"])
        #expect(result.code == 0)
        #expect(result.output.contains("pgvigil \(command)"))
        #expect(result.output.contains("--store"))
    }

    @Test("standard input is read")
    func standardInput() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = try Data(contentsOf: URL(fileURLWithPath: samples + "/postgresql-Mon.csv"))
        let result = try Program.run(["replay", "--store", path("a.db"), "-"], input: log)
        #expect(result.code == 0)
        #expect(result.talk.contains("502 records"))
    }

    @Test("fail2ban itself reads every line of our list, and only the address behind Ban")
    func fail2ban() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        _ = try replaySamples()
        let list = try Program.run([
            "blocklist", "--store", path("a.db"), "--format", "fail2ban", "--at", "2026-03-02T14:30:00Z",
        ])
        .output
        #expect(list.split(separator: "\n").count == 2)
        try Data(list.utf8).write(to: URL(fileURLWithPath: path("ban.log")))
        let regex = #"^\s*pgvigil\[\d+\]:\s+NOTICE\s+\[[\w-]+\]\s+Ban\s+<ADDR>(?:\s|$)"#
        let result = try Program.run(
            ["fail2ban-regex", "--datepattern", "{^LN-BEG}", "-o", "ip", path("ban.log"), regex],
            executable: URL(fileURLWithPath: "/usr/bin/env"))
        #expect(result.code == 0, "\(result.talk)")
        #expect(Set(result.output.split(separator: "\n")) == ["203.0.113.99", "2001:db8:bad::17"])
    }

    @Test("explain says how a line was read, by which pattern, and what looks at it")
    func explain() throws {
        let line =
            #"2026-03-02 09:55:19.183 UTC,"dora","webshop",20271,"203.0.113.9:49691",69a55e87.4f2f,2,"authentication",2026-03-02 09:55:19 UTC,4/2,0,FATAL,28P01,"password authentication failed for user ""dora""","Connection matched pg_hba.conf line 11: ""host all all all scram-sha-256""",,,,,,,,"","client backend",,0"#
        let result = try Program.run(["explain"], input: Data((line + "\n").utf8))
        #expect(result.code == 0)
        for words in [
            "format: csvlog", "user_name              dora", "pattern: login-bad-password",
            "event: auth.failure (bad_password)",
            "auth-bruteforce",
        ] { #expect(result.output.contains(words), "\(words)") }
        // An ERROR with that SQLSTATE is somebody's RAISE: the nearest pattern says what is missing.
        let raise = line.split(separator: ",FATAL,").joined(separator: ",ERROR,")
        let other = try Program.run(["explain"], input: Data((raise + "\n").utf8))
        #expect(other.output.contains("nearest: login") && other.output.contains("error_severity is 'ERROR'"))
        let stderr = "2026-03-02 09:55:19 UTC [7] bob@shop FATAL:  password authentication failed for user \"bob\"\n"
        let third = try Program.run(["explain", "--prefix", "%t [%p] %u@%d "], input: Data(stderr.utf8))
        #expect(third.output.contains("format: stderr") && third.output.contains("event: auth.failure"))
        #expect(try Program.run(["explain"], input: Data("nothing\n".utf8)).code == 1)
    }

    @Test("check says what works, what is not seen, and fails for what cannot be read")
    func check() throws {
        _ = try Program.run(["replay", "--store", path("a.db"), samples])
        let good = try Program.run(["check", "--store", path("a.db"), samples])
        #expect(good.code == 0 && good.output.contains("csvlog"))
        #expect(good.output.contains("failed and successful ones are logged"))
        let bad = try Program.run(["check", "--store", path("a.db"), path("missing.csv"), "--format", "jsonl"])
        #expect(bad.code == 1 && bad.output.contains("\"verdict\":\"fail\""))
    }

    @Test("activity answers who touched what")
    func activity() throws {
        _ = try Program.run(["replay", "--store", path("a.db"), samples])
        let result = try Program.run([
            "activity", "--store", path("a.db"), "--group-by", "db.operation.name", "--format", "csv",
        ])
        #expect(result.output.contains("connection.received,"))
        #expect(try Program.run(["activity", "--store", path("a.db"), "--rule", "x"]).code == 2)
    }
}
