import Patterns
import VigilModel

/// A rule as vmalert reads it, with the comments above it.
struct VmalertRule {
    let lines: [String]
    /// How often it is to be looked at, in seconds.
    let interval: Int

    init(_ rule: Rule, _ query: LogsQLQuery, notes: Notes) {
        interval = VmalertRule.interval(query.window)
        let template = AlertTemplate(labels: query.labels, window: query.window, rule: rule)
        let (level, word) = VmalertRule.level(rule.severity)
        var lines = YAMLText.comment("\(rule.about.id): \(rule.about.name)", indent: 6)
        for note in notes.texts { lines += YAMLText.comment("approximated: " + note, indent: 6) }
        lines += [
            "      - alert: \(VmalertRule.name(rule.about.id))",
            "        expr: \(YAMLText.block(query.text, indent: 10))",
            "        labels:",
            "          level: '\(level)'",
            "          severity: \(word)",
            "          category: pgsql",
            "          job: pgvigil",
            "          rule: \(YAMLText.scalar(rule.about.id))",
            "          family: \(YAMLText.scalar(rule.about.family))",
            "        annotations:",
        ]
        for (name, text) in VmalertRule.annotations(rule, summary: "\(word) \(template.text)") where !text.isEmpty {
            lines.append("          \(name): \(YAMLText.block(text, indent: 12))")
        }
        self.lines = lines
    }

    private static func annotations(_ rule: Rule, summary: String) -> [(String, String)] {
        [
            ("summary", summary),
            ("description", rule.description.replacing("{{", with: "{ {")),
            ("event_severity", rule.severity.rawValue),
            ("threat_technique_id", rule.about.techniques.joined(separator: " ")),
            ("compliance_soc2", rule.about.soc2.joined(separator: " ")),
            ("compliance_mlps", rule.about.mlps.joined(separator: ", ")),
            ("false_positives", rule.falsePositives.joined(separator: "; ").replacing("{{", with: "{ {")),
        ]
    }

    /// What looks far back costs more, and need not be looked at as often.
    private static func interval(_ window: Int64) -> Int {
        window <= 3_600_000 ? 60 : window <= 21_600_000 ? 300 : 900
    }

    /// `auth-bruteforce` is `PgAuthBruteforce`, as in alerts that pgvigil sends itself.
    static func name(_ id: String) -> String {
        "Pg"
            + id.split { !$0.isLetter && !$0.isNumber }.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// Pigsty's levels: 0 pages, 1 warns.
    private static func level(_ severity: Severity) -> (Int, String) {
        switch severity {
        case .critical: (0, "CRIT")
        case .high, .medium: (1, "WARN")
        case .low, .info: (2, "INFO")
        }
    }
}
