import Patterns
import VigilModel

/// An alert, the group it is about as the store keeps it, and whether its rule bans. A class, since nearly every event of a
/// flood gives none: that costs a word.
public final class Finding: Sendable {
    /// The alert.
    public let alert: Alert
    /// The group, to suppress the next alert about it.
    public let group: String
    /// How long the rule bans the address at first, in milliseconds.
    public let ban: Int64?

    /// Takes all of it.
    public init(alert: Alert, group: String, ban: Int64?) {
        self.alert = alert
        self.group = group
        self.ban = ban
    }
}

/// Rules over events in event time: a function of the events fed, nothing else. No clock, no input, no output. Not to be
/// copied: what it remembers stands in objects.
public struct Detector {
    private var machines: [RuleMachine]
    /// Machines that wait for silence.
    private let waiting: [Int]
    /// Which machines may look at events of a kind, found once a kind.
    private var byKind: [EventKind: [Int]] = [:]
    /// What machines make of like events, if such came often enough; the eldest of four in a place makes room.
    private var met = [Acquaintance?](repeating: nil, count: Detector.places)
    /// The same by identity, to be compared without touching objects.
    private var names = [Name](repeating: Name(), count: Detector.places)
    /// How often such events came.
    private var meetings = [UInt8](repeating: 0, count: Detector.places)
    /// What machines make of events of strangers: of a flood nearly all are.
    private var strangers: [Stranger: Acquaintance] = [:]
    private let maker = GroupMaker()

    private static let places = 4096
    /// With so many events an actor is no stranger any more: finding out what machines make of its events pays.
    private static let acquainted: UInt8 = 4
    private static let strangerLimit = 1024

    /// Events of a kind and actor with the same near details, and what machines make of them.
    private final class Acquaintance {
        // Held, so that nothing else gets their identities.
        let kind: EventKind
        let actor: DetectionActor
        let near: NearDetails?
        let views: [(machine: Int, view: RuleView)]

        init(_ event: DetectionEvent, _ views: [(machine: Int, view: RuleView)]) {
            (kind, actor, near) = (event.kind, event.actor, event.near)
            self.views = views
        }
    }

    private struct Name: Equatable {
        var kind, actor, near: ObjectIdentifier?

        init() {}

        init(_ event: DetectionEvent) {
            kind = ObjectIdentifier(event.kind)
            actor = ObjectIdentifier(event.actor)
            near = event.near.map { ObjectIdentifier($0) }
        }

        /// Objects stand at addresses that are far apart: the low bits say nothing.
        var place: Int {
            func bits(_ object: ObjectIdentifier?) -> UInt { object.map { UInt(bitPattern: $0) >> 4 } ?? 0 }
            let mixed =
                (bits(actor) &* 0x9E37_79B9_7F4A_7C15) ^ (bits(kind) &* 0xC2B2_AE3D_27D4_EB4F)
                ^ (bits(near) &* 0x1656_67B1_9E37_79F9)
            return Int(mixed >> 54) * 4
        }
    }

    private let exceptions: [AlertException]

    /// Takes the rules. `publicNetworks` are kinds of address that the configuration treats as public ones. An event
    /// that an exception holds back is not looked at by that rule; a rule about silence looks at all of them, and its
    /// alerts are held back.
    public init(
        rules: [Rule], publicNetworks: Set<EventMatch.Network>, exceptions: [AlertException] = []
    ) {
        self.exceptions = exceptions
        machines = rules.filter(\.enabled).map { RuleMachine($0, publicNetworks: publicNetworks) }
        waiting = machines.indices.filter { [machines] in
            if case .absence = machines[$0].rule.condition { true } else { false }
        }
    }

    /// How far back events matter, in milliseconds.
    public var lookback: Int64 { machines.map(\.rule.condition.window).max() ?? 0 }

    /// How far back alerts matter, in milliseconds.
    public var suppression: Int64 { machines.map(\.rule.suppress).max() ?? 0 }

    /// Groups that were let go to keep memory bounded.
    public var evictions: Int { machines.reduce(0) { $0 + $1.evictions } }

    /// What each rule holds: its id, groups it counts for, and groups that were let go to keep memory bounded.
    public var states: [(id: String, entries: Int, evictions: Int)] {
        machines.map { ($0.id, $0.entries, $0.evictions) }
    }

    /// Rules that keep what they have learnt.
    public var learning: [String] {
        machines.compactMap { if case .firstSeen = $0.rule.condition { $0.id } else { nil } }
    }

    /// What decides about the events of somebody who is not known.
    private struct Stranger: Hashable {
        let kind: ObjectIdentifier
        let near: ObjectIdentifier?
        let network: EventMatch.Network?
        let isV4: Bool

        init(_ event: DetectionEvent) {
            kind = ObjectIdentifier(event.kind)
            near = event.near.map { ObjectIdentifier($0) }
            network = EventMatch.Network(event.actor)
            isV4 = event.ip?.isV4 == true
        }
    }

    private mutating func acquaintance(of event: DetectionEvent) -> Acquaintance {
        let name = Name(event)
        let place = name.place
        for way in place..<(place + 4) where names[way] == name {
            if let known = met[way] { return known }
            meetings[way] += 1
            if meetings[way] < Detector.acquainted { return stranger(event) }
            let new = makeAcquaintance(event, anyActor: false)
            met[way] = new
            return new
        }
        for way in (place + 1..<place + 4).reversed() {
            met[way] = met[way - 1]
            names[way] = names[way - 1]
            meetings[way] = meetings[way - 1]
        }
        met[place] = nil
        names[place] = name
        meetings[place] = 1
        return stranger(event)
    }

    private mutating func stranger(_ event: DetectionEvent) -> Acquaintance {
        let key = Stranger(event)
        if let known = strangers[key] { return known }
        if strangers.count >= Detector.strangerLimit { strangers = [:] }
        let new = makeAcquaintance(event, anyActor: true)
        strangers[key] = new
        return new
    }

    private mutating func makeAcquaintance(_ event: DetectionEvent, anyActor: Bool) -> Acquaintance {
        Acquaintance(
            event,
            interested(in: event.kind).compactMap { number in
                machines[number].view(of: event, maker, anyActor: anyActor).map { (machine: number, view: $0) }
            })
    }

    private mutating func interested(in kind: EventKind) -> [Int] {
        if let known = byKind[kind] { return known }
        let numbers = machines.indices.filter { machines[$0].rule.mayLook(at: kind) }
        byKind[kind] = numbers
        return numbers
    }

    /// Takes an alert of an earlier run, so that it suppresses as it did then.
    public mutating func restore(rule: String, group: String, time: LogTime) {
        for index in machines.indices where machines[index].id == rule { machines[index].restore(group, time) }
    }

    /// Takes what a rule had learnt in earlier runs.
    public mutating func restore(rule: String, _ entries: [BaselineEntry]) {
        for index in machines.indices where machines[index].id == rule { machines[index].restore(entries) }
    }

    /// What rules have learnt since the last time.
    public mutating func takeLearnt() -> [BaselineEntry] {
        var result: [BaselineEntry] = []
        for index in machines.indices { result += machines[index].takeLearnt() }
        return result
    }

    /// Takes an event; gives the alerts that it fires. `identity` names an event independently of the store. With
    /// `silently` only the windows are filled, as after a restart.
    public mutating func take(
        _ event: DetectionEvent, silently: Bool = false, identity: (Int64) throws -> String
    ) rethrows -> [Finding] {
        var findings = try advance(to: event.time, silently: silently, identity: identity)
        maker.next()
        for (index, view) in acquaintance(of: event).views {
            if !exceptions.isEmpty, !waiting.contains(index), isHeldBack(event, from: machines[index].rule.about) {
                continue
            }
            if let finding = try machines[index].take(event, view, silently: silently, identity: identity) {
                findings.append(finding)
            }
        }
        return findings
    }

    /// Says that event time has come so far: rules that wait for silence may fire.
    public mutating func advance(
        to now: LogTime, silently: Bool = false, identity: (Int64) throws -> String
    ) rethrows -> [Finding] {
        var findings: [Finding] = []
        for index in waiting {
            findings += try machines[index].advance(to: now, silently: silently, identity: identity)
        }
        return exceptions.isEmpty
            ? findings : findings.filter { finding in !exceptions.contains { $0.holdsBack(finding.alert) } }
    }

    private func isHeldBack(_ event: DetectionEvent, from rule: AlertRule) -> Bool {
        exceptions.contains { $0.holdsBack(event, from: rule) }
    }
}
