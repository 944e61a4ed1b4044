import Detections
import Patterns
import Testing
import VigilModel

@testable import RuleExport

@Suite("Rules in the words of other engines")
struct ExportTests {
    private func export(
        _ target: ExportTarget, _ fields: ExportFields, _ rules: [String] = Fixture.all,
        exceptions: [AlertException] = [], sets: [String: [String]] = [:]
    ) throws -> ExportedRules {
        RuleExporter(try Fixture.catalogue(rules, sets: sets), exceptions: exceptions, now: Fixture.now)
            .export(target, fields: fields)
    }

    @Test(
        "each target and kind of rows",
        arguments: [
            (ExportTarget.vmalert, ExportFields.pgvigil), (.vmalert, .pigsty), (.sigma, .pgvigil), (.sigma, .pigsty),
        ])
    func golden(target: ExportTarget, fields: ExportFields) throws {
        let text = try export(target, fields).text
        #expect(text == (try Fixture.golden("\(target.rawValue)-\(fields.rawValue).yml")), "\(text)")
    }

    @Test("what cannot be said is left out with the reason")
    func refusals() throws {
        func reasons(_ target: ExportTarget, _ fields: ExportFields) throws -> [String: String] {
            let refused = try export(target, fields).outcomes.compactMap { outcome in
                outcome.refusal.map { (outcome.id, String($0.prefix { $0 != ":" && $0 != "(" })) }
            }
            return Dictionary(uniqueKeysWithValues: refused)
        }
        #expect(try reasons(.vmalert, .pgvigil) == ["x-after": "a sequence", "x-silent": "silence"])
        #expect(
            try reasons(.vmalert, .pigsty) == [
                "x-after": "a sequence", "x-silent": "silence",
                "x-dropped": "the SQL must be read to know what it means ",
            ])
        #expect(try reasons(.sigma, .pgvigil) == ["x-silent": "silence"])
    }

    @Test("every packaged rule is exported or refused with a reason, and twice in the same way")
    func packaged() throws {
        let catalogue = try Catalogue.embedded()
        for target in ExportTarget.allCases {
            for fields in ExportFields.allCases {
                let exporter = RuleExporter(catalogue, now: Fixture.now)
                let first = exporter.export(target, fields: fields)
                #expect(first.outcomes.map(\.id) == catalogue.rules.map(\.about.id))
                #expect(first.text == exporter.export(target, fields: fields).text)
                for outcome in first.outcomes where outcome.refusal != nil {
                    #expect(first.text.contains("#   \(outcome.id): "), "\(outcome.id) is not listed")
                }
            }
        }
        let events = RuleExporter(catalogue, now: Fixture.now).export(.vmalert, fields: .pgvigil).outcomes
        // Only what has an order, a memory or silence in it.
        for rule in catalogue.rules {
            let isSayable: Bool
            switch rule.condition {
            case .match, .threshold, .distinct: isSayable = rule.reset == nil
            default: isSayable = false
            }
            #expect(events.contains { $0.id == rule.about.id && ($0.refusal == nil) == isSayable }, "\(rule.about.id)")
        }
    }

    @Test("one rule alone, and one that is switched off")
    func some() throws {
        var catalogue = try Fixture.catalogue(Fixture.all)
        catalogue.rules[0].enabled = false
        let exporter = RuleExporter(catalogue, now: Fixture.now)
        #expect(exporter.export(.vmalert, fields: .pgvigil, rules: ["x-denied"]).outcomes.map(\.id) == ["x-denied"])
        let off = exporter.export(.vmalert, fields: .pgvigil, rules: ["x-bruteforce"])
        #expect(off.outcomes.first?.refusal == "the configuration switches it off")
        #expect(off.text.hasSuffix("groups: []\n"))
    }

    @Test("exceptions of the configuration hold here, too, and those that cannot are told")
    func exceptions() throws {
        var narrow = AlertException(rules: .all, reason: "load test")
        narrow.users = ["load*", "x"]
        narrow.networks = [try #require(CIDR("192.0.2.0/24"))]
        narrow.until = Fixture.now.adding(milliseconds: 86_400_000)
        var nightly = AlertException(rules: .some(ids: ["x-denied"], families: []), reason: "nightly job")
        nightly.schedule = WeekSchedule(days: [0], from: 0, to: 60, zone: "UTC")
        var over = AlertException(rules: .all, reason: "long gone")
        over.until = Fixture.now
        over.users = ["gone"]
        let export = try export(.vmalert, .pgvigil, [Fixture.denied], exceptions: [narrow, nightly, over])
        let until = try #require(narrow.until)
        #expect(
            export.text.contains(
                #"!((("user.name":* "user.name":~"(?s)^load.*$") or "user.name":="x") "#
                    + #""source.ip":ipv4_range("192.0.2.0/24") _time:<\#(until))"#), "\(export.text)")
        #expect(export.outcomes[0].notes.contains { $0.contains("nightly job") })
        #expect(!export.text.contains("gone"))
        let sigma = try self.export(.sigma, .pgvigil, [Fixture.denied], exceptions: [narrow])
        #expect(sigma.outcomes[0].notes.contains { $0.contains("does not end here: load test") })
    }

    @Test("a rule over an empty set can never hold, and is not exported")
    func emptySet() throws {
        let rule = Fixture.denied.replacing("not: {user.name: {set: known}}", with: "user.name: {set: nobody}")
        for target in ExportTarget.allCases {
            let refusal = try export(target, .pgvigil, [rule]).outcomes.first?.refusal
            #expect(refusal?.hasPrefix("it can never hold") == true)
            // The configuration names somebody.
            #expect(try export(target, .pgvigil, [rule], sets: ["nobody": ["me"]]).outcomes.first?.refusal == nil)
        }
    }
}
