import Detections
import EventStore
import Patterns
import Responses
import VigilModel

/// Runs rules over stored events, up to a moment of event time, and commits alerts and bans.
///
/// Alerts are a function of the events in the store, the rules and the configuration: this reads nothing else. After a
/// start the windows are filled from the store; events that came later than rules had gone send them back to where
/// those belong. An alert that is there already stays as it is.
final class DetectionPass {
    private let store: Store
    private let rules: [Rule]
    private let configuration: Configuration
    private let known: KnownAddresses
    private let scope: RuleScope
    private let memory: DetectionMemory
    private var detector: Detector
    private var held: ExceptionWatch?
    /// Up to where events have been looked at; nil: not yet.
    private var looked: LogTime?
    /// Found by going ahead, not committed yet.
    private var found: [Finding] = []
    private var heldBack: [HeldBack] = []

    /// What a pass found that was not there before.
    struct Result {
        var alerts: [Alert] = []
        var bans: [Ban] = []
        /// Alerts that exceptions held back in this pass, known ones too.
        var heldBack: [HeldBack] = []
    }

    init(store: Store, rules: [Rule], configuration: Configuration) {
        self.store = store
        self.rules = rules
        self.configuration = configuration
        known = KnownAddresses(store, monitors: configuration.topology.monitors)
        let scope = RuleScope(rules: rules, exceptions: configuration.exceptions)
        self.scope = scope
        memory = DetectionMemory(place: scope.place)
        detector = Detector(
            rules: rules, publicNetworks: configuration.publicNetworks, exceptions: configuration.exceptions)
    }

    /// What each rule holds.
    var states: [(id: String, entries: Int, evictions: Int)] { detector.states }

    /// Brings rules up to a moment and commits what they found. `now` says that event time has come so far although no
    /// event shows it: rules that wait for silence need to know.
    func run(through: LogTime, now: LogTime? = nil) throws -> Result {
        let state = try store.detectionState()
        if state.rewind != nil { giveUp() }
        let from = try start(state)
        let last = try store.lastEventTime() ?? from
        // A quiet log is looked at every second: nothing is newer then.
        if through > from, last > from { try look(after: from, through: through) }
        var found = found
        var heldBack = heldBack
        (self.found, self.heldBack) = ([], [])
        // With the end of input time goes on to where events are, not to the end of time.
        let end = through == .distantFuture ? last : through
        let reached = max(end, from)
        looked = reached
        let moment = max(reached, now ?? reached)
        found += try detector.advance(to: moment) { try store.identity(ofEvent: $0) }
        heldBack += try held?.advance(to: moment) { try store.identity(ofEvent: $0) } ?? []
        // Before the position of rules moves on: what is kept twice is kept once.
        try store.note(heldBack.map { HeldBackAlert($0) })
        // A quiet log costs no transaction.
        if found.isEmpty && state.rewind == nil && reached == state.time { return Result() }
        let decided = try BanDecisions(found, store: store, configuration: configuration, known: known)
        found += decided.notices.map { Finding(alert: $0.alert, group: $0.group, ban: nil) }
        let new = try store.commit(
            alerts: found.lazy.map { (alert: $0.alert, group: $0.group) }, bans: decided.bans,
            learnt: detector.takeLearnt(), through: reached)
        return Result(alerts: new.alerts, bans: new.bans, heldBack: heldBack)
    }

    /// Brings rules up to a moment before which no more events will come, and commits nothing: what they find is part of
    /// the next run. Should an event come that changes what was before that moment, `giveUp` must be called. `stored` are
    /// all events since the last moment, if they are at hand.
    func goAhead(through: LogTime, _ stored: StoredEventsSpan? = nil) throws {
        let state = try store.detectionState()
        guard state.rewind == nil else { return }
        let from = try start(state)
        // Time goes on to where events are.
        guard let last = try store.lastEventTime(), min(last, through) > from else { return }
        try look(after: from, through: min(last, through), stored)
        looked = min(last, through)
    }

    /// Forgets what was found by going ahead: rules begin again where the store says.
    func giveUp() {
        looked = nil
        (found, heldBack) = ([], [])
    }

    private func look(after: LogTime, through: LogTime, _ stored: StoredEventsSpan? = nil) throws {
        try store.forEachEvent(after: after, through: through, memory, stored: stored) { event, identity in
            found += try detector.take(event, identity: identity)
            heldBack += try held?.take(event, identity: identity) ?? []
        }
    }

    /// Up to where events have been looked at, with the windows as they were then. Events that came late send it back.
    private func start(_ state: DetectionState) throws -> LogTime {
        if let rewind = state.rewind { return try fill(upTo: min(state.time, rewind.adding(milliseconds: -1))) }
        return try looked ?? fill(upTo: state.time)
    }

    /// Fills the windows with what they would hold had rules run all the time.
    private func fill(upTo moment: LogTime) throws -> LogTime {
        let networks = configuration.publicNetworks
        let exceptions = configuration.exceptions
        detector = Detector(rules: rules, publicNetworks: networks, exceptions: exceptions)
        held = ExceptionWatch(rules: rules, publicNetworks: networks, exceptions: exceptions)
        // Only few kinds matter for longer than a day: the others of that time are not read.
        let day = moment.adding(milliseconds: -86_400_000)
        let start = moment.adding(milliseconds: -detector.lookback)
        func take(_ event: DetectionEvent, _ identity: (Int64) throws -> String) throws {
            _ = try detector.take(event, silently: true, identity: identity)
            _ = try held?.take(event, silently: true, identity: identity)
        }
        if start < day {
            let place = { [scope] kind in scope.lookback(for: kind) > 86_400_000 ? scope.place(for: kind) : nil }
            try store.forEachEvent(after: start, through: day, place: place, alone: true, take)
        }
        try store.forEachEvent(after: max(start, day), through: moment, memory, take)
        let since = moment.adding(milliseconds: -detector.suppression)
        for alert in try store.lastAlerts(after: since, through: moment) {
            detector.restore(rule: alert.rule, group: alert.group, time: alert.time)
            held?.restore(rule: alert.rule, group: alert.group, time: alert.time)
        }
        for alert in try store.lastHeldBack(after: since, through: moment) {
            held?.restore(rule: alert.rule, group: alert.group, time: alert.time)
        }
        for rule in detector.learning {
            let learnt = try store.baseline(of: rule, at: moment)
            detector.restore(rule: rule, learnt)
            held?.restore(rule: rule, learnt)
        }
        looked = moment
        return moment
    }
}

extension HeldBackAlert {
    init(_ held: HeldBack) {
        self.init(
            id: held.alert.id, time: held.alert.time, rule: held.alert.rule.id, group: held.group,
            reason: held.reason, message: held.alert.message)
    }
}
