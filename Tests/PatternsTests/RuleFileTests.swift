import LocatedYAML
import Testing
import VigilModel

@testable import Patterns

/// The catalogue of the program, read once.
private let packaged = Result { try Catalogue.embedded() }

/// A rule read beside the packaged patterns, or what is wrong with it.
private func rule(_ text: String) throws -> Rule {
    let name = "patterns/rules/site.yml"
    return try RuleReader(packaged.get()).read(YAMLValue(text: text, file: name), name: name, text: text)
}

/// All files of the program but its rules, with some of ours.
private func catalogue(_ rules: [String], sets: [String: [String]] = [:]) throws -> Catalogue {
    let packaged = EmbeddedFile.all.filter { !$0.name.hasPrefix("rules/") }.map { ($0.name, $0.text) }
    let own = rules.enumerated().map { ("rules/site-\($0.offset).yml", $0.element) }
    return try Catalogue(files: packaged + own, sets: sets)
}

private let sound = """
    id: site-one
    name: A rule
    description: What it is for.
    family: perm
    severity: medium
    match: {tags: perm.denied}
    suppress: 1h
    examples:
      - {name: fires, events: [{event.action: perm.denied}], alerts: 1}
      - {name: does not, events: [{event.action: ddl}], alerts: 0}
    """

@Suite("Rule files")
struct RuleFileTests {
    @Test(
        "a wrong file is refused with file, line, reason and what to do",
        arguments: [
            ("severity: medium", "severity: huge", "rules/site.yml:5:11: 'huge' is not one of"),
            ("family: perm", "family: prem", "rules/site.yml:4:9: unknown family"),
            ("tags: perm.denied", "tag: perm.denied", "rules/site.yml:6:9: unknown key 'tag'"),
            ("tags: perm.denied", "tags: perm.denid", "did you mean perm.denied?"),
            ("tags: perm.denied", "source.ip: {cidr: 10.0.0.256}", "no address or CIDR"),
            ("tags: perm.denied", "user.name: {regex: '('}", "at byte"),
            ("tags: perm.denied", "user.name: {set: superuser}", "did you mean superusers?"),
            ("match: {tags: perm.denied}", "match: {}", "nothing is asked for"),
            ("suppress: 1h", "suppress: soon", "a length of time belongs here"),
            ("suppress: 1h", "suppress: 1h\nban: 1h", "only a rule grouped by source.ip can ban"),
            ("suppress: 1h", "suppress: 1h\nattack: [T9999]", "'T9999' is not in patterns/frameworks/ under attack"),
            ("suppress: 1h", "suppress: 1h\nmessage: 'by {user.nam}'", "did you mean {user.name}?"),
            ("suppress: 1h", "suppress: 1h\ncondition: {threshold: {count: 3}}", "the key 'within' is missing"),
            ("suppress: 1h", "suppress: 1h\ncondition: {threshold: {count: 0, within: 1m}}", "from 1 to 100000"),
            ("suppress: 1h", "suppress: 1h\nexcept: [{user.name: bob}]", "the key 'reason' is missing"),
            ("alerts: 1}", "alerts: 0}", "a rule needs an example that fires and one that does not"),
        ])
    func refused(_ old: String, _ new: String, _ message: String) throws {
        let text = sound.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false).joined(separator: new)
        #expect(text != sound)
        do {
            _ = try rule(text)
            Issue.record("not refused: \(new)")
        } catch { #expect("\(error)".contains(message), "for \(message): \(error)") }
    }

    @Test("two rules with one id are refused with both places")
    func twins() throws {
        do {
            _ = try catalogue([sound, sound])
            Issue.record("not refused")
        } catch {
            #expect(
                "\(error)".contains("rules/site-1.yml:1: the id 'site-one' stands at patterns/rules/site-0.yml:1 too"))
        }
    }

    @Test("the configuration adds to sets, and only to those there are")
    func sets() throws {
        let text = sound.replacing("tags: perm.denied", with: "user.name: {set: superusers}")
        let rule = try #require(try catalogue([text], sets: ["superusers": ["anna"]]).rules.first)
        #expect(rule.match.tests.contains { $0.test.holds(for: "anna") })
        #expect(throws: UnknownSet.self) { try catalogue([text], sets: ["superuser": ["anna"]]) }
    }

    @Test(
        "tests of values",
        arguments: [
            ("x.*", "x.y", true), ("x.*", "y.x", false), ("{regex: '^a+$'}", "aaa", true),
            ("{regex: '^a+$'}", "ab", false), ("{cidr: [10.0.0.0/8]}", "10.9.8.7", true),
            ("{cidr: [10.0.0.0/8]}", "11.9.8.7", false), ("{at_least: 3, at_most: 5}", "5", true),
            ("{at_least: 3, at_most: 5}", "6", false), ("{at_least: 3}", "many", false), ("{not: a}", "b", true),
            ("{not: a}", "a", false), ("{not: a}", nil, true), ("{present: true}", nil, false),
            ("{present: false}", nil, true), ("a", nil, false), ("[a, b]", "b", true),
        ] as [(String, String?, Bool)])
    func values(_ test: String, _ value: String?, _ holds: Bool) throws {
        let text = sound.replacing("tags: perm.denied", with: "db.object.name: \(test)")
        let rule = try rule(text)
        let kind = EventKind(
            dataset: "postgresql.log", category: "", action: "ddl", outcome: .unknown, severity: .info, tags: ["ddl"])
        var event = DetectionEvent(
            seq: 0, time: LogTime(milliseconds: 0), kind: kind, ip: nil, user: nil, database: nil)
        event.details[.object] = value
        #expect(rule.match.matches(event) == holds)
    }

    @Test("a kind that cannot match is known without a look at its events")
    func kinds() throws {
        let text = sound.replacing(
            "match: {tags: perm.denied}",
            with:
                "match: {any: [{tags: {all: [perm.denied, ddl]}}, {event.action: sqli}], not: {event.outcome: success}}"
        )
        let match = try rule(text).match
        func kind(_ action: String, _ tags: [String], _ outcome: EventOutcome = .unknown) -> EventKind {
            EventKind(dataset: "", category: "", action: action, outcome: outcome, severity: .info, tags: tags)
        }
        #expect(match.mayMatch(kind("ddl", ["ddl", "perm.denied"])))
        #expect(!match.mayMatch(kind("ddl", ["ddl"])))
        #expect(match.mayMatch(kind("sqli", ["sqli"])))
        #expect(!match.mayMatch(kind("sqli", ["sqli"], .success)))
        #expect(match.place == .kind)
    }

    @Test("what an alert says leaves out what is not known")
    func messages() throws {
        let text =
            sound + "\nmessage: '{count} refusals[ of {user.name}][ from {source.ip}[ in {db.namespace}]] in {span}'"
        let form = try #require(try rule(text).message)
        func said(_ values: [EventKey: String]) -> String {
            form.text({ values[$0] }) { $0 == .count ? "3" : "1 min" }
        }
        #expect(said([:]) == "3 refusals in 1 min")
        #expect(said([.user: "bob", .database: "shop"]) == "3 refusals of bob in 1 min")
        #expect(said([.ip: "192.0.2.1", .database: "shop"]) == "3 refusals from 192.0.2.1 in shop in 1 min")
    }

    @Test("every rule of the program bans on nothing that a client writes")
    func bans() throws {
        let written: Set<EventKey> = [.user, .database, .application, .query, .message, .object, .targetUser]
        for rule in try Catalogue.embedded().rules where rule.ban != nil {
            let asked = Set((rule.matches + rule.except.map(\.match)).flatMap { $0.tests.map(\.key) })
            #expect(asked.isDisjoint(with: written), "\(rule.about.id)")
            #expect(rule.groupBy == [.ip], "\(rule.about.id)")
        }
    }
}
