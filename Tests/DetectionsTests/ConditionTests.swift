import LocatedYAML
import Testing
import VigilModel

@testable import Detections
@testable import Patterns

/// The conditions beside counting, each on a rule of its own.
@Suite("Conditions of rules")
struct ConditionTests {
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
        return try RuleReader(ConditionTests.packaged.get()).read(
            YAMLValue(text: text, file: "site.yml"), name: "site.yml", text: text)
    }

    private static let kinds = ["auth.failure", "auth.success", "ddl", "perm.denied"].map { action in
        EventKind(
            dataset: "postgresql.log", category: "authentication", action: action, outcome: .unknown, severity: .low,
            tags: [action])
    }

    private func event(_ action: String, at seconds: Int64, ip: String = "192.0.2.1", user: String = "bob") throws
        -> DetectionEvent
    {
        DetectionEvent(
            seq: seconds, time: LogTime(milliseconds: seconds * 1000),
            kind: try #require(ConditionTests.kinds.first { $0.action == action }), ip: IPAddress(ip), user: user,
            database: "shop")
    }

    /// Seconds at which the rule fires.
    private func fired(_ rule: Rule, _ events: [DetectionEvent], end: Int64? = nil) -> [Int64] {
        var detector = Detector(rules: [rule], publicNetworks: [])
        var found = events.flatMap { detector.take($0) { "event \($0)" } }
        if let end { found += detector.advance(to: LogTime(milliseconds: end * 1000)) { "event \($0)" } }
        return found.map { $0.alert.time.milliseconds / 1000 }
    }

    @Test("without a condition each event fires, and suppression holds by group")
    func plain() throws {
        var rule = try rule("match: {event.action: ddl}\ngroup_by: [user.name]")
        #expect(fired(rule, try [event("ddl", at: 1), event("ddl", at: 9), event("auth.failure", at: 10)]) == [1, 9])
        rule = try self.rule("match: {event.action: ddl, not: {user.name: bob}}")
        #expect(fired(rule, try [event("ddl", at: 1), event("ddl", at: 2, user: "eve")]) == [2])
    }

    @Test("a sequence asks for its steps in their order, within the window")
    func sequence() throws {
        let rule = try rule(
            """
            match: {event.action: auth.failure}
            group_by: [source.ip]
            condition:
              sequence: {count: 2, within: 60s, then: [{event.action: auth.success}, {event.action: ddl, times: 2}]}
            """)
        let start = try [event("auth.failure", at: 0), event("auth.failure", at: 5)]
        #expect(
            fired(rule, try start + [event("auth.success", at: 10), event("ddl", at: 20), event("ddl", at: 30)]) == [30]
        )
        #expect(
            fired(rule, try start + [event("ddl", at: 10), event("auth.success", at: 20), event("ddl", at: 30)]) == [])
        #expect(
            fired(rule, try start + [event("auth.success", at: 10), event("ddl", at: 20), event("ddl", at: 61)]) == [])
        #expect(
            fired(
                rule,
                try start + [
                    event("auth.success", at: 10, ip: "192.0.2.2"), event("ddl", at: 20), event("ddl", at: 30),
                ])
                == [])
    }

    @Test("what resets a count makes it begin anew")
    func reset() throws {
        let rule = try rule(
            """
            match: {event.action: auth.failure}
            group_by: [source.ip]
            condition: {threshold: {count: 3, within: 1h}}
            reset: {event.action: auth.success}
            """)
        let failures = try (1...3).map { try event("auth.failure", at: $0 * 10) }
        #expect(fired(rule, failures) == [30])
        #expect(fired(rule, try [failures[0], failures[1], event("auth.success", at: 25), failures[2]]) == [])
        #expect(
            fired(rule, try [failures[0], failures[1], event("auth.success", at: 25, ip: "192.0.2.9"), failures[2]])
                == [30])
    }

    @Test("a value is new when its group is known and has not shown it")
    func firstSeen() throws {
        let rule = try rule(
            """
            match: {event.action: auth.success}
            group_by: [user.name]
            condition: {first_seen: {key: source.network, events: 3, learn: 60s, forget: 1h}}
            """)
        let known = try (0..<4).map { try event("auth.success", at: $0 * 30) }
        let other = try event("auth.success", at: 100, ip: "198.51.100.7")
        #expect(fired(rule, known + [other]) == [100])
        #expect(fired(rule, known + [other, try event("auth.success", at: 200, ip: "198.51.100.9")]) == [100])
        // Not known for long enough, by too few events, or nobody knows the user.
        #expect(
            fired(rule, [known[0], known[1], known[2], try event("auth.success", at: 59, ip: "198.51.100.7")]) == [])
        #expect(fired(rule, [known[0], known[3], other]) == [])
        #expect(fired(rule, known + [try event("auth.success", at: 100, ip: "198.51.100.7", user: "eve")]) == [])
        // Not shown for an hour.
        #expect(fired(rule, known + [other, try event("auth.success", at: 4000, ip: "192.0.2.200")]) == [100, 4000])
    }

    @Test("what was learnt goes on after a restart")
    func learnt() throws {
        let rule = try rule(
            """
            match: {event.action: auth.success}
            group_by: [user.name]
            condition: {first_seen: {key: source.ip, events: 3, learn: 60s, forget: 1h}}
            """)
        var before = Detector(rules: [rule], publicNetworks: [])
        for seconds in 0..<4 { _ = before.take(try event("auth.success", at: Int64(seconds) * 30)) { "event \($0)" } }
        let learnt = before.takeLearnt()
        #expect(Set(learnt.map(\.value)) == ["", "192.0.2.1"])
        #expect(before.takeLearnt().isEmpty)
        var after = Detector(rules: [rule], publicNetworks: [])
        after.restore(rule: "site-one", learnt)
        #expect(after.take(try event("auth.success", at: 110)) { "event \($0)" }.isEmpty)
        #expect(after.take(try event("auth.success", at: 120, ip: "192.0.2.2")) { "event \($0)" }.count == 1)
    }

    @Test("silence fires once, when its time is over, by a later event or by the clock")
    func absence() throws {
        let rule = try rule(
            "match: {event.action: ddl}\ngroup_by: [db.namespace]\ncondition: {absence: {for: 60s}}")
        let events = try [event("ddl", at: 0), event("ddl", at: 59)]
        #expect(fired(rule, events) == [])
        #expect(fired(rule, events, end: 118) == [])
        #expect(fired(rule, events, end: 119) == [119])
        #expect(fired(rule, events + [try event("auth.failure", at: 300)], end: 400) == [119])
        #expect(fired(rule, events + [try event("ddl", at: 300)], end: 400) == [119, 360])
    }

    @Test("exceptions leave events out, for every condition")
    func except() throws {
        let rule = try rule(
            """
            match: {event.action: auth.failure}
            except: [{source.ip: {cidr: 10.0.0.0/8}, reason: our own}]
            group_by: [source.ip]
            condition: {threshold: {count: 2, within: 1m}}
            """)
        #expect(
            fired(rule, try (1...4).map { try event("auth.failure", at: $0, ip: "10.0.0.1") }) == [])
        #expect(fired(rule, try (1...2).map { try event("auth.failure", at: $0) }) == [2])
    }
}
