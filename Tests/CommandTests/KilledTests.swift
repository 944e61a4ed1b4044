import Foundation
import Testing

/// A stderr log and a PgBouncer log whose records have no numbers of their own, followed by a watch that is killed.
@Suite("watch, killed", .serialized)
struct KilledTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appending(path: "live"), withIntermediateDirectories: true)
    }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    private static func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }

    private static func time(_ second: Int) -> String {
        "2026-03-02 08:\(two(second / 60)):\(two(second % 60)).001 UTC"
    }

    /// Failed logins, the same more than once in a moment, and statements that several lines tell of.
    private static let server = (0..<240).map { second in
        let time = time(second)
        let pid = 100 + second / 2
        return """
            \(time) [\(pid)] [unknown]@[unknown] LOG:  connection received: host=192.0.2.\(second % 5) port=4000
            \(time) [\(pid)] bob@shop FATAL:  password authentication failed for user "bob"
            \(time) [\(pid)] bob@shop FATAL:  password authentication failed for user "bob"
            \(time) [\(pid)] bob@shop DETAIL:  Role "bob" does not exist.
            \(time) [9] amy@shop LOG:  statement: DROP TABLE t\(second % 3);
            \(time) [9] amy@shop LOG:  AUDIT: SESSION,\(second + 1),1,DDL,DROP TABLE,TABLE,public.t,DROP TABLE t\(second % 3),<none>

            """
    }.joined()

    private static let pooler = (0..<240).map { second in
        let time = "\(time(second)) [17219]"
        let client = "C-0x\(5 + second % 3): shop/u\(second % 4)@192.0.2.\(second % 5):\(4000 + second % 7)"
        return """
            \(time) LOG \(client) login attempt: db=shop user=u\(second % 4) tls=no replication=no
            \(time) LOG S-0x7: shop/u\(second % 4)@192.0.2.9:5432 new connection to server (from 192.0.2.8:\(second))
            \(time) LOG \(client) closing because: SASL authentication failed (age=0s)
            \(time) WARNING \(client) pooler error: SASL authentication failed

            """
    }.joined()

    private func content(_ store: String) throws -> Set<String> {
        let output = try Program.run(["events", "--store", path(store), "--format", "jsonl"]).output
        return Set(
            output.split(separator: "\n").map { line in
                String(line).replacing(#/"log\.(file\.path|offset)":("[^"]*"|[0-9]+),?/#, with: { _ in "" })
            })
    }

    private func sql(_ store: String, _ query: String) throws -> String {
        try Program.run([path(store), query], executable: URL(fileURLWithPath: "/usr/bin/sqlite3")).output
    }

    private func append(_ part: Data, _ name: String) throws {
        if !FileManager.default.fileExists(atPath: path(name)) {
            try Data().write(to: URL(fileURLWithPath: path(name)))
        }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path(name)))
        try handle.seekToEnd()
        try handle.write(contentsOf: part)
        try handle.close()
    }

    @Test("loses nothing and doubles nothing", .timeLimit(.minutes(3)))
    func killed() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let logs = [
            ("postgresql.log", Data(KilledTests.server.utf8)), ("pgbouncer.log", Data(KilledTests.pooler.utf8)),
        ]
        for (name, bytes) in logs { try append(bytes, name) }
        _ = try Program.run(["replay", "--store", path("whole.db")] + logs.map { path($0.0) })
        let wanted = try content("whole.db")
        try #require(wanted.count > 900)
        for round in 0..<12 {
            let process = Process()
            process.executableURL = Program.binary
            process.arguments = ["watch", "--store", path("live.db"), path("live")]
            process.standardError = FileHandle.nullDevice
            try process.run()
            for (name, bytes) in logs {
                let (from, end) = (bytes.count * round / 12, bytes.count * (round + 1) / 12)
                for at in stride(from: from, to: end, by: 700) {
                    try append(bytes.subdata(in: at..<min(end, at + 700)), "live/" + name)
                    Thread.sleep(forTimeInterval: 0.01)
                }
            }
            Thread.sleep(forTimeInterval: Double(round * 37 % 400) / 1000)
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        _ = try Program.run(["replay", "--store", path("live.db"), path("live")])
        let found = try content("live.db")
        #expect(Array(found.subtracting(wanted).sorted().prefix(2)).isEmpty, "\(found.count) of \(wanted.count)")
        #expect(Array(wanted.subtracting(found).sorted().prefix(2)).isEmpty, "\(found.count) of \(wanted.count)")
        let counts = "SELECT hour, command, user, sum(count) FROM activity GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        #expect(try sql("live.db", counts) == sql("whole.db", counts))
        let hops = "SELECT address, port, start, client, exact FROM hops ORDER BY 1, 2, 3"
        #expect(try sql("live.db", hops) == sql("whole.db", hops))
        #expect(try sql("whole.db", "SELECT count(*), sum(exact) FROM hops") == "240|0\n")
    }
}
