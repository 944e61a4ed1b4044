import EventStore
import Foundation
import LogSources
import Testing
import VigilModel

@testable import Vigil

@Suite("Archives and folders")
struct ArchiveReplayTests {
    private let place: Workplace

    init() throws { place = try Workplace() }

    /// Packs a file beside itself; gives the archive's path.
    @discardableResult
    private func pack(_ path: String, _ tool: String, _ suffix: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [tool, "-q", "-c"]
        process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        _ = FileManager.default.createFile(atPath: path + suffix, contents: nil)
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: path + suffix))
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return path + suffix
    }

    private func failures(_ hour: Int, _ count: Int, session: Int = 1) -> [String] {
        (0..<count).map { index in
            let clock = "\(hour):\(String(format: "%02d", index / 60)):\(String(format: "%02d", index % 60)).000"
            return row(clock, session: session + index, line: 2, user: "user\(index * 7919)")
        }
    }

    private func logins(_ count: Int) -> [String] {
        (0..<count).map { authorized("10:00:\(String(format: "%02d", $0)).000", session: $0) }
    }

    @Test(
        "an archive is read as what is in it, and again adds nothing",
        arguments: [("gzip", ".gz"), ("zstd", ".zst"), ("xz", ".xz"), ("bzip2", ".bz2"), ("lz4", ".lz4")])
    func archive(_ tool: String, _ suffix: String) throws {
        let plain = try place.write("postgresql-Mon.csv", logins(50) + failures(11, 300))
        let archive = try pack(plain, tool, suffix)
        let first = try place.replay([archive])
        #expect(first.records == 350 && first.unreadCount == 0)
        #expect(first.bytes == Int64(try Data(contentsOf: URL(fileURLWithPath: plain)).count))
        #expect(try place.replay([archive]).bytes == 0)
        // The file it was made of is a copy of it, and the other way round.
        let copy = try place.replay([plain])
        #expect(copy.result.inserted == 0 && copy.result.known > 0)
        #expect(try Store(existing: place.path("a.db")).activityTotal() == 50)
        _ = try place.replay([plain], into: "b.db")
        #expect(try place.replay([archive], into: "b.db").result.inserted == 0)
        #expect(try Store(existing: place.path("b.db")).activityTotal() == 50)
        _ = try place.replay([archive, plain], into: "c.db")
        #expect(try Store(existing: place.path("c.db")).activityTotal() == 50)
    }

    @Test("of an old archive and the log that went on, each record counts once")
    func olderArchive() throws {
        let rows = logins(50)
        let archive = try pack(place.write("old.csv", Array(rows.prefix(20))), "gzip", ".gz")
        try FileManager.default.removeItem(atPath: place.path("old.csv"))
        let log = try place.write("postgresql.csv", rows)
        for (name, paths) in [("a.db", [archive, log]), ("b.db", [log, archive]), ("c.db", [place.folder.path])] {
            _ = try place.replay(paths, into: "store-\(name)")
            #expect(try Store(existing: place.path("store-\(name)")).activityTotal() == 50)
        }
    }

    @Test("a torn archive gives what can be read and an error; the whole one the rest")
    func torn() throws {
        let plain = try place.write("postgresql.csv", failures(11, 600))
        let archive = try pack(plain, "gzip", ".gz")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: archive))
        try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: archive))
        let torn = try place.replay([archive])
        #expect(torn.records > 200 && torn.records < 600)
        #expect(torn.isFailure && "\(torn.failed[0])".contains("ends in the middle of its gzip data, at byte"))
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: archive))
        try handle.seekToEnd()
        try handle.write(contentsOf: bytes.dropFirst(bytes.count / 2))
        try handle.close()
        let whole = try place.replay([archive])
        #expect(whole.records + torn.records == 600 && !whole.isFailure && whole.unreadCount == 0)
    }

    @Test("an archive that grew frame by frame is read on")
    func grown() throws {
        let first = try pack(place.write("a", failures(11, 20)), "zstd", ".zst")
        let second = try pack(place.write("b", failures(12, 30, session: 500)), "zstd", ".zst")
        #expect(try place.replay([first]).records == 20)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: first))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(contentsOf: URL(fileURLWithPath: second)))
        try handle.close()
        #expect(try place.replay([first]).records == 30)
        #expect(try place.replay([first]).records == 0)
    }

    @Test("a packed folder of files is told, not guessed at")
    func tar() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        try place.write("a.csv", failures(11, 3))
        process.arguments = ["tar", "-C", place.folder.path, "-czf", place.path("logs.tar.gz"), "a.csv"]
        try process.run()
        process.waitUntilExit()
        let problem = #expect(throws: SourceProblem.self) { try place.replay([place.path("logs.tar.gz")]) }
        #expect("\(problem.map { "\($0)" } ?? "")".contains("this is a tar archive"))
        #expect(try place.replay([place.folder.path]).passedOver.count == 1)
    }

    @Test("files are read in the order of their first records, whatever they are called and however they are named")
    func order() throws {
        let days = ["Mon": 20, "Tue": 21, "Wed": 22, "Thu": 16, "Fri": 17, "Sat": 18, "Sun": 19]
        for (day, hour) in days { try place.write("logs/postgresql-\(day).csv", failures(hour, 2)) }
        try place.write("logs/postgresql.csv", failures(15, 2))
        try place.write("logs/postgresql.csv.1", failures(14, 2))
        try pack(place.write("logs/postgresql.csv.2", failures(13, 2)), "gzip", ".gz")
        try FileManager.default.removeItem(atPath: place.path("logs/postgresql.csv.2"))
        let wanted =
            ["postgresql.csv.2.gz", "postgresql.csv.1", "postgresql.csv"]
            + ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"].map { "postgresql-\($0).csv" }
        let all = wanted.map { place.path("logs/" + $0) }
        for paths in [[place.path("logs")], [place.path("logs/*")], all.reversed(), all.shuffled()] {
            let inputs = try ReplayInputs(paths, format: nil, configuration: Configuration())
            #expect(inputs.files.map { URL(fileURLWithPath: $0.path).lastPathComponent } == wanted)
        }
    }

    @Test("neither the number of jobs nor the order of files changes a row")
    func jobs() throws {
        var paths: [String] = []
        for hour in 10..<18 {
            let path = try place.write("logs/p-\(17 - hour).csv", failures(hour, 40, session: hour * 100))
            paths.append(hour % 2 == 0 ? try pack(path, "zstd", ".zst") : path)
            if hour % 2 == 0 { try FileManager.default.removeItem(atPath: path) }
        }
        func rows(_ name: String, _ paths: [String], jobs: Int) throws -> [[String]] {
            let options = Replay.Options(paths: paths, store: place.path(name), since: nil, until: nil, jobs: jobs)
            _ = try Replay(options, configuration: Configuration()).run { _, _ in }
            return try [Queryable.events, .alerts].map { table in
                var rows: [String] = []
                try Store(existing: place.path(name)).query(table, EventFilter()) { row in
                    rows.append(row.map { "\($0.key)=\($0.value)" }.joined(separator: " "))
                }
                return rows
            }
        }
        let one = try rows("1.db", [place.path("logs")], jobs: 1)
        #expect(one[0].count == 320 && one[1].count > 0)
        #expect(try rows("4.db", [place.path("logs")], jobs: 4) == one)
        #expect(try rows("r.db", paths.reversed(), jobs: 3) == one)
    }
}
