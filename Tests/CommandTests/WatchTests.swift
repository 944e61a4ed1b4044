import Foundation
import Testing

@Suite("watch", .serialized)
struct WatchTests {
    private let folder: URL
    private var log: URL { folder.appending(path: "live/postgresql.csv") }
    /// The samples' Monday and Tuesday as one growing log.
    private let bytes: Data

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appending(path: "live"), withIntermediateDirectories: true)
        let samples = Program.root.appending(path: "samples")
        bytes =
            try Data(contentsOf: samples.appending(path: "postgresql-Mon.csv"))
            + Data(contentsOf: samples.appending(path: "postgresql-Tue.csv"))
    }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    private func watch(_ store: String, _ options: [String] = [], configuration: String? = nil) throws -> Process {
        if let configuration { try Data(configuration.utf8).write(to: URL(fileURLWithPath: path("c.yml"))) }
        let process = Process()
        process.executableURL = Program.binary
        process.arguments = ["watch", "--store", path(store)] + options + [path("live")]
        // What it says is shown when a test fails.
        let talk = path("talk.log")
        if !FileManager.default.fileExists(atPath: talk) { try Data().write(to: URL(fileURLWithPath: talk)) }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: talk))
        try handle.seekToEnd()
        process.standardError = handle
        try process.run()
        return process
    }

    /// The end of what the watches said.
    private func talk() throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: path("talk.log"))).suffix(2000), as: UTF8.self)
    }

    private func append(_ part: Data) throws {
        if !FileManager.default.fileExists(atPath: log.path) { try Data().write(to: log) }
        let handle = try FileHandle(forWritingTo: log)
        try handle.seekToEnd()
        try handle.write(contentsOf: part)
        try handle.close()
    }

    /// Events and alerts without what depends on where they were read.
    private func content(_ store: String) throws -> [Set<String>] {
        try ["events", "alerts"].map { what in
            let output = try Program.run([what, "--store", path(store), "--format", "jsonl"]).output
            return Set(
                output.split(separator: "\n").map { line in
                    String(line).replacing(#/"log\.(file\.path|offset)":("[^"]*"|[0-9]+),?/#, with: { _ in "" })
                })
        }
    }

    private func expected() throws -> [Set<String>] {
        try bytes.write(to: folder.appending(path: "whole.csv"))
        _ = try Program.run(["replay", "--store", path("whole.db"), path("whole.csv")])
        let content = try content("whole.db")
        try #require(content[0].count > 200 && content[1].count > 5)
        return content
    }

    /// Waits until a condition holds, at most twenty seconds.
    private func until(_ condition: () throws -> Bool) rethrows -> Bool {
        let end = Date(timeIntervalSinceNow: 20)
        while Date() < end {
            if try condition() { return true }
            Thread.sleep(forTimeInterval: 0.1)
        }
        return try condition()
    }

    @Test("finds while a log grows what replay finds in it afterwards, over a stop and a start")
    func grows() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let wanted = try expected()
        var process = try watch("live.db")
        var offset = 0
        var turn = 0
        while offset < bytes.count {
            let size = min([1, 700, 4096, 33, 12_000][turn % 5], bytes.count - offset)
            try append(bytes.subdata(in: offset..<offset + size))
            offset += size
            turn += 1
            if turn == 12 {
                process.terminate()
                process.waitUntilExit()
                #expect(process.terminationStatus == 0)
                process = try watch("live.db")
            }
        }
        let reached = try until { try content("live.db") == wanted }
        #expect(reached)
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test("loses nothing and doubles nothing when it is killed again and again")
    func killed() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let wanted = try expected()
        var offset = 0
        for round in 0..<20 {
            let process = try watch("live.db")
            let end = min(bytes.count, offset + bytes.count / 18 + round * 37)
            while offset < end {
                let size = min(1500, end - offset)
                try append(bytes.subdata(in: offset..<offset + size))
                offset += size
                Thread.sleep(forTimeInterval: 0.002)
            }
            Thread.sleep(forTimeInterval: Double(round * 7 % 60) / 1000)
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        #expect(offset == bytes.count)
        let process = try watch("live.db")
        _ = try until { try content("live.db") == wanted }
        let found = try content("live.db")
        let said = try talk()
        for (found, wanted) in zip(found, wanted) {
            #expect(Array(found.subtracting(wanted).prefix(2)).isEmpty)
            #expect(Array(wanted.subtracting(found).prefix(2)).isEmpty, "\(found.count) found; \(said)")
        }
        process.terminate()
        process.waitUntilExit()
        let check = try Program.run(
            ["live.db", "PRAGMA integrity_check"].map { $0 == "live.db" ? path($0) : $0 },
            executable: URL(fileURLWithPath: "/usr/bin/sqlite3"))
        #expect(check.output == "ok\n")
    }

    @Test("reads archives that appear once they are whole, and those of logs it knows add nothing")
    func archives() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let wanted = try expected()
        func pack(_ bytes: Data, _ tool: String, _ name: String) throws {
            let packed = try Program.pack(bytes, tool)
            // Half of it first, as while it is being packed.
            let archive = folder.appending(path: "live/\(name)")
            try packed.prefix(packed.count / 2).write(to: archive)
            Thread.sleep(forTimeInterval: 0.5)
            let handle = try FileHandle(forWritingTo: archive)
            try handle.seekToEnd()
            try handle.write(contentsOf: packed.dropFirst(packed.count / 2))
            try handle.close()
        }
        func counted() throws -> String {
            try Program.run(
                [path("live.db"), "SELECT sum(count) FROM activity"],
                executable: URL(fileURLWithPath: "/usr/bin/sqlite3")
            ).output
        }
        let process = try watch("live.db")
        let half = (bytes[(bytes.count / 2)...].firstIndex(of: 10) ?? bytes.count - 1) + 1
        try append(bytes.subdata(in: 0..<half))
        // The older part is still followed when the newer one comes, packed; then the older one is packed as well.
        try pack(bytes.subdata(in: half..<bytes.count), "zstd", "new.zst")
        let reached = try until { try content("live.db") == wanted }
        let said = try talk()
        #expect(reached, "\(said)")
        let before = try counted()
        try pack(bytes.subdata(in: 0..<half), "gzip", "postgresql.csv.1.gz")
        try FileManager.default.removeItem(at: log)
        #expect(try until { try talk().contains("postgresql.csv.1.gz from byte 0") })
        Thread.sleep(forTimeInterval: 1)
        #expect(try content("live.db") == wanted)
        #expect(try counted() == before)
        process.terminate()
        process.waitUntilExit()
        // Neither is unpacked again.
        let length = try talk().count
        let again = try watch("live.db")
        Thread.sleep(forTimeInterval: 3)
        again.terminate()
        again.waitUntilExit()
        #expect(try !talk().dropFirst(length).contains("reading"))
    }

    @Test("reads the configuration again at SIGHUP, and keeps the old one when the new is wrong")
    func reload() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let wanted = try expected()
        let process = try watch("live.db", ["--config", path("c.yml")], configuration: "bans: {factor: 5}\n")
        let half = (bytes[(bytes.count / 2)...].firstIndex(of: 10) ?? bytes.count - 1) + 1
        try append(bytes.subdata(in: 0..<half))
        #expect(try until { try talk().contains("reading") })
        try Data("bans: {fcator: 5}\n".utf8).write(to: URL(fileURLWithPath: path("c.yml")))
        kill(process.processIdentifier, SIGHUP)
        #expect(try until { try talk().contains("the configuration stays as it was") })
        try Data("{}\n".utf8).write(to: URL(fileURLWithPath: path("c.yml")))
        kill(process.processIdentifier, SIGHUP)
        try append(bytes.subdata(in: half..<bytes.count))
        #expect(try until { try content("live.db") == wanted })
        #expect(process.isRunning)
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test("follows a log that is renamed and made anew, and one that is cut")
    func rotated() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let wanted = try expected()
        let process = try watch("live.db")
        let third = bytes.count / 3
        func line(_ offset: Int) -> Int { (bytes[offset...].firstIndex(of: 10) ?? bytes.count - 1) + 1 }
        let (first, second) = (line(third), line(2 * third))
        func count() throws -> Int {
            FileManager.default.fileExists(atPath: path("live.db")) ? try content("live.db")[0].count : 0
        }
        try append(bytes.subdata(in: 0..<first))
        #expect(try until { try count() > 40 })
        // Renamed out of sight, and begun anew under the old name.
        try FileManager.default.moveItem(at: log, to: folder.appending(path: "old.csv"))
        let before = try count()
        try append(bytes.subdata(in: first..<second))
        #expect(try until { try count() > before })
        // Cut in place and written from the start, as a weekday file a week later.
        Thread.sleep(forTimeInterval: 2.5)
        let handle = try FileHandle(forWritingTo: log)
        try handle.truncate(atOffset: 0)
        try handle.close()
        Thread.sleep(forTimeInterval: 0.5)
        try append(bytes.subdata(in: second..<bytes.count))
        // What only who follows can see is that it was cut; that it was renamed is nothing.
        func isLoss(_ row: String) -> Bool { row.contains("tamper.file") || row.contains("tamper-file") }
        let reached = try until { try content("live.db").map { $0.filter { !isLoss($0) } } == wanted }
        #expect(reached)
        #expect(try until { try content("live.db").map { $0.filter(isLoss).count } == [1, 1] })
        process.terminate()
        process.waitUntilExit()
    }

    @Test("a login whose records come seconds apart keeps what the first told")
    func slowLogin() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let lines = bytes.split(separator: 10)
        let first = try #require(
            lines.firstIndex { $0.range(of: Data("connection authenticated".utf8)) != nil })
        let process = try watch("live.db")
        defer {
            process.terminate()
            process.waitUntilExit()
        }
        try append(Data(lines[...first].joined(separator: [10]) + [10]))
        #expect(try until { try talk().contains("from byte 0") })
        // Longer than sessions wait that are coming in.
        Thread.sleep(forTimeInterval: 3)
        try append(Data(lines[(first + 1)...].prefix(40).joined(separator: [10]) + [10]))
        let method = #""postgresql.auth.method":"scram-sha-256""#
        #expect(
            try until {
                guard FileManager.default.fileExists(atPath: path("live.db")) else { return false }
                return try content("live.db")[0].contains { $0.contains("auth.success") }
            })
        #expect(try content("live.db")[0].filter { $0.contains("auth.success") }.allSatisfy { $0.contains(method) })
    }

    @Test("counts nothing twice when a copy is made while the log is read")
    func copied() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let monday = try Data(contentsOf: Program.root.appending(path: "samples/postgresql-Mon.csv"))
        let connections = bytes.suffix(bytes.count - monday.count).split(separator: 10)
            .filter { $0.range(of: Data("connection received".utf8)) != nil }
        func counted(_ store: String) throws -> String {
            try Program.run(["activity", "--store", path(store), "--group-by", "db.operation.name", "--format", "csv"])
                .output
        }
        let process = try watch("live.db")
        try append(monday)
        #expect(
            try until {
                let isThere = FileManager.default.fileExists(atPath: path("live.db"))
                return try isThere && !counted("live.db").isEmpty
            })
        Thread.sleep(forTimeInterval: 1.5)
        // No events: where reading is by then is committed a moment later.
        try append(Data(connections.prefix(5).joined(separator: [10]) + [10]))
        Thread.sleep(forTimeInterval: 0.2)
        try append(Data(connections.dropFirst(5).prefix(10).joined(separator: [10]) + [10]))
        Thread.sleep(forTimeInterval: 0.25)
        // The copy is seen before the end of its original is read.
        try append(Data(connections.dropFirst(15).prefix(5).joined(separator: [10]) + [10]))
        try FileManager.default.copyItem(at: log, to: folder.appending(path: "live/copy.csv"))
        _ = try Program.run(["replay", "--store", path("whole.db"), log.path])
        let wanted = try counted("whole.db")
        _ = try until { try talk().contains("copy.csv from byte 0") }
        Thread.sleep(forTimeInterval: 2.5)
        #expect(try until { try counted("live.db") == wanted })
        process.terminate()
        process.waitUntilExit()
        #expect(try counted("live.db") == wanted)
    }
}
