import Foundation
import Testing

@Suite("Lists, by command")
struct ListCommandTests {
    private let folder: URL
    private let store: String
    private var configuration: String { path("c.yml") }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder.appending(path: "live"), withIntermediateDirectories: true)
        store = folder.appending(path: "a.db").path
    }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    private func configure(_ text: String) throws {
        try Data(("topology: {detect: false}\n" + text).utf8).write(to: URL(fileURLWithPath: configuration))
    }

    private func run(_ words: String...) throws -> Program.Result {
        let command = words.first == "bans" && words.count > 1 && !words[1].hasPrefix("-") ? 2 : 1
        let common = ["--store", store, "--config", configuration]
        return try Program.run(Array(words[..<command]) + common + words[command...])
    }

    private func content(_ name: String) -> String? {
        FileManager.default.contents(atPath: path(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    private func until(_ condition: () throws -> Bool) rethrows -> Bool {
        let end = Date(timeIntervalSinceNow: 20)
        while Date() < end {
            if try condition() { return true }
            Thread.sleep(forTimeInterval: 0.05)
        }
        return try condition()
    }

    private func watch() throws -> Process {
        let process = Process()
        process.executableURL = Program.binary
        process.arguments = ["watch", "--store", store, "--config", configuration, path("live")]
        _ = FileManager.default.createFile(atPath: path("talk"), contents: nil)
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: path("talk")))
        try process.run()
        return process
    }

    @Test("neighbours put together show in bans, why and blocklist, and who is freed out of them is free in all")
    func aggregate() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try configure("bans: {aggregate: 3}\n")
        for last in 1...4 { _ = try run("ban", "203.0.113.\(last)", "--reason", "guesses") }
        #expect(try run("blocklist").output.contains("203.0.113.0/24\n"))
        #expect(try !run("blocklist", "--format", "fail2ban").output.contains("net="))
        let rows = try run("bans", "--format", "jsonl").output.split(separator: "\n")
        #expect(rows.count == 5 && rows[4].contains(#""cidr":"203.0.113.0/24""#))
        #expect(rows[4].contains(#""state":"in force""#) && rows[4].contains(#""rule.id":"aggregate""#))
        let why = try run("why", "203.0.113.77").output
        #expect(why.contains("203.0.113.77 is banned") && why.contains("4 banned neighbours"))
        #expect(why.contains("pgvigil unban"))
        _ = try run("bans", "pause", "--reason", "x")
        #expect(try run("bans", "--format", "csv").output.contains("203.0.113.0/24,203.0.113."))
        #expect(try run("blocklist").output.isEmpty)
        _ = try run("bans", "resume", "--reason", "x")
        let freed = try run("unban", "203.0.113.77", "--reason", "a customer")
        #expect(freed.talk.contains("203.0.113.77 is free; 203.0.113.0/24 is no longer listed as a block"))
        #expect(try run("blocklist").output == (1...4).map { "203.0.113.\($0)/32\n" }.joined())
        #expect(try run("why", "203.0.113.77").output.contains("203.0.113.77 is not banned"))
        #expect(try run("bans", "--format", "jsonl").output.split(separator: "\n").count == 4)
    }

    @Test("a killed watch leaves whole files, from which refresh takes whoever is no longer banned")
    func killed() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let forms = ["plain", "haproxy", "pg_hba", "json", "pgbouncer_hba", "firewalld4"]
        let lists = forms.map {
            "{format: \($0), path: \(path($0)), reload: [/bin/sh, -c, 'echo x >> \(path("told"))']}"
        }
        try configure("bans: {mode: enforce}\nblocklists: [\(lists.joined(separator: ", "))]\n")
        _ = try run("ban", "203.0.113.66", "--for", "5s", "--reason", "guesses")
        _ = try run("ban", "203.0.113.67", "--for", "1h", "--reason", "guesses")
        let process = try watch()
        #expect(until { forms.allSatisfy { content($0)?.contains("203.0.113.66") == true } })
        #expect(try run("bans", "refresh").talk.contains("a watch keeps the lists"))
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        Thread.sleep(forTimeInterval: 5)
        #expect(forms.allSatisfy { content($0)?.contains("203.0.113.66") == true })
        let told = content("told")?.count ?? 0
        #expect(try run("bans", "refresh").code == 0)
        for form in forms {
            let text = content(form) ?? ""
            #expect(!text.contains("203.0.113.66") && text.contains("203.0.113.67"), "\(form): \(text)")
        }
        #expect((content("told")?.count ?? 0) == told + 2 * forms.count)
        #expect(try run("bans", "--verify").code == 0)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.contains(".pgvigil-") })
    }

    @Test("killed again and again while it writes, no list is ever torn")
    func torn() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try configure("bans: {mode: enforce}\nblocklists: [{format: json, path: \(path("list"))}]\n")
        for round in 0..<8 {
            _ = try run("ban", "203.0.113.\(round + 1)", "--reason", "guesses")
            let process = try watch()
            Thread.sleep(forTimeInterval: 0.05 * Double(round + 1))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            guard let text = content("list") else { continue }
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
        }
        #expect(try run("bans", "refresh").code == 0)
        #expect(content("list")?.split(separator: "\n").count == 10)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.contains(".pgvigil-") })
    }

    @Test(
        "status and alerts say which list is not current and since when, refresh ends with 1, and both say when it is")
    func failing() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try configure(
            """
            bans: {mode: enforce}
            blocklists:
              - {format: plain, path: \(path("good"))}
              - {format: haproxy, path: \(path("bad")), reload: [/bin/sh, -c, 'echo no luck; test -e \(path("luck"))']}

            """)
        _ = try run("ban", "203.0.113.66", "--reason", "guesses")
        #expect(try run("status").output.contains("good (plain): never written"))
        #expect(try run("bans", "refresh").code == 1)
        let text = try run("status").output
        #expect(text.contains("good (plain): 1 ban, written"))
        #expect(text.contains("bad (haproxy): NOT CURRENT since ") && text.contains("no luck"), "\(text)")
        let rows = try run("status", "--format", "jsonl").output
        #expect(
            rows.contains(#""format":"haproxy","current":"no","bans":1"#) && rows.contains("failing_since"), "\(rows)")
        let alerts = try run("alerts", "--rule", "list-failed", "--format", "jsonl").output
        #expect(alerts.contains(#""event.severity":"high""#) && alerts.contains("no luck"), "\(alerts)")
        #expect(alerts.split(separator: "\n").count == 1)
        try Data().write(to: URL(fileURLWithPath: path("luck")))
        #expect(try run("bans", "refresh").code == 0)
        #expect(try !run("status").output.contains("NOT CURRENT"))
        #expect(try run("status", "--format", "jsonl").output.contains(#""told":"#))
    }

    @Test("SIGHUP to observe empties the files at once, and back to enforce fills them")
    func observe() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let list = "blocklists: [{format: plain, path: \(path("list"))}]\n"
        try configure("bans: {mode: enforce}\n" + list)
        _ = try run("ban", "203.0.113.66", "--reason", "guesses")
        let process = try watch()
        #expect(until { content("list") == "203.0.113.66/32\n" })
        try configure("bans: {mode: observe}\n" + list)
        kill(process.processIdentifier, SIGHUP)
        #expect(until { content("list") == "" })
        #expect(until { content("talk")?.contains("bans.mode is observe: ") == true })
        try configure("bans: {mode: enforce}\n" + list)
        kill(process.processIdentifier, SIGHUP)
        #expect(until { content("list") == "203.0.113.66/32\n" })
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}
