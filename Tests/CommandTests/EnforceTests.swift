import Foundation
import Testing

@Suite("watch keeps block lists", .serialized)
struct EnforceTests {
    private let folder: URL
    private func path(_ name: String) -> String { folder.appending(path: name).path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder.appending(path: "live"), withIntermediateDirectories: true)
    }

    private func configure(_ mode: String) throws {
        try Data(
            """
            store: \(path("a.db"))
            topology: {detect: false}
            bans: {mode: \(mode)}
            blocklists:
              - {format: plain, path: \(path("plain.txt")), reload: [/usr/bin/touch, \(path("told"))]}
              - {format: nft, path: \(path("pgvigil.nft"))}
              - {format: fail2ban, path: \(path("fail2ban.log"))}
              - {format: json, path: \(path("nowhere/list.json"))}

            """.utf8
        ).write(to: URL(fileURLWithPath: path("c.yml")))
    }

    private func watch() throws -> Process {
        let process = Process()
        process.executableURL = Program.binary
        process.arguments = ["watch", "--config", path("c.yml"), path("live")]
        _ = FileManager.default.createFile(atPath: path("talk.log"), contents: nil)
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: path("talk.log")))
        try process.run()
        return process
    }

    private func content(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path(name)) ?? Data(), as: UTF8.self)
    }

    private func wait(_ seconds: Double = 30, until isSo: () -> Bool) -> Double? {
        let start = Date()
        while Date().timeIntervalSince(start) < seconds {
            if isSo() { return Date().timeIntervalSince(start) }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return nil
    }

    /// Twelve wrong passwords just now.
    private func attack(_ address: String) throws {
        let form = DateFormatter()
        form.timeZone = TimeZone(identifier: "UTC")
        form.locale = Locale(identifier: "en_US_POSIX")
        form.dateFormat = "yyyy-MM-dd HH:mm:ss.SSS"
        let rows = (0..<12).map { number in
            let time = form.string(from: Date(timeIntervalSinceNow: Double(number - 20)))
            return "\(time) UTC,\"bob\",\"shop\",\(5000 + number),\"\(address):40000\",69a55d0d.\(1000 + number),1,"
                + "\"authentication\",\(time.prefix(19)) UTC,3/1,0,FATAL,28P01,\"password authentication failed for user "
                + "\"\"bob\"\"\",,,,,,,,,\"\",\"client backend\",,0\n"
        }
        try Data(rows.joined().utf8).write(to: folder.appending(path: "live/postgresql.csv"))
    }

    @Test("in enforce mode each list is current within a second, its reader told, and a failure said and stored")
    func enforce() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try configure("enforce")
        let process = try watch()
        defer { process.terminate() }
        #expect(wait { content("talk.log").contains("nowhere/list.json") } != nil)
        #expect(content("pgvigil.nft").contains("set block4"))
        try attack("203.0.113.66")
        #expect(wait { content("talk.log").contains("ban (enforce) 203.0.113.66/32") } != nil, "\(content("talk.log"))")
        #expect(wait(1) { content("plain.txt") == "203.0.113.66/32\n" } != nil, "\(content("talk.log"))")
        #expect(wait(1) { content("pgvigil.nft").contains("203.0.113.66/32 timeout 3") } != nil)
        #expect(FileManager.default.fileExists(atPath: path("told")))
        let steps: [([String], String)] = [
            (["unban", "203.0.113.66", "--reason", "x"], ""),
            (["ban", "203.0.113.7", "--reason", "x"], "203.0.113.7/32\n"),
            (["bans", "pause", "--reason", "x"], ""), (["bans", "resume", "--reason", "x"], "203.0.113.7/32\n"),
        ]
        for (words, wanted) in steps {
            let result = try Program.run(words + ["--config", path("c.yml")])
            #expect(result.code == 0, "\(result.talk)")
            #expect(wait(1) { content("plain.txt") == wanted } != nil, "\(words) \(content("plain.txt"))")
        }
        let wanted = [
            "Ban 203.0.113.66", "Unban 203.0.113.66", "Ban 203.0.113.7", "Unban 203.0.113.7", "Ban 203.0.113.7",
        ]
        let isLogged = {
            content("fail2ban.log").split(separator: "\n").map {
                $0.split(separator: " ")[4...5].joined(separator: " ")
            } == wanted
        }
        #expect(wait(until: isLogged) != nil, "\(content("fail2ban.log"))")
        // The folder that was missing.
        try FileManager.default.createDirectory(
            at: folder.appending(path: "nowhere"), withIntermediateDirectories: true)
        #expect(wait { content("nowhere/list.json").contains("203.0.113.7") } != nil)
        #expect(wait { content("talk.log").contains("current again") } != nil)
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test("check says which list could not be written, and that none is in observe mode")
    func check() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try configure("enforce")
        let checked = try Program.run(["check", "--config", path("c.yml"), path("live")])
        #expect(checked.output.contains("fail  \(path("nowhere/list.json")): cannot be written"))
        #expect(checked.output.contains("ok    \(path("plain.txt")): plain") && checked.code == 1)
        try configure("observe")
        #expect(try Program.run(["check", "--config", path("c.yml"), path("live")]).output.contains("none is written"))
    }

    @Test("in observe mode nothing outside the store is written")
    func observe() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try configure("observe")
        let process = try watch()
        defer { process.terminate() }
        try attack("203.0.113.66")
        #expect(wait { content("talk.log").contains("ban (observe) 203.0.113.66/32") } != nil, "\(content("talk.log"))")
        Thread.sleep(forTimeInterval: 1)
        for name in ["plain.txt", "pgvigil.nft", "fail2ban.log", "told"] {
            #expect(!FileManager.default.fileExists(atPath: path(name)), "\(name)")
        }
    }
}
