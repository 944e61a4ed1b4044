import Patterns
import VigilModel

/// What an alert of vmalert's says: a rule's message with `{{ $labels.x }}` for what the query gives.
struct AlertTemplate {
    let labels: [EventKey: String]
    let window: Int64
    let rule: Rule

    /// The message; the rule's name with its groups where it asks for what the query does not give.
    var text: String {
        if let parts = rule.message?.parts, let text = text(parts) { return text }
        let values = rule.groupBy.compactMap { key in labels[key].map { "\($0) {{ $labels.\($0) }}" } }
        return ([rule.about.name] + values).joined(separator: ", ")
    }

    private func text(_ parts: [MessageForm.Part], isOptional: Bool = false) -> String? {
        var result = ""
        for part in parts {
            switch part {
            case .text(let text): result += text.replacing("{{", with: "{ {")
            case .number(.span): result += Durations.text(window)
            case .number: result += "{{ $value }}"
            case .key(let key):
                guard let label = labels[key] else { return nil }
                result += "{{ $labels.\(label) }}"
            case .optional(let inner):
                guard let text = text(inner, isOptional: true) else { continue }
                let conditions = names(inner)
                guard let first = conditions.first else { continue }
                let test =
                    conditions.count == 1
                    ? "$labels.\(first)" : "and " + conditions.map { "$labels.\($0)" }.joined(separator: " ")
                result += "{{ if \(test) }}\(text){{ end }}"
            }
        }
        return result
    }

    private func names(_ parts: [MessageForm.Part]) -> [String] {
        parts.compactMap { part in
            if case .key(let key) = part { return labels[key] }
            return nil
        }
    }
}
