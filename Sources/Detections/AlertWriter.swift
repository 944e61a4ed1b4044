import Patterns
import VigilModel

/// Puts an alert into words. Text that a client wrote is shown with control characters escaped, and cut.
struct AlertWriter {
    let rule: Rule
    /// The event that fired.
    let event: DetectionEvent
    /// Those that counted.
    let window: Window

    func alert(id: String, at time: LogTime) -> Alert {
        let entries = window.current
        return Alert(
            id: id, time: time, rule: rule.about, severity: rule.severity,
            sourceIP: rule.groupBy.contains(.ip) ? event.ip : shared(entries, \.ip, event.ip),
            user: rule.groupBy.contains(.user) ? event.user : shared(entries, \.user, event.user),
            database: shared(entries, \.database, event.database), eventCount: window.count,
            firstSeen: entries.first?.time ?? event.time, lastSeen: event.time,
            evidence: entries.suffix(100).map(\.seq), message: message(entries))
    }

    /// What all events agree on, which the one that fired, being one of them, has; nil when they do not.
    private func shared<Value>(
        _ entries: [Window.Entry], _ mark: (DetectionActor.Marks) -> Int, _ value: Value?
    ) -> Value? {
        let own = mark(event.actor.marks)
        return entries.allSatisfy { mark($0.marks) == own } ? value : nil
    }

    private func message(_ entries: [Window.Entry]) -> String {
        let form = rule.message ?? .standard(rule.about.name)
        let isOne = window.count == 1
        return form.text { key in
            // Of several events only what they share is true of all.
            switch key {
            case .user where !isOne && !rule.groupBy.contains(.user):
                shared(entries, \.user, event.user).map { shown(key, $0) }
            case .database where !isOne: shared(entries, \.database, event.database).map { shown(key, $0) }
            case .ip where !isOne && !rule.groupBy.contains(.ip): shared(entries, \.ip, event.ip)?.description
            case .ip: event.ip.map { "\($0)\($0.isV4 || isOne ? "" : "/64")" }
            default: event.value(of: key).map { shown(key, $0) }
            }
        } _: { number in
            switch number {
            case .count: String(counted)
            case .distinct: String(window.valueCount)
            case .span:
                Shown.duration(event.time.milliseconds - (entries.first?.time ?? event.time).milliseconds)
            }
        }
    }

    /// Events that counted; of a sequence, those of its first step.
    private var counted: Int64 {
        if case .sequence(_, _, let then) = rule.condition { return max(1, window.count - Int64(then.count)) }
        return window.count
    }

    private func shown(_ key: EventKey, _ value: String) -> String {
        switch key {
        case .user, .targetUser, .database, .object, .application: Shown.quoted(String(value.prefix(128)))
        default: Shown.text(value, limit: 200)
        }
    }
}
