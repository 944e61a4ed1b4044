import Foundation
import Testing

@Suite("Status")
struct StatusTests {
    private func rows(_ store: SampleStore, _ arguments: String...) throws -> [[String: Any]] {
        try Program.run(["status", "--store", store.path, "--format", "jsonl"] + arguments).output
            .split(separator: "\n").map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
    }

    @Test("says what was read, what is still to read, and what is gone")
    func logs() throws {
        let store = try SampleStore()
        defer { store.remove() }
        let log = try #require(try rows(store).first { $0["kind"] as? String == "log" })
        #expect(log["files"] as? Int == 2 && log["files.present"] as? Int == 2 && log["backlog_bytes"] as? Int == 0)
        #expect(log["silent"] as? String == "yes" && log["last_read"] != nil)
        let file = store.file("samples/postgresql-Tue.csv")
        let handle = try #require(FileHandle(forWritingAtPath: file))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("torn".utf8))
        try handle.close()
        try FileManager.default.removeItem(atPath: store.file("samples/postgresql-Mon.csv"))
        let after = try rows(store, "--all").filter { $0["kind"] as? String == "log" }
        #expect(after.map { $0["files.present"] as? Int } == [0, 1])
        #expect(after.map { $0["backlog_bytes"] as? Int } == [0, 4])
        let text = try store.run("status").output
        #expect(text.contains("2, 1 gone") && text.contains("4 B") && text.contains("silent for more than 1 h"))
        #expect(try !store.run("status", "--silent", "99999d").output.contains("silent for"))
        #expect(try store.run("status", "--silent", "soon").code == 64)
    }

    @Test("says what the store holds, what exceptions held back, and who works on it")
    func holds() throws {
        let store = try SampleStore()
        defer { store.remove() }
        let base = try String(contentsOfFile: store.file("a.yml"), encoding: .utf8)
        let exceptions = "exceptions: [{rule: family:auth, cidr: 203.0.113.99, reason: our scanner}]\n"
        try Data((base + exceptions).utf8).write(to: URL(fileURLWithPath: store.file("a.yml")))
        let other = store.file("b.db")
        let replay = try Program.run([
            "replay", "--store", other, "--config", store.file("a.yml"), store.file("samples"),
        ])
        #expect(replay.talk.contains("held back by exceptions: 2") && replay.talk.contains("2 × our scanner"))
        let watch = Process()
        watch.executableURL = Program.binary
        watch.arguments = ["watch", "--store", other, "--config", store.file("a.yml"), store.file("samples")]
        watch.standardError = Pipe()
        try watch.run()
        defer {
            watch.terminate()
            watch.waitUntilExit()
        }
        var text = ""
        for _ in 0..<100 where !text.contains("pid \(watch.processIdentifier)") {
            text = try Program.run(["status", "--store", other]).output
            Thread.sleep(forTimeInterval: 0.1)
        }
        #expect(text.contains("watch, pid \(watch.processIdentifier)") && text.contains("of memory"))
        #expect(text.contains("have looked at every event"))
        #expect(text.contains("1 alert of auth-spray") && text.contains("our scanner"))
        #expect(!text.contains("in use by   nobody"))
    }
}
