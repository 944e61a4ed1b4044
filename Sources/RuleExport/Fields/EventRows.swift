import Detections
import Patterns
import VigilModel

/// Rules over the events that pgvigil ships: one row an event, with the keys of `events --format jsonl`.
struct EventRows {
    let publicNetworks: Set<EventMatch.Network>
    /// As VictoriaLogs has them: with our alerts among them, and the message as the row's own.
    let isVictoriaLogs: Bool

    /// What the rows of VictoriaLogs have beside an event's keys.
    private static let kind = "event.kind"

    func reading(_ rule: Rule) throws(NotExpressible) -> Reading {
        var excepted: [Condition] = []
        for except in rule.except { excepted.append(.inverse(try condition(except.match))) }
        let kind: [Condition] = isVictoriaLogs ? [.equals(EventRows.kind, ["event"])] : []
        return Reading(
            condition: .and(kind + [try condition(rule.match)] + excepted), jobs: ["pgvigil"], address: "source.ip",
            weight: "event.count", identity: "event.id",
            fields: Dictionary(
                uniqueKeysWithValues: EventKey.allCases.filter { $0 != .network }.map { ($0, field($0)) }))
    }

    func condition(_ match: EventMatch) throws(NotExpressible) -> Condition {
        var parts: [Condition] = []
        for (key, test) in match.tests { parts.append(try condition(key, test)) }
        if !match.networks.isEmpty {
            let networks = NetworkTests(ip: "source.ip", address: "source.address", publicNetworks: publicNetworks)
            parts.append(networks.condition(match.networks))
        }
        if !match.anyOf.isEmpty {
            var choices: [Condition] = []
            for choice in match.anyOf { choices.append(try condition(choice)) }
            parts.append(.or(choices))
        }
        for part in match.noneOf { parts.append(.inverse(try condition(part))) }
        return .and(parts)
    }

    private func condition(_ key: EventKey, _ test: ValueTest) throws(NotExpressible) -> Condition {
        switch key {
        case .tags: return try FieldTests.items("tags", test)
        case .network:
            guard case .present(let wanted) = test else { throw NotExpressible("a test of source.network") }
            return wanted ? .has("source.ip") : .inverse(.has("source.ip"))
        case .count:
            // An event that stands for itself alone does not say so.
            let field = field(.count)
            let asked = try FieldTests.condition(field, test)
            return test.holds(for: "1") ? .or([.inverse(.has(field)), asked]) : asked
        default: return try FieldTests.condition(field(key), test)
        }
    }

    private func field(_ key: EventKey) -> String {
        guard isVictoriaLogs else { return key.rawValue }
        return switch key {
        case .cluster: "cls"
        case .instance: "ins"
        case .message: "_msg"
        default: key.rawValue
        }
    }
}
