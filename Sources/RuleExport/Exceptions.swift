import Detections
import VigilModel

/// What the configuration tells rules not to look at, as conditions.
struct Exceptions {
    let all: [AlertException]
    /// Whether a query can ask for the time of a row.
    let knowsTime: Bool
    /// The moment of the export: what has ended by then is left out.
    let now: LogTime

    /// What rows of a rule must not show.
    func condition(
        _ rule: AlertRule, fields: (EventKey) throws(NotExpressible) -> String, notes: inout Notes
    ) -> Condition {
        var parts: [Condition] = []
        for exception in all where exception.rules.contains(rule) {
            if let until = exception.until, until <= now { continue }
            if exception.schedule != nil {
                notes.add("an exception is left out, since it holds at some hours only: \(exception.reason)")
                continue
            }
            do { parts.append(.inverse(try self.condition(exception, fields, &notes))) } catch {
                notes.add("an exception is left out (\(exception.reason)): \(error.reason)")
            }
        }
        return .and(parts)
    }

    private func condition(
        _ exception: AlertException, _ field: (EventKey) throws(NotExpressible) -> String, _ notes: inout Notes
    ) throws(NotExpressible) -> Condition {
        var parts: [Condition] = []
        let texts: [(EventKey, [String])] = [
            (.user, exception.users), (.database, exception.databases), (.application, exception.applications),
        ]
        for (key, words) in texts where !words.isEmpty {
            let field = try field(key)
            parts.append(.or(words.map { Exceptions.condition(field, $0) }))
        }
        if !exception.networks.isEmpty {
            let field = try field(.ip)
            parts.append(.or(exception.networks.map { .test(field: field, .block($0)) }))
        }
        if let until = exception.until {
            if knowsTime {
                parts.append(.test(field: "_time", .before(until)))
            } else {
                notes.add("an exception that ends at \(until) does not end here: \(exception.reason)")
            }
        }
        return .and(parts)
    }

    /// A `*` stands for any text.
    private static func condition(_ field: String, _ word: String) -> Condition {
        let pieces = word.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
        guard pieces.count > 1 else { return .equals(field, [word]) }
        let text = pieces.map(PortableRegex.quoted).joined(separator: ".*")
        return .and([.has(field), .test(field: field, .regex(PortableRegex(plain: "^\(text)$")))])
    }
}
