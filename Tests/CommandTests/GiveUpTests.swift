import Foundation
import Testing

/// A pattern of the user's own folder that costs too much is named wherever one looks, and harms nothing else.
@Suite("Patterns that give up")
struct GiveUpTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: Program.root.appending(path: "patterns"), to: folder.appending(path: "patterns"))
        try "patterns: \(folder.path)/patterns\n".write(
            to: folder.appending(path: "a.yml"), atomically: true, encoding: .utf8)
    }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    private static func row(_ line: Int, _ state: String, _ message: String) -> String {
        "2026-03-02 09:49:01.374 UTC,\"bob\",\"shop\",7,\"203.0.113.9:4000\",69a55d0d.7,\(line),\"SELECT\","
            + "2026-03-02 09:49:01 UTC,3/1,0,ERROR,\(state),\"\(message)\",,,,,,,,,\"psql\",\"client backend\",,0"
    }

    private func writePatterns() throws {
        let pattern = """
            about: >-
              A test.
            patterns:
              - id: site-evil
                description: Costs too much.
                when:
                  severity: ERROR
                  sqlstate: 22013
                  matches: {message: '^(a+)+$'}
                event: {category: database, action: site.evil, severity: low}
                examples:
                  - record: '\(GiveUpTests.row(1, "22013", "aaa"))'
                    gives: {event.action: site.evil}
              - id: site-other
                description: Anything.
                when:
                  severity: ERROR
                  sqlstate: 22013
                event: {category: database, action: site.other, severity: low}
                examples:
                  - record: '\(GiveUpTests.row(1, "22013", "none"))'
                    gives: {event.action: site.other}

            """
        try pattern.write(to: folder.appending(path: "patterns/events/site.yml"), atomically: true, encoding: .utf8)
    }

    @Test("replay and status name it, and the record is what the next pattern says")
    func named() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try writePatterns()
        let evil = String(repeating: "a", count: 60) + "!"
        let log = (1...3).map { GiveUpTests.row($0, "22013", evil) } + [GiveUpTests.row(4, "22013", "aaaa")]
        try (log.joined(separator: "\n") + "\n").write(
            to: folder.appending(path: "a.csv"), atomically: true, encoding: .utf8)
        let common = ["--config", path("a.yml"), "--store", path("a.db")]
        let replay = try Program.run(["replay"] + common + [path("a.csv")])
        #expect(replay.code == 0)
        #expect(replay.talk.contains("pattern site-evil gave up"), "\(replay.talk)")
        #expect(!replay.talk.contains("site-other gave up"))
        let events = try Program.run(
            ["events"] + common + ["--group-by", "event.action", "--format", "csv"]
        ).output
        #expect(events.contains("site.other,3\n") && events.contains("site.evil,1\n"), "\(events)")
        let status = try Program.run(["status"] + common).output
        #expect(status.contains("pattern site-evil, "), "\(status)")
        let rows = try Program.run(["status"] + common + ["--format", "jsonl"]).output
        #expect(rows.contains(#""kind":"give_up","pattern":"site-evil","count":"#), "\(rows)")
    }
}
