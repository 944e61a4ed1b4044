/// What stands at the top of an export: what it is, where it differs as a whole, and what is missing in it.
struct ExportHead {
    let lines: [String]

    init(target: ExportTarget, fields: ExportFields, outcomes: [RuleOutcome]) {
        let refused = outcomes.filter { $0.refusal != nil }
        let rows =
            fields == .pigsty
            ? "records as Pigsty's Vector ships them"
            : "events as pgvigil ships them (job=\"pgvigil\", one row an event)"
        var texts = [
            "Rules of pgvigil for \(target.rawValue), over \(rows). Written by pgvigil patterns export; "
                + "\(outcomes.count - refused.count) of \(outcomes.count) rules. Changes here are lost with the next export."
        ]
        switch target {
        case .vmalert:
            texts.append(
                "An alert lasts as long as its window holds what it counts; how long pgvigil stays quiet after an alert "
                    + "(suppress) and whom it bans is not part of it. Windows end where a query is run, so a burst that "
                    + "begins and ends between two runs is seen in the next one, and rows that arrive later than the "
                    + "window is long are not seen. Rules without a count look back ten minutes. At most 100 groups of "
                    + "a rule are shown, those with most events.")
            if fields == .pigsty {
                texts.append(
                    "In Pigsty _time may be the time of reading: what was held up looks like a burst. A record that is "
                        + "shipped twice counts twice. Behind a proxy or pooler the client is that proxy or pooler.")
            }
        case .sigma:
            texts.append(
                "Sigma compares texts without regard to the case of letters, counts an event that stands for several "
                    + "(event.count) once and the second try of a client that prefers TLS as well, and groups IPv6 by "
                    + "whole addresses, pgvigil by their /64.")
        }
        var lines = texts.flatMap { YAMLText.comment($0, indent: 0) + ["#"] }
        if !refused.isEmpty {
            lines += YAMLText.comment("Not exported:", indent: 0)
            for outcome in refused {
                let text = YAMLText.comment("\(outcome.id): \(outcome.refusal ?? "")", indent: 0, width: 112)
                lines += text.enumerated().map { ($0.offset == 0 ? "#   " : "#     ") + $0.element.dropFirst(2) }
            }
        }
        if lines.last == "#" { lines.removeLast() }
        self.lines = lines
    }
}
