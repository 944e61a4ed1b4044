import LocatedYAML
import Testing
import VigilModel

@testable import Detections
@testable import Patterns

@Suite("What rules need of the store")
struct RuleScopeTests {
    private static let packaged = Result { try Catalogue.embedded() }

    private func rule(_ lines: String) throws -> Rule {
        let text = """
            id: site-one
            name: A rule
            description: What it is for.
            family: perm
            severity: medium
            suppress: 1s
            \(lines)
            examples:
              - {name: fires, events: [{event.action: ddl}], alerts: 1}
              - {name: does not, events: [{event.action: ddl}], alerts: 0}
            """
        return try RuleReader(RuleScopeTests.packaged.get()).read(
            YAMLValue(text: text, file: "site.yml"), name: "site.yml", text: text)
    }

    private func kind(_ action: String, _ category: String) -> EventKind {
        EventKind(
            dataset: "postgresql.log", category: category, action: action, outcome: .unknown, severity: .low,
            tags: [action])
    }

    @Test("a kind is read as far back as the longest rule about it, and with details only where one asks")
    func scope() throws {
        let rules = [
            try rule(
                "match: {event.action: auth.failure}\ngroup_by: [source.ip]\ncondition: {threshold: {count: 3, within: 24h}}\nmessage: 'x'"
            ),
            try rule("match: {event.action: auth.failure, postgresql.log.application_name: x}\nmessage: 'x'"),
            try rule("match: {event.action: ddl}"),
            try rule("match: {event.action: auth.success}\nmessage: '{user.name}'"),
        ]
        let all = RuleScope(rules: rules, exceptions: [])
        #expect(all.lookback(for: kind("auth.failure", "authentication")) == 86_400_000)
        #expect(all.place(for: kind("auth.failure", "authentication")) == .details)
        #expect(all.place(for: kind("auth.success", "authentication")) == .event)
        // Its alerts show the statement.
        #expect(all.place(for: kind("ddl", "database")) == .details)
        #expect(all.place(for: kind("perm.denied", "database")) == nil)
        #expect(
            RuleScope(rules: [rules[0]], exceptions: []).place(for: kind("auth.failure", "authentication")) == .event)
        var exception = AlertException(rules: .all, reason: "test")
        exception.applications = ["x"]
        let excepted = RuleScope(rules: [rules[3]], exceptions: [exception])
        #expect(excepted.place(for: kind("auth.success", "authentication")) == .details)
    }

    @Test("what is removed weighs nothing any more")
    func removed() {
        var table = RecentTable<Int, Int>(limit: 100, weightLimit: 10) { $0 }
        for number in 0..<50 {
            table.change(number, at: LogTime(milliseconds: 0), window: 1000, fresh: 0) { $0 = 5 }
            table.remove(number)
        }
        table.change(50, at: LogTime(milliseconds: 0), window: 1000, fresh: 0) { $0 = 5 }
        #expect(table.evictions == 0 && table[50] == 5 && table[49] == nil)
    }

    @Test("two generations keep what is touched and let the quietest go, counted")
    func generations() {
        var table = RecentTable<Int, Int>(limit: 10)
        for number in 0..<100 {
            table.change(number, at: LogTime(milliseconds: Int64(number)), window: 1000, fresh: 0) { $0 = number }
            table.change(0, at: LogTime(milliseconds: Int64(number)), window: 1000, fresh: 0) { $0 += 1 }
        }
        #expect(table[0] != nil && table[99] == 99 && table[20] == nil)
        #expect(table.evictions > 50)
        // What is older than a window is no loss.
        let before = table.evictions
        table.change(200, at: LogTime(milliseconds: 5000), window: 1000, fresh: 0) { $0 = 1 }
        table.change(201, at: LogTime(milliseconds: 9000), window: 1000, fresh: 0) { $0 = 1 }
        #expect(table.evictions == before && table[0] == nil)
    }
}

@Suite("State by group")
struct RecentTableTests {
    @Test("holds what a dictionary does, with keys that meet and many that go", arguments: 1...5)
    func likeDictionary(seed: Int) {
        var table = RecentTable<Int, [Int]>(limit: .max)
        var dictionary: [Int: [Int]] = [:]
        var bookmark = RecentTable<Int, [Int]>.Bookmark()
        var random = UInt64(seed)
        for step in 0..<20_000 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // Of these, sixteen have the same place in a table of any size that is reached.
            let key = Int((random >> 33) % 60) << ((random >> 60) % 2 == 0 ? 20 : 0)
            if (random >> 50) % 3 == 0 {
                table.remove(key)
                dictionary[key] = nil
            } else {
                bookmark = RecentTable<Int, [Int]>.Bookmark()
                table.change(key, &bookmark, at: LogTime(milliseconds: 1), window: .max, fresh: []) { $0.append(step) }
                #expect(table.value(of: key, &bookmark) == table[key])
                dictionary[key, default: []].append(step)
            }
            if step % 500 == 0 {
                #expect(table.count == dictionary.count)
                for (key, value) in dictionary { #expect(table[key] == value) }
            }
        }
    }
}

extension Int: PlacedKey {
    /// As it is.
    public var place: UInt64 { UInt64(bitPattern: Int64(self)) }
}
