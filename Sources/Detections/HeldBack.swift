import Patterns
import VigilModel

/// An alert that an exception held back.
public struct HeldBack: Sendable {
    /// The alert that there would have been.
    public let alert: Alert
    /// The group, to suppress the next one about it.
    public let group: String
    /// The exception's reason.
    public let reason: String
}

/// Counts what exceptions hold back: the same rules over the same events as if there were none. Only rules that an
/// exception is about are run twice.
public struct ExceptionWatch {
    private var detector: Detector
    private let exceptions: [AlertException]
    private let rules: [String: AlertRule]

    /// Nil when no exception is about any of the rules.
    public init?(rules: [Rule], publicNetworks: Set<EventMatch.Network>, exceptions: [AlertException]) {
        let touched = rules.filter { rule in rule.enabled && exceptions.contains { $0.rules.contains(rule.about) } }
        guard !touched.isEmpty else { return nil }
        detector = Detector(rules: touched, publicNetworks: publicNetworks)
        self.exceptions = exceptions
        self.rules = Dictionary(touched.map { ($0.about.id, $0.about) }) { first, _ in first }
    }

    /// Takes what was held back before, so that it suppresses as an alert would have.
    public mutating func restore(rule: String, group: String, time: LogTime) {
        detector.restore(rule: rule, group: group, time: time)
    }

    /// Takes an event; gives the alerts that it would have fired and that an exception held back.
    public mutating func take(
        _ event: DetectionEvent, silently: Bool = false, identity: (Int64) throws -> String
    ) rethrows -> [HeldBack] {
        try detector.take(event, silently: silently, identity: identity).compactMap { finding in
            guard let rule = rules[finding.alert.rule.id],
                let exception = exceptions.first(where: { $0.holdsBack(event, from: rule) })
            else { return nil }
            return HeldBack(alert: finding.alert, group: finding.group, reason: exception.reason)
        }
    }
}
