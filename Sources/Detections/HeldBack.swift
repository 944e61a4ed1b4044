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
    /// Rules whose alerts no event fires.
    private let silence: Set<String>

    /// Nil when no exception is about any of the rules.
    public init?(rules: [Rule], publicNetworks: Set<EventMatch.Network>, exceptions: [AlertException]) {
        let touched = rules.filter { rule in rule.enabled && exceptions.contains { $0.rules.contains(rule.about) } }
        guard !touched.isEmpty else { return nil }
        detector = Detector(rules: touched, publicNetworks: publicNetworks)
        self.exceptions = exceptions
        self.rules = Dictionary(touched.map { ($0.about.id, $0.about) }) { first, _ in first }
        silence = Set(touched.filter { if case .absence = $0.condition { true } else { false } }.map(\.about.id))
    }

    /// Takes what a rule had learnt in earlier runs.
    public mutating func restore(rule: String, _ entries: [BaselineEntry]) {
        detector.restore(rule: rule, entries)
    }

    /// Takes what was held back before, so that it suppresses as an alert would have.
    public mutating func restore(rule: String, group: String, time: LogTime) {
        detector.restore(rule: rule, group: group, time: time)
    }

    /// Takes an event; gives the alerts that it would have fired and that an exception held back.
    public mutating func take(
        _ event: DetectionEvent, silently: Bool = false, identity: (Int64) throws -> String
    ) rethrows -> [HeldBack] {
        try detector.take(event, silently: silently, identity: identity).compactMap { held($0, at: event) }
    }

    /// Says that event time has come so far: rules that wait for silence would have fired.
    public mutating func advance(to now: LogTime, identity: (Int64) throws -> String) rethrows -> [HeldBack] {
        try detector.advance(to: now, identity: identity).compactMap { held($0, at: nil) }
    }

    private func held(_ finding: Finding, at event: DetectionEvent?) -> HeldBack? {
        guard let rule = rules[finding.alert.rule.id] else { return nil }
        let exception = exceptions.first { exception in
            guard let event, !silence.contains(rule.id) else { return exception.holdsBack(finding.alert) }
            return exception.holdsBack(event, from: rule)
        }
        return exception.map { HeldBack(alert: finding.alert, group: finding.group, reason: $0.reason) }
    }
}
