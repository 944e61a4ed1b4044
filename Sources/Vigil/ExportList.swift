import EventStore
import Foundation
import LocatedYAML
import Patterns
import RuleExport
import VigilModel

extension Configuration {
    /// The rules as this configuration has them, in the words of another engine. Throws for a rule that is not there.
    public func export(_ target: ExportTarget, fields: ExportFields, rules: [String]) throws -> ExportedRules {
        let catalogue = try catalogue()
        let known = catalogue.rules.map(\.about.id)
        for id in rules where !known.contains(id) { throw UnknownExportRule(id: id, known: known) }
        let now = LogTime.wallClock
        return RuleExporter(catalogue, exceptions: exceptions, publicNetworks: publicNetworks, now: now)
            .export(target, fields: fields, rules: rules)
    }
}

/// What became of rules, as rows.
public enum ExportList {
    /// One row a rule.
    public static func rows(_ outcomes: [RuleOutcome]) -> [ShownRow] {
        outcomes.map { outcome in
            var row: ShownRow = [
                ("rule.id", .text(outcome.id)), ("exported", .text(outcome.refusal == nil ? "yes" : "no")),
            ]
            if let reason = outcome.refusal { row.append(("reason", .text(reason))) }
            if !outcome.notes.isEmpty { row.append(("approximated", .list(outcome.notes))) }
            return row
        }
    }
}

/// A rule is to be exported that is not there.
struct UnknownExportRule: Error, CustomStringConvertible {
    let id: String
    let known: [String]

    var description: String {
        "no rule is named '\(id)'" + (nearest(to: id, among: known).map { "\n  hint: did you mean \($0)?" } ?? "")
    }
}
