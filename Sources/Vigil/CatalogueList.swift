import EventStore
import Patterns
import VigilModel

/// The catalogue as rows.
public struct CatalogueList {
    /// Patterns, then rules.
    public let rows: [ShownRow]

    /// Takes the catalogue.
    public init(_ catalogue: Catalogue) throws {
        func row(_ parts: (String, String, String, String, String, String)) -> ShownRow {
            [
                ("id", .text(parts.0)), ("kind", .text(parts.1)), ("action", .text(parts.2)),
                ("severity", .text(parts.3)), ("place", .text(parts.4)), ("description", .text(parts.5)),
            ]
        }
        rows =
            catalogue.events.patterns.map { pattern in
                let (action, severity) = CatalogueList.words(pattern.effect)
                return row((pattern.id, "record", action, severity, pattern.place, pattern.description))
            }
            + catalogue.events.statements.map { statement in
                row(
                    (
                        statement.id, "statement", statement.kind.action, statement.kind.severity.rawValue,
                        statement.place,
                        statement.description
                    ))
            }
            + catalogue.events.texts.map { text in
                row(
                    (
                        text.id, "text", text.kind.action, text.kind.severity.rawValue, text.place, text.description
                    ))
            }
            + catalogue.events.gaps.map { gap in
                row((gap.id, "gap", gap.kind.action, gap.kind.severity.rawValue, gap.place, gap.description))
            }
            + catalogue.rules.map { rule in
                row((rule.about.id, "rule", rule.about.family, rule.severity.rawValue, rule.place, rule.about.name))
            }
            + BanNotice.rules.map { rule in
                row((rule.id, "rule", rule.family, BanNotice.severity.rawValue, "built in", rule.name))
            }
    }

    private static func words(_ effect: EventPattern.Effect) -> (String, String) {
        switch effect {
        case .event(let kind), .login(let kind): return (kind.action, kind.severity.rawValue)
        case .evidence: return ("evidence", "")
        case .statement: return ("statement", "")
        case .counted: return ("counter", "")
        }
    }
}
