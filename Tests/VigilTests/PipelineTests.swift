import EventStore
import Foundation
import Testing
import VigilModel

@testable import Vigil

/// A place for logs and stores; gone with the test.
final class Workplace {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    @discardableResult
    func write(_ name: String, _ rows: [String]) throws -> String {
        let file = URL(fileURLWithPath: path(name))
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(rows.map { $0 + "\n" }.joined().utf8).write(to: file)
        // Old enough that no login in it is still being decided.
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -60)], ofItemAtPath: path(name))
        return path(name)
    }

    func replay(_ paths: [String], into store: String = "a.db", configuration: Configuration = Configuration()) throws
        -> ReplaySummary
    {
        let options = Replay.Options(paths: paths, store: path(store), since: nil, until: nil, jobs: 2)
        return try Replay(options, configuration: configuration).run { _, _ in }
    }
}

/// A row of PostgreSQL 15's csvlog about a session.
func row(
    _ time: String, session: Int, line: Int, user: String = "bob", from: String = "203.0.113.66:40000",
    tag: String = "authentication", severity: String = "FATAL", state: String = "28P01",
    message: String? = nil, detail: String = "Connection matched pg_hba.conf line 7: \"\"host all\"\"",
    query: String = ""
) -> String {
    let pid = 4096 + session
    let text = message ?? "password authentication failed for user \"\"\(user)\"\""
    return
        "2026-03-02 \(time) UTC,\"\(user)\",\"shop\",\(pid),\"\(from)\",69a55d0d.\(String(pid, radix: 16)),\(line),\"\(tag)\","
        + "2026-03-02 09:49:01 UTC,3/1,0,\(severity),\(state),\"\(text)\",\(detail.isEmpty ? "" : "\"\(detail)\""),,,,,"
        + "\(query.isEmpty ? "" : "\"\(query)\""),,,\"\",\"client backend\",,0"
}

func authorized(_ time: String, session: Int, line: Int = 2, from: String = "203.0.113.66:40000") -> String {
    row(
        time, session: session, line: line, from: from, severity: "LOG", state: "00000",
        message: "connection authorized: user=bob database=shop", detail: "")
}

@Suite("Pipeline")
struct PipelineTests {
    private let place: Workplace

    init() throws { place = try Workplace() }

    private func actions() throws -> [String] {
        var result: [String] = []
        try Store(existing: place.path("a.db")).query(.events, EventFilter()) { row in
            func text(_ key: String) -> String {
                if case .text(let text)? = row.first(where: { $0.key == key })?.value { return text }
                return ""
            }
            result.append([text("event.action"), text("event.reason")].filter { !$0.isEmpty }.joined(separator: ":"))
        }
        return result
    }

    @Test("a login is a success when the session goes on, not when it is refused")
    func logins() throws {
        _ = try place.replay([
            place.write(
                "a.csv",
                [
                    authorized("10:00:00.000", session: 1),
                    row(
                        "10:00:00.002", session: 1, line: 3, tag: "startup", state: "3D000", message: "database",
                        detail: ""),
                    authorized("10:00:01.000", session: 2),
                    row(
                        "10:00:01.500", session: 2, line: 3, tag: "idle", severity: "LOG", state: "00000",
                        message: "statement: SELECT 1", detail: ""),
                    authorized("10:00:05.000", session: 3),
                    row("10:00:09.000", session: 4, line: 2),
                    authorized("10:00:10.000", session: 5),
                    row(
                        "10:00:10.002", session: 5, line: 3, tag: "startup", state: "28000",
                        message: "role \"\"bob\"\" is not permitted to log in", detail: ""),
                    authorized("10:00:20.000", session: 6),
                ])
        ])
        #expect(
            try actions() == [
                "auth.refused:no_such_database", "auth.success", "auth.success", "auth.failure:bad_password",
                "auth.failure:nologin", "auth.success",
            ])
    }

    @Test("text of a client decides nothing")
    func forged() throws {
        let fake = row("10:00:00.000", session: 9, line: 1, user: "victim", from: "198.51.100.1:1").replacing(
            "\"", with: "\"\"")
        let summary = try place.replay([
            place.write(
                "a.csv",
                [
                    // RAISE with the SQLSTATE of a failed login, and texts of other records.
                    row("10:00:00.000", session: 1, line: 3, tag: "DO", severity: "ERROR", query: "DO $$ RAISE $$"),
                    row(
                        "10:00:00.100", session: 1, line: 4, tag: "DO", severity: "LOG", state: "00000",
                        message: "connection authorized: user=postgres database=shop", detail: "",
                        query: "DO $$ RAISE $$"),
                    row(
                        "10:00:00.200", session: 1, line: 5, tag: "DO", severity: "LOG", state: "00000",
                        message: "statement: DROP TABLE x", detail: "", query: "DO $$ RAISE $$"),
                    row("10:00:00.300", session: 2, line: 2, user: "x\n" + fake),
                    row(
                        "10:00:00.400", session: 3, line: 2, user: "y",
                        detail: "Role \"\"y\"\" does not exist.\n" + fake),
                ])
        ])
        #expect(try actions() == ["auth.failure:bad_password", "auth.failure:unknown_role"])
        #expect(summary.addresses == ["203.0.113.66": 2])
    }

    @Test("secrets do not get into the store")
    func secrets() throws {
        _ = try place.replay([
            place.write(
                "a.csv",
                [
                    row(
                        "10:00:00.000", session: 1, line: 3, tag: "idle", severity: "LOG", state: "00000",
                        message: "statement: ALTER ROLE bob PASSWORD 'hunter2'; SELECT 1", detail: "")
                ])
        ])
        let bytes = try FileManager.default.contentsOfDirectory(atPath: place.folder.path).filter {
            $0.hasPrefix("a.db")
        }
        .map { try Data(contentsOf: URL(fileURLWithPath: place.path($0))) }
        #expect(bytes.allSatisfy { $0.firstRange(of: Data("hunter2".utf8)) == nil })
        #expect(bytes.contains { $0.firstRange(of: Data("<redacted>".utf8)) != nil })
    }

    @Test("older logs that come later give the alerts they would have given in time")
    func olderLogs() throws {
        func failures(_ minute: Int, _ count: Int, session: Int) -> [String] {
            (0..<count).map {
                row(
                    "10:\(minute < 10 ? "0" : "")\(minute):\($0 < 10 ? "0" : "")\($0).000", session: session + $0,
                    line: 2)
            }
        }
        let early = try place.write("early.csv", failures(1, 6, session: 1))
        let late = try place.write("late.csv", failures(2, 6, session: 100))
        _ = try place.replay([early, late], into: "together.db")
        _ = try place.replay([late], into: "apart.db")
        _ = try place.replay([early], into: "apart.db")
        func alerts(_ name: String) throws -> [String] {
            var ids: [String] = []
            try Store(existing: place.path(name)).query(.alerts, EventFilter()) { row in
                if case .text(let id)? = row.first(where: { $0.key == "alert.id" })?.value { ids.append(id) }
            }
            return ids
        }
        #expect(try alerts("together.db").count == 1)
        #expect(try alerts("together.db") == alerts("apart.db"))
    }

    @Test("no statement hides behind others, a name, or a comment")
    func hiddenStatements() throws {
        func logged(_ line: Int, _ text: String, tag: String = "idle") -> String {
            row(
                "10:00:00.\(100 + line)", session: 1, line: line, tag: tag, severity: "LOG", state: "00000",
                message: text, detail: "")
        }
        let attack = "ALTER ROLE mallory SUPERUSER"
        _ = try place.replay([
            place.write(
                "a.csv",
                [
                    logged(1, "statement: " + String(repeating: "SELECT 1;", count: 1500) + attack),
                    logged(2, "execute " + String(repeating: "a: ", count: 40) + "x: " + attack, tag: "ALTER ROLE"),
                    logged(3, "execute s: ALTER ROLE a NOLOGIN: " + attack, tag: "ALTER ROLE"),
                    logged(4, "statement: /*" + String(repeating: "x", count: 1_200_000) + "*/" + attack),
                ])
        ])
        var targets: [String] = []
        var filter = EventFilter()
        filter.values = [("event.action", "priv.superuser")]
        try Store(existing: place.path("a.db")).query(.events, filter) { row in
            if case .text(let name)? = row.first(where: { $0.key == "user.target.name" })?.value {
                targets.append(name)
            }
        }
        #expect(targets == ["mallory", "mallory", "mallory", "mallory"])
    }

    @Test("a client cannot write its own failed login out of the log through a bound socket path")
    func hiddenLogin() throws {
        let hiding = ",a.1,1,,,,,LOG,00000,\"\"" + String(repeating: ",", count: 12) + "\nz"
        let rows = [
            row("10:00:00.000", session: 1, line: 2, user: hiding, from: "[local]:/tmp/a\"b"),
            row("10:00:01.000", session: 2, line: 2, user: "eve", from: "[local]:/tmp/c\"li,ent.sock"),
            row("10:00:02.000", session: 3, line: 2),
        ]
        let summary = try place.replay([place.write("a.csv", rows)])
        #expect(try actions().count == 3)
        #expect(summary.addresses == ["[local]": 2, "203.0.113.66": 1])
        #expect(summary.unreadCount == 0)
    }

    @Test("a session id of any size is no reason to stop")
    func hugeNumbers() throws {
        let huge = row("10:00:00.000", session: 1, line: 2).replacing("69a55d0d.1001", with: "7fffffffffffffff.1001")
        let summary = try place.replay([place.write("a.csv", [huge, row("10:00:01.000", session: 2, line: 2)])])
        #expect(summary.records == 2)
    }

    @Test("a copy in the same run, a link, and a file named twice add nothing to the counters")
    func sameRun() throws {
        let rows = (0..<50).map { authorized("10:00:\($0 < 10 ? "0" : "")\($0).000", session: $0) }
        let path = try place.write("a.csv", rows)
        try place.write("copy.csv", rows)
        try FileManager.default.createSymbolicLink(atPath: place.path("link.csv"), withDestinationPath: path)
        _ = try place.replay([path, place.path("copy.csv"), place.path("link.csv"), path])
        #expect(try Store(existing: place.path("a.db")).activityTotal() == 50)
    }

    @Test("a torn last record is shown each time, kept never, and read when it is whole")
    func tornTail() throws {
        let last = row("10:00:02.000", session: 2, line: 2)
        let path = try place.write("a.csv", [row("10:00:01.000", session: 1, line: 2), String(last.dropLast(60))])
        // Without its line feed.
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try handle.truncate(atOffset: try handle.seekToEnd() - 1)
        #expect(try place.replay([path]).unreadCount == 1)
        #expect(try place.replay([path]).unreadCount == 1)
        try handle.write(contentsOf: Data((last.suffix(60) + "\n").utf8))
        try handle.close()
        let whole = try place.replay([path])
        #expect(whole.unreadCount == 0 && whole.records == 1)
        #expect(try actions().count == 2)
    }

    @Test("a clock that is set back by hours does not stop the rules")
    func clockSetBack() throws {
        let rows =
            (0..<12).map { row("12:00:\($0 + 10).000", session: $0, line: 2) }
            + (0..<12).map { row("08:00:\($0 + 10).000", session: 50 + $0, line: 2, from: "203.0.113.77:1") }
        let summary = try place.replay([place.write("a.csv", rows)])
        #expect(summary.clockSteps == 1)
        #expect(Set(summary.alerts.compactMap(\.sourceIP).map(\.description)) == ["203.0.113.66", "203.0.113.77"])
    }

    @Test("a folder without logs, a missing file, a binary file: nothing is made")
    func badInput() throws {
        try FileManager.default.createDirectory(atPath: place.path("empty"), withIntermediateDirectories: true)
        try Data([0, 1, 2, 3, 0, 255]).write(to: URL(fileURLWithPath: place.path("binary")))
        let good = try place.write("good.csv", [row("10:00:00.000", session: 1, line: 2)])
        for paths in [
            [place.path("empty")], [place.path("none.csv")], [place.path("binary")], [good, place.path("none.csv")],
        ] {
            #expect(throws: (any Error).self, "\(paths)") { try place.replay(paths, into: "none.db") }
        }
        #expect(!FileManager.default.fileExists(atPath: place.path("none.db")))
        try Data().write(to: URL(fileURLWithPath: place.path("weekday.csv")))
        #expect(try place.replay([place.path("weekday.csv")]).empty == 1)
    }

    @Test("rows of csvlog in the text of a stderr log are not believed")
    func stderrLog() throws {
        let fake = row("10:00:00.000", session: 9, line: 1, from: "198.51.100.1:1")
        let start = "2026-03-02 10:00:00.000 UTC [1] bob@shop "
        let path = try place.write(
            "postgresql.log",
            [
                start + "LOG:  statement: select '", "\t" + fake, "\t" + start + "FATAL:  role \"bob\" does not exist",
                start + "FATAL:  password authentication failed for user \"bob\"",
            ])
        let summary = try place.replay([path])
        // The failure, and that somebody sends such a text.
        #expect(summary.records == 2 && summary.unread.isEmpty && summary.result.inserted == 2)
    }

    @Test("a rule is tuned by the configuration, and an unknown one refused with the nearest name")
    func tuning() throws {
        let path = place.path("c.yml")
        try Data("rules: {auth-bruteforce: {threshold: 3, severity: low}}\n".utf8).write(to: URL(fileURLWithPath: path))
        let rows = (0..<4).map { row("10:00:0\($0).000", session: $0, line: 2) }
        let summary = try place.replay([place.write("a.csv", rows)], configuration: try Configuration.load(path))
        #expect(summary.alerts.map(\.severity) == [.low])
        try Data("rules: {auth-brutforce: {threshold: 3}}\n".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: UnknownRule.self) { try Configuration.load(path).catalogue() }
    }

    @Test("every example of the catalogue gives what it says")
    func examples() throws {
        let check = CatalogueCheck(try Configuration().catalogue(withExamples: true))
        #expect(check.failures == [])
    }
}
