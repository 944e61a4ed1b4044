import Foundation
import Testing

@Suite("One alert")
struct AlertTests {
    private func id(_ store: SampleStore, severity: String) throws -> String {
        let line = try #require(
            try store.output("alerts", "--severity", severity, "--format", "jsonl").split(separator: "\n").first)
        let row = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        return try #require(row["alert.id"] as? String)
    }

    @Test("is shown whole, with the records behind it as they stand in their files")
    func text() throws {
        let store = try SampleStore()
        defer { store.remove() }
        let id = try id(store, severity: "critical")
        // The version of the rule is a hash of its text.
        let text = try store.output("alerts", "show", String(id.prefix(6)))
            .replacing(#/version [0-9a-f]{12}/#, with: "version V")
        try Golden.expect(text, "alert.txt")
        let whole = try store.output("alerts", "show", id, "--all")
        #expect(whole.count(of: "\n") > text.count(of: "\n"))
    }

    @Test("gives a line for machines for itself and for each record")
    func rows() throws {
        let store = try SampleStore()
        defer { store.remove() }
        let lines = try store.output("alerts", "show", try id(store, severity: "critical"), "--format", "jsonl")
            .split(separator: "\n")
        #expect(lines.count == 16)
        #expect(lines[0].contains("\"rule.description\":") && lines[0].contains("\"rule.false_positives\":["))
        for line in lines.dropFirst() {
            #expect(line.contains("\"event.original\":\"log_time=") && line.contains("\"log.offset\":"))
        }
    }

    @Test(
        "says why a record cannot be shown",
        arguments: [
            ("rm", "No such file"), ("truncate", "was rotated"), ("cut", "was cut short"), ("gzip", "packed"),
        ])
    func absent(change: String, words: String) throws {
        let store = try SampleStore()
        defer { store.remove() }
        let id = try id(store, severity: "critical")
        let file = store.file("samples/postgresql-Mon.csv")
        let log = try Data(contentsOf: URL(fileURLWithPath: file))
        switch change {
        case "rm": try FileManager.default.removeItem(atPath: file)
        case "truncate": try log.dropFirst(1000).write(to: URL(fileURLWithPath: file))
        case "cut": try log.prefix(5000).write(to: URL(fileURLWithPath: file))
        default: try Program.pack(log, "gzip").write(to: URL(fileURLWithPath: file))
        }
        let text = try store.output("alerts", "show", id)
        #expect(text.contains("the record cannot be shown") && text.contains(words))
        #expect(text.contains("auth.failure (bad_password)"))
    }

    @Test("of an id that is nobody's, or several alerts', the way on is said")
    func wrong() throws {
        let store = try SampleStore()
        defer { store.remove() }
        #expect(try store.run("alerts", "show", "zz").code == 1)
        #expect(try store.run("alerts", "show", "zz").talk.contains("alert.id"))
        #expect(try store.run("alerts", "show", "%").code == 1)
        #expect(try store.run("alerts", "show", "a", "--user", "bob").code == 64)
        #expect(try store.run("alerts", "--source-ip", "nowhere").code == 64)
    }
}
