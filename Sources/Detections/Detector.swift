import Patterns
import VigilModel

/// An alert, the group it is about as the store keeps it, and whether its rule bans.
public struct Finding: Sendable {
    /// The alert.
    public let alert: Alert
    /// The group, to suppress the next alert about it.
    public let group: String
    /// How long the rule bans the address at first, in milliseconds.
    public let ban: Int64?
}

/// Rules over events in event time: a function of the events fed, nothing else. No clock, no input, no output.
public struct Detector {
    private var machines: [RuleMachine]
    /// Machines that look at an action.
    private var byAction: [String: [Int]] = [:]
    private let exceptions: [AlertException]

    /// Takes the rules. `publicNetworks` are kinds of address that the configuration treats as public ones; an event
    /// that an exception holds back is not looked at by that rule.
    public init(
        rules: [Rule], publicNetworks: Set<EventMatch.Network>, exceptions: [AlertException] = []
    ) {
        self.exceptions = exceptions
        machines = rules.filter(\.enabled).map { RuleMachine($0, publicNetworks: publicNetworks) }
        for (index, machine) in machines.enumerated() {
            for action in machine.actions { byAction[action, default: []].append(index) }
        }
    }

    /// Every `event.action` that some rule looks at.
    public var actions: Set<String> { machines.reduce(into: []) { $0.formUnion($1.actions) } }

    /// How far back events matter, in milliseconds.
    public var lookback: Int64 { machines.map(\.window).max() ?? 0 }

    /// How far back alerts matter, in milliseconds.
    public var suppression: Int64 { machines.map(\.suppress).max() ?? 0 }

    /// Groups that were let go to keep memory bounded.
    public var evictions: Int { machines.reduce(0) { $0 + $1.evictions } }

    /// Takes an alert of an earlier run, so that it suppresses as it did then.
    public mutating func restore(rule: String, group: String, time: LogTime) {
        for index in machines.indices where machines[index].id == rule { machines[index].restore(group, time) }
    }

    /// Takes an event; gives the alerts that it fires. `identity` names an event independently of the store. With
    /// `silently` only the windows are filled, as after a restart.
    public mutating func take(
        _ event: DetectionEvent, silently: Bool = false, identity: (Int64) throws -> String
    ) rethrows -> [Finding] {
        var findings: [Finding] = []
        for index in byAction[event.action] ?? [] {
            let rule = machines[index].about
            if exceptions.contains(where: { $0.holdsBack(event, from: rule) }) { continue }
            if let finding = try machines[index].take(event, silently: silently, identity: identity) {
                machines[index].note(finding)
                findings.append(finding)
            }
        }
        return findings
    }
}
