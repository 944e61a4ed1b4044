import Foundation
import Testing

@Suite("What if")
struct WhatIfTests {
    private func rules(_ store: SampleStore, _ text: String) throws -> String {
        let base = try String(contentsOfFile: store.file("a.yml"), encoding: .utf8)
        let path = store.file("new.yml")
        try Data((base + text).utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func run(_ store: SampleStore, _ configuration: String, _ arguments: String...) throws -> Program.Result {
        try Program.run(["replay", "--what-if", "--store", store.path, "--config", configuration] + arguments)
    }

    private static let changes = """
        rules: {auth-bruteforce: {threshold: 4}, auth-success-after-failures: {threshold: 20}}
        exceptions:
          - {rule: [family:auth], cidr: 203.0.113.99, reason: our own scanner}
          - {rule: auth-bruteforce, user: 'ad*', until: 2026-03-10, reason: the role admin is retired}
        """

    @Test("other rules say what they would have made of the store's events, and leave the store as it is")
    func changed() throws {
        let store = try SampleStore()
        defer { store.remove() }
        let before = try store.output("alerts", "--format", "jsonl")
        let result = try run(store, try rules(store, WhatIfTests.changes))
        #expect(result.code == 0 && result.talk.isEmpty)
        let text = result.output.split(separator: store.folder.path + "/", omittingEmptySubsequences: false).joined()
        try Golden.expect(text, "what-if.txt")
        #expect(try store.output("alerts", "--format", "jsonl") == before)
        #expect(try store.run("blocklist", "--at", "2026-03-02T12:30:00Z").output == "203.0.113.66/32\n")
    }

    @Test("the same rules make the same of them, of the logs too")
    func same() throws {
        let store = try SampleStore()
        defer { store.remove() }
        #expect(try run(store, store.file("a.yml")).output.contains("the same alerts and bans"))
        let one = try run(store, store.file("a.yml"), store.file("samples/postgresql-Mon.csv"))
        #expect(one.output.contains("the same alerts and bans"))
        let rows = try run(store, store.file("a.yml"), "--format", "jsonl").output.split(separator: "\n")
        #expect(rows[0].contains("\"alerts.gained\":0") && rows[0].contains("\"bans.same\":5"))
        // A store that is not there holds nothing, and is not made.
        let none = try Program.run([
            "replay", "--what-if", "--store", store.file("none.db"), "--config", store.file("a.yml"), "--fail-on",
            "critical", store.file("samples"),
        ])
        #expect(none.code == 3 && none.output.contains("everything is gained"))
        #expect(!FileManager.default.fileExists(atPath: store.file("none.db")))
        let empty = try Program.run(["replay", "--what-if", "--store", store.file("none.db")])
        #expect(empty.code == 1 && empty.talk.contains("there is no store here"))
    }

    @Test("a folder of rules is tried, and wrong rules are refused")
    func patterns() throws {
        let store = try SampleStore()
        defer { store.remove() }
        try FileManager.default.removeItem(atPath: store.file("patterns/rules/auth-spray.yml"))
        let fewer = try run(store, store.file("a.yml"), "--patterns", store.file("patterns"))
        #expect(fewer.output.contains("1 lost"))
        let wrong = try run(store, try rules(store, "exceptions: [{rule: auth-brutforce, reason: x}]"))
        #expect(wrong.code == 2 && wrong.talk.contains("did you mean auth-bruteforce?"))
    }
}
