import Foundation
import Testing

@Suite("Bans by hand")
struct BanCommandTests {
    private let folder: URL
    private let store: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        store = folder.appending(path: "a.db").path
    }

    private func run(_ words: String...) throws -> Program.Result {
        let command = words.first == "bans" && words.count > 1 && !words[1].hasPrefix("-") ? 2 : 1
        return try Program.run(Array(words[..<command]) + ["--store", store] + words[command...])
    }

    private func list(_ form: String = "plain", at time: String = "now") throws -> String {
        try run("blocklist", "--format", form, "--at", time).output
    }

    @Test("who is banned by hand is in every list at once, and free at once, with who and why")
    func life() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(try run("ban", "203.0.113.66", "--for", "10m", "--reason", "guesses").code == 0)
        #expect(try run("ban", "2001:db8:1:2::7", "--reason", "guesses, too").code == 0)
        #expect(try list() == "203.0.113.66/32\n2001:db8:1:2::/64\n")
        let rows = try run("bans", "--format", "jsonl").output
        #expect(rows.contains(#""rule.id":"manual","reason":"guesses","event.count":0,"mode":"observe","by":"#))
        #expect(!rows.contains("alert.id"))
        let freed = try run("unban", "203.0.113.66", "--reason", "a mistake")
        #expect(freed.code == 0 && freed.talk.contains("203.0.113.66/32 is free"))
        #expect(try list() == "2001:db8:1:2::/64\n")
        #expect(try list("fail2ban").contains("NOTICE [pgvigil] Unban 203.0.113.66\n"))
        let all = try run("bans", "--all", "--format", "jsonl").output.split(separator: "\n")
        #expect(all.count == 2 && all[0].contains(#""state":"unbanned""#))
        #expect(all[0].contains(#""freed.reason":"a mistake""#))
        // Nothing is left to free; and who is banned anew is banned.
        #expect(try run("unban", "203.0.113.66", "--reason", "x").talk.contains("no ban in force"))
        Thread.sleep(forTimeInterval: 0.01)
        _ = try run("ban", "203.0.113.66", "--reason", "again")
        #expect(try list().hasPrefix("203.0.113.66/32\n"))
    }

    @Test("a pause empties every list and nothing else; afterwards they are as before")
    func pause() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        _ = try run("ban", "203.0.113.66", "--reason", "guesses")
        #expect(try run("bans", "pause", "--reason", "maintenance").code == 0)
        #expect(try list().isEmpty && list("json") == "[]\n")
        #expect(try list("fail2ban").contains("Unban 203.0.113.66"))
        #expect(try run("bans", "--format", "csv").output.contains("203.0.113.66/32,203.0.113.66,paused,"))
        #expect(try run("why", "203.0.113.66").output.contains("maintenance"))
        #expect(try run("bans", "pause", "--reason", "again").talk.contains("already"))
        _ = try run("bans", "resume", "--reason", "done")
        #expect(try list() == "203.0.113.66/32\n")
    }

    @Test(
        "nobody is banned by hand who must not be, and nothing too wide",
        arguments: [
            ("10.0.0.1", "a private address"), ("127.0.0.1", "loopback"), ("198.51.0.0/16", "too wide"),
            ("2001:db8::/32", "too wide"), ("203.0.113.7/24", "names a host and a network"),
            ("0.0.0.0", "no single host"),
            ("nobody", "is no address"), ("203.0.113.9", "allowed by 203.0.113.8/30: partner"),
        ])
    func refused(address: String, reason: String) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "c.yml")
        try Data("allow: [{cidr: 203.0.113.8/30, reason: partner}]\n".utf8).write(to: file)
        let result = try run("ban", address, "--reason", "x", "--config", file.path)
        #expect(result.code == 1 && result.talk.contains(reason) && result.talk.contains("hint: "), "\(result.talk)")
    }

    @Test("an allow entry frees at once")
    func allowed() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        _ = try run("ban", "203.0.113.66", "--reason", "guesses")
        let file = folder.appending(path: "c.yml")
        try Data("allow: [203.0.113.0/24]\n".utf8).write(to: file)
        #expect(try run("blocklist", "--config", file.path).output.isEmpty)
        #expect(
            try run("blocklist", "--format", "fail2ban", "--config", file.path).output.contains("Unban 203.0.113.66"))
        #expect(try run("why", "203.0.113.66", "--config", file.path).output.contains("allowed by 203.0.113.0/24"))
    }

    @Test("why tells failures, users, sessions, bans and alerts, and the command that frees")
    func why() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        _ = try Program.run(["replay", "--store", store, Program.root.appending(path: "samples").path])
        let text = try run("why", "203.0.113.66", "--at", "2026-03-03T08:30:00Z").output
        for words in [
            "203.0.113.66 is banned at", "failures      77, 2026-03-02T12:10:02.250Z to", "bad_password (77)",
            "postgres (77)", "good sessions none in 30 days", "rule auth-bruteforce",
            "pgvigil unban --store \(store) 203.0.113.66",
        ] { #expect(text.contains(words), "\(words)") }
        #expect(text.split(separator: "\n").count < 24)
        #expect(try run("why", "203.0.113.1", "--at", "2026-03-03T08:30:00Z").output.contains("failures      none"))
    }
}
