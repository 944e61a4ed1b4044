import Foundation
import Testing

@Suite("verify")
struct VerifyTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appending(path: "live"), withIntermediateDirectories: true)
    }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    private func sql(_ store: String, _ query: String) throws -> String {
        try Program.run([store, query], executable: URL(fileURLWithPath: "/usr/bin/sqlite3")).output
    }

    @Test("proves a store and heads that were kept, names what was changed, and says so by its code")
    func verify() throws {
        let store = try SampleStore()
        defer { store.remove() }
        let fine = try store.run("verify")
        let head = try #require(fine.output.split(separator: "\n").last.map { String($0.dropFirst(5)) })
        #expect(fine.code == 0 && fine.output.contains("every row is as it was written"))
        let proved = try store.run("verify", "--head", head)
        #expect(proved.code == 0 && proved.output.contains("proved: \(head)"))
        try Data("Mar 02 pgvigil[1]: head \(head)\n".utf8).write(to: URL(fileURLWithPath: store.file("watch.log")))
        #expect(try store.run("verify", "--heads", store.file("watch.log")).output.contains("proved: \(head)"))
        #expect(try store.run("verify", "--head", "events=1:00").code == 2)
        #expect(try store.run("verify", "--heads", store.file("none.log")).code == 2)
        let seq = try sql(store.path, "SELECT seq FROM event WHERE action = 'danger.copy_program'")
            .trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(try sql(store.path, "UPDATE events SET message = 'x' || char(27) WHERE seq = \(seq)") == "")
        let broken = try store.run("verify")
        #expect(broken.code == 1 && broken.talk.contains("broken in 1 place"))
        #expect(broken.output.contains("BROKEN events row \(seq) (69a5be29.51e0-"))
        #expect(broken.output.contains("it says now: danger.copy_program: x\\u{1b}"))
        let rows = try store.run("verify", "--format", "jsonl").output.split(separator: "\n")
        #expect(rows.first?.contains("\"kind\":\"fault\",\"table\":\"events\",\"row\":\(seq)") == true)
        _ = try sql(
            store.path,
            """
            DELETE FROM alerts WHERE seq = (SELECT max(seq) FROM alerts);
            UPDATE heads SET last = last - 1, chain = (SELECT chain FROM alerts ORDER BY seq DESC LIMIT 1)
                WHERE tbl = 'alerts'
            """)
        let cut = try store.run("verify", "--head", head)
        #expect(cut.code == 1 && cut.output.contains("NOT PROVED: \(head): alerts end with row"))
    }

    private func watch() throws -> Process {
        let process = Process()
        process.executableURL = Program.binary
        process.arguments = ["watch", "--store", path("a.db"), "--config", path("a.yml"), path("live")]
        let handle = try FileHandle(forWritingTo: folder.appending(path: "talk.log"))
        try handle.seekToEnd()
        process.standardError = handle
        try process.run()
        return process
    }

    private func acts() throws -> [String] {
        try Program.run(["acts", "--store", path("a.db"), "--format", "csv"]).output.split(separator: "\n").dropFirst()
            .map { String($0.split(separator: ",", omittingEmptySubsequences: false)[1]) }
    }

    private func until(_ condition: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<300 {
            if try condition() { return true }
            Thread.sleep(forTimeInterval: 0.05)
        }
        return false
    }

    @Test("watch keeps in the chain what it worked by and how it ended, and its log proves it", .timeLimit(.minutes(2)))
    func acted() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data().write(to: folder.appending(path: "talk.log"))
        try Data("allow: [{cidr: 192.0.2.0/24, reason: office}]\n".utf8).write(to: folder.appending(path: "a.yml"))
        let first = try watch()
        #expect(try until { try acts().last == "start" })
        kill(first.processIdentifier, SIGKILL)
        first.waitUntilExit()
        try Data("allow: [{cidr: 192.0.2.7, reason: office}]\n".utf8).write(to: folder.appending(path: "a.yml"))
        let second = try watch()
        #expect(try until { try acts().last == "start" && acts().count > 4 })
        second.terminate()
        second.waitUntilExit()
        #expect(
            try acts() == [
                "configuration", "rules", "allow", "start", "configuration", "allow", "crash", "start", "stop",
            ])
        let replayed = try Program.run(["replay", "--store", path("a.db"), "--config", path("a.yml"), "samples"])
        #expect(try replayed.code == 0 && acts().count == 9)
        let text = try Program.run(["acts", "--store", path("a.db")]).output
        #expect(text.contains("192.0.2.7/32 (office)") && text.contains("was not stopped"))
        let proof = try Program.run(["verify", "--store", path("a.db"), "--heads", path("talk.log")])
        #expect(proof.code == 0)
        // One at each start, one at the stop.
        #expect(proof.output.components(separatedBy: "\nproved: ").count == 4)
    }

    @Test("rows go by their age, whenever that is killed, and the chain holds", .timeLimit(.minutes(3)))
    func pruned() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let lines = (0..<6000).map { number in
            let time = Date(timeIntervalSince1970: 1_772_445_000 + Double(number) * 120).formatted(.iso8601)
            let words = time.replacing("T", with: " ").replacing("Z", with: ".001 UTC")
            return
                "\(words) [\(number)] u\(number % 50)@shop FATAL:  password authentication failed for user \"u\(number % 50)\"\n"
        }
        try Data(lines.joined().utf8).write(to: folder.appending(path: "postgresql.log"))
        try Data("retention: {events: 1d, alerts: 2d}\n".utf8).write(to: folder.appending(path: "a.yml"))
        let arguments = ["--store", path("a.db"), "--config", path("a.yml")]
        #expect(try Program.run(["replay"] + arguments + [path("postgresql.log")]).code == 0)
        func count() throws -> Int? {
            Int(try sql(path("a.db"), "SELECT count(*) FROM events").trimmingCharacters(in: .whitespacesAndNewlines))
        }
        #expect(try count() == 6000)
        var (kills, left) = (0, 6000)
        for round in 0..<60 {
            let process = Process()
            process.executableURL = Program.binary
            process.arguments = ["prune"] + arguments
            process.standardError = Pipe()
            try process.run()
            Thread.sleep(forTimeInterval: 0.02 + Double(round % 10) * 0.02)
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            if process.terminationReason == .uncaughtSignal { kills += 1 }
            let proof = try Program.run(["verify", "--store", path("a.db")])
            #expect(proof.code == 0, "\(proof.output)")
            left = try count() ?? 0
            if process.terminationReason == .exit { break }
        }
        #expect(kills > 0)
        #expect(try Program.run(["prune"] + arguments).code == 0)
        left = try count() ?? 0
        // Ages count from the last record whose end was seen.
        #expect(left == 721 || left == 722)
        // What is read again from the file does not come back: its position stands.
        #expect(try Program.run(["replay"] + arguments + [path("postgresql.log")]).code == 0)
        #expect(try count() == left)
        #expect(try Program.run(["verify", "--store", path("a.db")]).code == 0)
    }
}
