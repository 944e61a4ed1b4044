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
    /// Up to where the detector's windows are filled; nil: not yet.
    private var filled: LogTime?

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

    /// Brings rules up to a moment.
    func run(through: LogTime) throws -> Result {
        let state = try store.detectionState()
        var from = state.time
        if let rewind = state.rewind {
            from = min(from, rewind.adding(milliseconds: -1))
            filled = nil
        }
        guard through > from else { return Result() }
        if filled != from { try fill(upTo: from) }
        var findings: [Finding] = []
        try store.forEachEvent(after: from, through: through, actions: detector.actions) { event, identity in
            findings += try detector.take(DetectionPass.input(event), identity: identity)
        }
        // With the end of input time goes on to where events are, not to the end of time.
        let reached = through == .distantFuture ? max(from, try store.lastEventTime() ?? from) : through
        filled = reached
        let bans = try decide(findings)
        let new = try store.commit(
            alerts: findings.map { ($0.alert, $0.group) }, bans: bans, through: reached, clearRewind: true)
        return Result(alerts: new.alerts, bans: new.bans)
    }

    /// Fills the windows with what they would hold had rules run all the time.
    private func fill(upTo moment: LogTime) throws {
        detector = Detector(rules: rules, publicNetworks: configuration.publicNetworks)
        let start = moment.adding(milliseconds: -detector.lookback)
        try store.forEachEvent(after: start, through: moment, actions: detector.actions) { event, identity in
            _ = try detector.take(DetectionPass.input(event), silently: true, identity: identity)
        }
        let alerts = try store.lastAlerts(
            after: moment.adding(milliseconds: -detector.suppression), through: moment)
        for alert in alerts { detector.restore(rule: alert.rule, group: alert.group, time: alert.time) }
        filled = moment
    }

    /// The bans that follow from alerts, in their order: each knows those before it.
    private func decide(_ findings: [Finding]) throws -> [Ban] {
        var bans: [Ban] = []
        for finding in findings {
            guard let time = finding.ban, let ip = finding.alert.sourceIP else { continue }
            let block = configuration.bans.block(of: ip)
            let history = try store.bans(
                from: finding.alert.time.adding(milliseconds: -configuration.bans.forgetting), to: finding.alert.time,
                cidr: block)
            let earlier = (history + bans).filter { $0.alertID != finding.alert.id }
            if case .banned(let ban) = configuration.bans.decide(finding.alert, time: time, history: earlier) {
                bans.append(ban)
            }
        }
        return bans
    }

    private static func input(_ event: DetectionEvent) -> DetectionInput {
        DetectionInput(
            seq: event.seq, time: event.time, action: event.action, reason: event.reason, ip: event.ip,
            user: event.user, database: event.database, count: event.count)
    }
}
