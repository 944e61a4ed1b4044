import Foundation
import Testing

@Suite("Story")
struct StoryTests {
    @Test(
        "is what a person reads at three in the morning",
        arguments: [
            ("report_ro", "story-user.txt"), ("203.0.113.99", "story-address.txt"),
            ("203.0.113.120", "story-names.txt"), ("69a5be29.51e0", "story-session.txt"),
            ("10.20.1.11", "story-logins.txt"), ("2001:db8:bad::/64", "story-block.txt"),
        ])
    func text(who: String, file: String) throws {
        let store = try SampleStore()
        defer { store.remove() }
        try Golden.expect(try store.output("story", who), file)
    }

    @Test("rows for machines hold every event, like ones in a row as one, with the alerts and bans between them")
    func rows() throws {
        let store = try SampleStore()
        defer { store.remove() }
        let lines = try store.output("story", "203.0.113.66", "--format", "jsonl").split(separator: "\n")
        let rows = try lines.map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        func sum(_ kind: String) -> Int {
            rows.filter { $0["kind"] as? String == kind }.reduce(0) { $0 + ($1["event.count"] as? Int ?? 1) }
        }
        #expect(sum("event") == 77)
        #expect(rows.filter { $0["kind"] as? String == "ban" }.count == 2)
        let times = rows.compactMap { $0["@timestamp"] as? String }
        #expect(times == times.sorted() && times.count == rows.count)
        #expect(try store.output("story", "203.0.113.66", "--format", "jsonl", "--limit", "1").count(of: "\n") == 1)
        #expect(try store.output("story", "203.0.113.66", "--format", "csv").hasPrefix("@timestamp,last_seen,kind,"))
    }

    @Test("a part is told by time and by number of lines")
    func parts() throws {
        let store = try SampleStore()
        defer { store.remove() }
        let part = try store.output("story", "report_ro", "--since", "2026-03-02T18:00", "--until", "2026-03-03")
        #expect(part.contains("NOSUPERUSER NOLOGIN") && !part.contains("failed login"))
        let short = try store.run("story", "report_ro", "--limit", "5")
        #expect(short.output.contains("earlier parts not shown") && short.talk.contains("--limit N shows more"))
        #expect(short.output.contains("3 failed logins from 10.20.3.31"))
    }

    @Test("who is nobody is said, with what to do; so is what may be two things")
    func nobody() throws {
        let store = try SampleStore()
        defer { store.remove() }
        let near = try store.run("story", "repotr_ro")
        #expect(near.code == 0 && near.output.isEmpty && near.talk.contains("did you mean \"report_ro\"?"))
        #expect(try store.run("story", "198.51.100.1").talk.contains("--group-by source.ip"))
        let later = try store.run("story", "report_ro", "--since", "2027-01-01")
        #expect(later.talk.contains("in that time"))
        // Somebody who takes the name of an address makes it two things.
        let line =
            #"2026-03-02 09:55:19.183 UTC,"10.20.1.11","shop",20271,"203.0.113.9:49691",69a55e87.4f2f,2,"authentication",2026-03-02 09:55:19 UTC,4/2,0,FATAL,28P01,"password authentication failed for user ""10.20.1.11""",,,,,,,,,"","client backend",,0"#
        _ = try store.run("replay", "-", input: Data((line + "\n").utf8))
        let two = try store.run("story", "10.20.1.11")
        #expect(two.code == 2 && two.talk.contains("--as user or --as address"))
        #expect(try store.output("story", "10.20.1.11", "--as", "user").contains("203.0.113.9"))
    }
}

extension String {
    /// How often a character stands in it.
    func count(of character: Character) -> Int { filter { $0 == character }.count }
}
