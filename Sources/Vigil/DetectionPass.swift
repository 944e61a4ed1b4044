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
    private var detector: Detector
    /// Up to where events have been looked at; nil: not yet.
    private var looked: LogTime?

    /// What a pass found that was not there before.
    struct Result {
        var alerts: [Alert] = []
        var bans: [Ban] = []
    }

    init(store: Store, rules: [Rule], configuration: Configuration) {
        self.store = store
        self.rules = rules
        self.configuration = configuration
        detector = Detector(rules: rules, publicNetworks: configuration.publicNetworks)
    }

    /// Brings rules up to a moment and commits what they found.
    func run(through: LogTime) throws -> Result {
        let state = try store.detectionState()
        let from = try start(state)
        var found: [Finding] = []
        if through > from {
            try store.forEachEvent(after: from, through: through, actions: detector.actions) { event, identity in
                found += try detector.take(event, identity: identity)
            }
        }
        // With the end of input time goes on to where events are, not to the end of time.
        let end = through == .distantFuture ? try store.lastEventTime() ?? from : through
        let reached = max(end, from)
        looked = reached
        // A quiet log costs no transaction.
        if found.isEmpty && state.rewind == nil && reached == state.time { return Result() }
        let decided = try BanDecisions(found, store: store, configuration: configuration)
        let alerts = found.map { ($0.alert, $0.group) } + decided.notices.map { ($0.alert, $0.group) }
        let new = try store.commit(alerts: alerts, bans: decided.bans, through: reached, clearRewind: true)
        return Result(alerts: new.alerts, bans: new.bans)
    }

    /// Up to where events have been looked at, with the windows as they were then. Events that came late send it back.
    private func start(_ state: DetectionState) throws -> LogTime {
        if let rewind = state.rewind { return try fill(upTo: min(state.time, rewind.adding(milliseconds: -1))) }
        return try looked ?? fill(upTo: state.time)
    }

    /// Fills the windows with what they would hold had rules run all the time.
    private func fill(upTo moment: LogTime) throws -> LogTime {
        detector = Detector(rules: rules, publicNetworks: configuration.publicNetworks)
        let start = moment.adding(milliseconds: -detector.lookback)
        try store.forEachEvent(after: start, through: moment, actions: detector.actions) { event, identity in
            _ = try detector.take(event, silently: true, identity: identity)
        }
        let alerts = try store.lastAlerts(
            after: moment.adding(milliseconds: -detector.suppression), through: moment)
        for alert in alerts { detector.restore(rule: alert.rule, group: alert.group, time: alert.time) }
        looked = moment
        return moment
    }
}
