import EventStore
import Foundation
import Testing
import Vigil
import VigilModel

/// What `make-expected.py` counted in the logs of one run.
struct Expectation: Decodable {
    let records: [String: Int64]
    let failures: [String: Int64]
    let successes: [String: Int64]
    let statements: [String: Int64]
    let denied: [String: Int64]
    let replication: [String: Int64]
    let server: [String: Int64]
    let audited: [String: Int64]

    enum CodingKeys: String, CodingKey {
        case records, server
        case failures = "auth_failures_by_ip_user"
        case successes = "successes_by_ip_user"
        case statements = "ddl_by_command"
        case denied = "denied_by_ip_user"
        case replication = "replication_by_command"
        case audited = "audit_by_class"
    }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Corpus")

    static func all() throws -> [String: Expectation] {
        let data = try Data(contentsOf: folder.appending(path: "expected.json"))
        return try JSONDecoder().decode([String: Expectation].self, from: data)
    }
}

/// The csv logs of a run, unpacked, and a place for stores; gone with the test. The other forms and programs are what
/// `make corpus` compares.
final class Run {
    let folder: URL
    let logs: URL

    init(_ name: String, unpacking members: [String] = ["logs/*.csv"], strip: Int = 1) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        logs = folder.appending(path: "logs")
        try FileManager.default.createDirectory(at: logs, withIntermediateDirectories: true)
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments =
            [
                "tar", "-xJf", Expectation.folder.appending(path: "\(name).tar.xz").path, "-C", logs.path,
                "--strip-components=\(strip)", "--wildcards",
            ] + members
        try tar.run()
        tar.waitUntilExit()
        try #require(tar.terminationStatus == 0)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func replay(
        _ paths: [String], into name: String, jobs: Int = 2, _ configuration: Configuration = Configuration()
    ) throws -> (store: Store, summary: ReplaySummary) {
        let path = folder.appending(path: name).path
        let options = Replay.Options(paths: paths, store: path, since: nil, until: nil, jobs: jobs)
        let summary = try Replay(options, configuration: configuration).run { _, _ in }
        return (try Store(existing: path), summary)
    }
}

/// Counts of events by keys, as `a|b`.
func counts(
    _ store: Store, _ what: Queryable = .events, action: String?, by keys: [String]
) throws -> [String: Int64] {
    var filter = EventFilter()
    if let action { filter.values = [("event.action", action)] }
    var result: [String: Int64] = [:]
    try store.count(what, filter, by: keys) { row in
        let name = keys.map { key -> String in
            if case .text(let text)? = row.first(where: { $0.key == key })?.value { return text }
            return ""
        }.joined(separator: "|")
        if case .number(let number)? = row.last?.value { result[name] = number }
    }
    return result
}

/// Every row as text, without what depends on where and when it was read.
func rows(_ store: Store, _ what: Queryable, without keys: Set<String> = ["log.file.path", "log.offset"]) throws
    -> [String]
{
    var result: [String] = []
    try store.query(what, EventFilter()) { row in
        result.append(row.filter { !keys.contains($0.key) }.map { "\($0.key)=\($0.value)" }.joined(separator: " "))
    }
    return result.sorted()
}

@Suite("Corpus: logs of real servers")
struct CorpusTests {
    @Test(
        "failed logins, logins and statements are those that happened", arguments: try Expectation.all().keys.sorted())
    func counted(name: String) throws {
        let expected = try #require(try Expectation.all()[name])
        let run = try Run(name)
        let (store, summary) = try run.replay([run.logs.path], into: "a.db")
        #expect(summary.records == expected.records.values.reduce(0, +))
        #expect(summary.unread.isEmpty && summary.unknownZones.isEmpty)
        #expect(try counts(store, action: "auth.failure", by: ["source.address", "user.name"]) == expected.failures)
        #expect(try counts(store, action: "auth.success", by: ["source.address", "user.name"]) == expected.successes)
        let found = try statements(store).filter { CorpusTests.isChange($0.key) }
        let wanted = expected.statements.filter { CorpusTests.isChange($0.key) }
        for words in Set(found.keys).union(wanted.keys) { #expect(found[words] == wanted[words], "\(words)") }
        #expect(
            try counts(store, .activity, action: nil, by: ["pgaudit.class"]).filter { $0.key != "" } == expected.audited
        )
    }

    @Test(
        "refusals, replication and the server's own lines are those that happened",
        arguments: try Expectation.all().keys.sorted())
    func countedLines(name: String) throws {
        let expected = try #require(try Expectation.all()[name])
        let run = try Run(name)
        let (store, _) = try run.replay([run.logs.path], into: "a.db")
        var denied: [String: Int64] = [:]
        try store.query(.events, EventFilter()) { row in
            func text(_ key: String) -> String {
                if case .text(let text)? = row.first(where: { $0.key == key })?.value { return text }
                return ""
            }
            guard case .list(let tags)? = row.first(where: { $0.key == "tags" })?.value, tags.contains("perm.denied")
            else { return }
            denied["\(text("source.address"))|\(text("user.name"))", default: 0] += 1
        }
        #expect(denied == expected.denied)
        let operations = try counts(store, action: nil, by: ["db.operation.name"])
        #expect(operations.filter { CorpusTests.isReplication($0.key) } == expected.replication)
        let actions = try counts(
            store, action: nil, by: ["event.action", "event.reason", "db.operation.name", "db.object.type"])
        func sum(_ isMeant: ([Substring]) -> Bool) -> Int64? {
            let found = actions.filter { isMeant($0.key.split(separator: "|", omittingEmptySubsequences: false)) }
            return found.isEmpty ? nil : found.values.reduce(0, +)
        }
        #expect(expected.server["crashes"] == sum { $0[0] == "server.crash" || $0[1] == "logger_killed" })
        #expect(
            expected.server["parameters"] == sum { $0[0] != "perm.denied" && $0[2].isEmpty && $0[3] == "parameter" })
    }

    private static func isReplication(_ operation: String) -> Bool {
        operation.contains("_") && operation == operation.uppercased()
    }

    /// First two words of the first statement of each record, as the expectation counts them.
    private func statements(_ store: Store) throws -> [String: Int64] {
        var result: [String: Int64] = [:]
        try store.query(.events, EventFilter()) { row in
            func text(_ key: String) -> String? {
                if case .text(let text)? = row.first(where: { $0.key == key })?.value { return text }
                return nil
            }
            // What only pgaudit or an error told of is no record of log_statement.
            guard text("event.dataset") == "postgresql.log", text("postgresql.log.sql_state_code") == "00000",
                let query = text("db.query.text"), let id = text("event.id"),
                id.split(separator: "-").last?.contains(".") == false
            else { return }
            let fillers: Set<String> = ["OR", "REPLACE", "TEMP", "TEMPORARY", "UNIQUE", "UNLOGGED"]
            let words = query.uppercased().split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init)
            let kept = words.enumerated().filter { $0.offset == 0 || !fillers.contains($0.element) }.map(\.element)
            result[kept.prefix(2).joined(separator: " "), default: 0] += 1
        }
        return result
    }

    /// Statements that change what exists or who may do what; of others only some are events.
    private static func isChange(_ words: String) -> Bool {
        let first = words.prefix { $0 != " " }
        return [
            "CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "TRUNCATE", "COMMENT", "REFRESH", "REINDEX", "SECURITY",
            "IMPORT", "CLUSTER", "REASSIGN",
        ].contains(String(first))
    }

    @Test("no password of the logs gets into the store", arguments: ["pg15-audit-ddl", "pg15-de", "pg18-audit"])
    func secrets(name: String) throws {
        let run = try Run(name)
        let (store, _) = try run.replay([run.logs.path], into: "a.db")
        let text = try rows(store, .events).joined(separator: "\n")
        // The lab's passwords are Pw-ROLE-NUMBER.
        #expect(text.contains("<redacted>"))
        #expect(text.firstRange(of: try Regex("Pw-[a-z_]+-[0-9]{4,}")) == nil)
    }

    @Test("the same logs give the same, whatever the order, the number of jobs, and how often")
    func order() throws {
        let run = try Run("pg15-rotate")
        var configuration = Configuration()
        configuration.bans.loopback = true
        let files = try FileManager.default.subpathsOfDirectory(atPath: run.logs.path).filter { $0.hasSuffix(".csv") }
            .sorted()
            .map { run.logs.appending(path: $0).path }
        let (first, _) = try run.replay(files, into: "a.db", jobs: 1, configuration)
        let (second, _) = try run.replay(files.reversed(), into: "b.db", jobs: 4, configuration)
        for what in [Queryable.events, .alerts] { #expect(try rows(first, what) == rows(second, what)) }
        let (again, summary) = try run.replay(files, into: "a.db", jobs: 2, configuration)
        #expect(summary.result.inserted == 0 && summary.alerts.isEmpty && summary.records == 0)
        #expect(try rows(again, .events) == rows(second, .events))
        #expect(
            try first.bans(from: .distantPast, to: .distantFuture)
                == second.bans(from: .distantPast, to: .distantFuture))
    }

    @Test("a log that grew in any steps gives what it gives at once", arguments: [1, 2, 3])
    func grown(seed: Int) throws {
        let run = try Run("pg15-audit-ddl")
        let whole = try Data(contentsOf: run.logs.appending(path: "postgresql.csv"))
        let (once, _) = try run.replay([run.logs.path], into: "once.db")
        let growing = run.folder.appending(path: "growing.csv").path
        let cuts = CorpusTests.cuts(of: Array(whole), seed: seed)
        try Data().write(to: URL(fileURLWithPath: growing))
        var from = 0
        for cut in cuts {
            // The same inode with more bytes, as a server appends.
            let handle = try FileHandle(forUpdating: URL(fileURLWithPath: growing))
            try handle.seekToEnd()
            try handle.write(contentsOf: whole[from..<cut])
            try handle.close()
            from = cut
            _ = try run.replay([growing], into: "grown.db")
        }
        let (grown, _) = try run.replay([growing], into: "grown.db")
        #expect(try rows(once, .events) == rows(grown, .events), "cuts \(cuts)")
        #expect(try rows(once, .alerts) == rows(grown, .alerts), "cuts \(cuts)")
        #expect(try once.activityTotal() == grown.activityTotal(), "cuts \(cuts)")
    }

    /// Places to cut a log at. None stands between an authorized login and what its session does next, or between a
    /// statement and what pgaudit tells of it: the end of input says that nothing follows.
    private static func cuts(of log: [UInt8], seed: Int) -> [Int] {
        (1...8).map { number in
            var cut = (seed * 7919 + number * 104_729) * 31 % log.count
            while cut > 2000, String(decoding: log[cut...].prefix(2000), as: UTF8.self).contains("\"AUDIT: ") {
                cut -= 997
            }
            let end = log[..<cut].lastIndex(of: 10) ?? 0
            let start = log[..<end].lastIndex(of: 10) ?? 0
            let isLogin = String(decoding: log[start..<end], as: UTF8.self).contains("connection auth")
            return isLogin ? start + 1 - 300 : cut
        }.filter { $0 > 0 }.sorted() + [log.count]
    }

    @Test("a copy adds nothing, not even to the counters")
    func copies() throws {
        let run = try Run("pg15-audit-ddl")
        let (store, _) = try run.replay([run.logs.path], into: "a.db")
        let total = try store.activityTotal()
        let copy = run.folder.appending(path: "copy.csv")
        try FileManager.default.copyItem(at: run.logs.appending(path: "postgresql.csv"), to: copy)
        let (_, summary) = try run.replay([copy.path], into: "a.db")
        #expect(summary.result.inserted == 0 && summary.records > 0)
        #expect(try store.activityTotal() == total)
    }
}
