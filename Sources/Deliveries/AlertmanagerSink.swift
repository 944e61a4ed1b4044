import HTTPTransport
import VigilModel

/// Alertmanager's `POST /api/v2/alerts`.
///
/// Alertmanager forgets what it is not told again, and all of it when it restarts: an alert is told every `resend` until
/// it ends and for a while after, with the time of its end.
public final class AlertmanagerSink: Sink {
    /// How alerts are told.
    public struct Options: Sendable, Equatable {
        /// All servers are told, or only the first that answers: for servers that share what they know.
        public enum Peers: String, CaseIterable, Sendable { case all, first }

        /// Which servers are told.
        public var peers = Peers.all
        /// Milliseconds after its last event, or after it was first told, at which an alert ends.
        public var hold: Int64 = 900_000
        /// Milliseconds after which an alert is told again.
        public var resend: Int64 = 60_000
        /// An alert that is always there, so that its absence shows.
        public var heartbeat = true
        /// Labels that every alert carries.
        public var labels: [String: String] = [:]
        /// Address that alerts lead to.
        public var link: String?

        /// Fifteen minutes, told each minute, to all.
        public init() {}
    }

    /// Most deliveries in one request or write.
    public let batchSize = 100
    private let peers: [(endpoint: HTTPEndpoint, client: HTTPClient)]
    private let options: Options
    private let host: String
    private let style: AlertmanagerAlert.Style
    /// What has not ended, and what ended less than `afterglow` ago, oldest first.
    private var firing: [(delivery: Delivery, end: LogTime)]
    private var lastTold: LogTime?
    /// What was wrong with single peers in the last round.
    private var peerProblem: String?

    /// An end is told again for so many milliseconds: once may be lost.
    public static let afterglow: Int64 = 300_000

    /// Takes whom to tell, what this machine is called, the addresses of instances that are known, and what was being
    /// told before a restart.
    public init(
        _ endpoints: [HTTPEndpoint], _ options: Options, host: String, addresses: [String: String] = [:],
        firing: [(delivery: Delivery, end: LogTime)], cancellation: HTTPClient.Cancellation
    ) {
        peers = endpoints.map { ($0, HTTPClient($0, cancellation: cancellation)) }
        self.options = options
        self.host = host
        self.firing = firing
        style = AlertmanagerAlert.Style(labels: options.labels, link: options.link, addresses: addresses)
    }

    /// Sends a batch; throws `DeliveryProblem` when it must be tried again.
    public func deliver(_ batch: [Delivery], now: LogTime) throws -> DeliveryResult {
        let new = batch.map { delivery in
            // Told late, it must still be heard: it lasts from when it is told.
            var last = now
            if case .time(let time)? = delivery.row.value("last_seen") { last = max(last, min(time, now)) }
            return (delivery: delivery, end: last.adding(milliseconds: options.hold))
        }
        var result = DeliveryResult()
        let alerts = AlertmanagerAlert.merge(firing + new, style)
        let numbers = Set(batch.map(\.item))
        let told = alerts.filter { !numbers.isDisjoint(with: $0.alerts) }
        var refused: [Int64: String] = [:]
        try post(told[...]) { alert, reason in
            for number in alert.alerts { refused[number] = reason }
        }
        for (delivery, end) in new {
            if let reason = refused[delivery.item] {
                result.refused.append((delivery, reason))
            } else {
                result.taken.append(delivery)
                if !delivery.row.isEmpty {
                    firing.append((delivery, end))
                    result.firing.append((delivery.item, end))
                }
            }
        }
        result.problem = peerProblem
        return result
    }

    /// Tells again what has not ended, and that we are there.
    public func keepUp(now: LogTime) throws -> DeliveryResult? {
        if let lastTold, now >= lastTold, now < lastTold.adding(milliseconds: options.resend) { return nil }
        lastTold = now
        firing.removeAll { $0.end.adding(milliseconds: AlertmanagerSink.afterglow) < now }
        var alerts = AlertmanagerAlert.merge(firing, style)
        if options.heartbeat {
            alerts.append(
                AlertmanagerAlert(
                    name: "PgvigilHeartbeat", severity: "info",
                    labels: options.labels.merging(["instance": host]) { $1 },
                    summary: "pgvigil on \(host) reads logs and reaches this Alertmanager", start: now,
                    end: now.adding(milliseconds: options.resend * 4)))
        }
        guard !alerts.isEmpty else { return nil }
        var result = DeliveryResult()
        try post(alerts[...]) { _, reason in result.problem = reason }
        result.problem = result.problem ?? peerProblem
        return result
    }

    /// Tells every peer, or the first that takes it; some one must. `refused` gets alerts that a server will not have.
    private func post(
        _ alerts: ArraySlice<AlertmanagerAlert>, refused: (AlertmanagerAlert, String) -> Void
    ) throws {
        guard !alerts.isEmpty else { return }
        var problems: [DeliveryProblem] = []
        var isTaken = false
        for peer in peers where !isTaken || options.peers == .all {
            do {
                for start in stride(from: alerts.startIndex, to: alerts.endIndex, by: 64) {
                    try post(alerts[start..<min(start + 64, alerts.endIndex)], to: peer, refused: refused)
                }
                isTaken = true
            } catch let problem as DeliveryProblem {
                problems.append(problem)
            }
        }
        peerProblem = problems.first?.description
        if !isTaken { throw problems.first ?? DeliveryProblem("no Alertmanager is configured") }
    }

    /// With 400 the server has taken what is valid of the batch: told one by one, the others show themselves.
    private func post(
        _ alerts: ArraySlice<AlertmanagerAlert>, to peer: (endpoint: HTTPEndpoint, client: HTTPClient),
        refused: (AlertmanagerAlert, String) -> Void
    ) throws {
        let body = "[" + alerts.map(\.json).joined(separator: ",") + "]"
        let request = HTTPRequest("POST", "/api/v2/alerts", body: Array(body.utf8), type: "application/json")
        let answer: HTTPAnswer
        do { answer = try peer.client.send(request) } catch { throw DeliveryProblem("\(error)") }
        switch Verdict(answer, of: peer.endpoint) {
        case .taken: return
        case .later(let problem): throw problem
        case .refused(let reason):
            guard alerts.count > 1 else {
                if let alert = alerts.first { refused(alert, reason) }
                return
            }
            for index in alerts.indices { try post(alerts[index...index], to: peer, refused: refused) }
        }
    }

    // MARK: - Test

    /// Sends a test and finds out where it went.
    public func test(now: LogTime) -> [TestResult] { peers.flatMap { test($0, now) } }

    /// Tells of an alert of each level that is sent, and asks where it would go: an Alertmanager that takes alerts may
    /// have nobody to tell them to.
    private func test(_ peer: (endpoint: HTTPEndpoint, client: HTTPClient), _ now: LogTime) -> [TestResult] {
        let tests = ["critical", "high"].map { severity in
            AlertmanagerAlert(
                name: "PgvigilTest", severity: severity, labels: options.labels.merging(["instance": host]) { $1 },
                summary: "pgvigil's test: nothing has happened", start: now, end: now.adding(milliseconds: 60_000))
        }
        do {
            var reason: String?
            try post(tests[...], to: peer) { reason = $1 }
            if let reason { return [TestResult(.bad, reason)] }
            let receivers = try AlertmanagerReceivers(peer.client)
            return try receivers.of(alert: "PgvigilTest").map { level, names in
                let silent = names.filter { receivers.isSilent($0) }
                let list = names.map { Shown.quoted($0) }.joined(separator: ", ")
                if names.isEmpty {
                    return TestResult(
                        .bad,
                        "\(peer.endpoint.name): the \(level) test alert was taken but is not there: a mute or an inhibition?"
                    )
                }
                if silent.count == names.count {
                    return TestResult(
                        .bad,
                        "\(peer.endpoint.name): \(level) goes to receiver \(list), which tells nobody: it has no "
                            + "*_configs; give it one in alertmanager.yml")
                }
                return TestResult(.good, "\(peer.endpoint.name): \(level) goes to receiver \(list)")
            }
        } catch { return [TestResult(.bad, "\(error)")] }
    }
}
