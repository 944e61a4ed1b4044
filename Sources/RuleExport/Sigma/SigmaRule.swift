import Patterns
import VigilModel

/// One document of Sigma: a rule, or a correlation of rules.
struct SigmaDocument {
    let lines: [String]

    /// What documents of one rule share.
    struct Head {
        let rule: Rule
        let fields: ExportFields
        let notes: [String]

        /// A number of its own for each document, the same with every export (RFC 9562, version 8).
        func id(_ part: String) -> String {
            var digits = Array(
                Fingerprint.sha256("pgvigil sigma \(fields.rawValue) \(rule.about.id) \(part)".utf8).prefix(32))
            digits[12] = "8"
            digits[16] = "a"
            let text = String(digits)
            var groups: [String] = []
            var rest = text[...]
            for length in [8, 4, 4, 4, 12] {
                groups.append(String(rest.prefix(length)))
                rest = rest.dropFirst(length)
            }
            return groups.joined(separator: "-")
        }

        /// A name that correlations refer to.
        func name(_ part: String) -> String {
            "pgvigil_" + String("\(rule.about.id)_\(part)".map { $0.isLetter || $0.isNumber ? $0 : "_" })
        }

        fileprivate func opening(_ part: String, title: String) -> [String] {
            [
                "title: \(YAMLText.scalar(title))", "id: \(id(part))", "name: \(name(part))", "status: test",
                "description: \(YAMLText.scalar(rule.description))",
            ]
        }

        fileprivate var closing: [String] {
            var lines = ["falsepositives:"]
            lines += (rule.falsePositives.isEmpty ? ["Unknown"] : rule.falsePositives).map {
                "    - " + YAMLText.scalar($0)
            }
            return lines + ["level: \(rule.severity == .info ? "informational" : rule.severity.rawValue)"]
        }

        fileprivate var tags: [String] {
            guard !rule.about.techniques.isEmpty else { return [] }
            return ["tags:"] + rule.about.techniques.map { "    - attack.\($0.lowercased())" }
        }

        fileprivate var comments: [String] { notes.flatMap { YAMLText.comment("approximated: " + $0, indent: 0) } }
    }

    private static let rows = "events of pgvigil without its alerts, each event.id once: the newest row counts"

    /// A rule about single rows.
    init(_ head: Head, part: String, title: String, service: String?, detection: SigmaDetection, isWhole: Bool) {
        lines =
            (isWhole ? head.comments : []) + head.opening(part, title: title) + head.tags
            + ["logsource:", "    product: postgresql"] + (service.map { ["    service: \($0)"] } ?? [])
            + (service == "pgvigil" ? ["    definition: \(YAMLText.scalar(SigmaDocument.rows))"] : [])
            + ["detection:"] + detection.lines + head.closing
    }

    /// A correlation.
    init(_ head: Head, part: String, title: String, correlation: SigmaCorrelation, isWhole: Bool) {
        lines =
            (isWhole ? head.comments : []) + head.opening(part, title: title) + head.tags + ["correlation:"]
            + correlation.lines.map { "    " + $0 } + head.closing
    }
}

/// How rows are counted or ordered.
struct SigmaCorrelation {
    let type: String
    let rules: [String]
    let groupBy: [String]
    let window: Int64
    var count: Int?
    var field: String?

    var lines: [String] {
        var lines = ["type: \(type)", "rules:"] + rules.map { "    - \($0)" }
        if !groupBy.isEmpty { lines += ["group-by:"] + groupBy.map { "    - \($0)" } }
        lines.append("timespan: \(Durations.text(window))")
        if let count {
            lines += ["condition:"] + (field.map { ["    field: \($0)"] } ?? []) + ["    gte: \(count)"]
        }
        return lines
    }
}
