import Deliveries
import EventStore
import HTTPTransport
import VigilModel

/// Reads back from VictoriaLogs what should be there: the server answers 200 to rows that it drops.
public struct OutboxVerification: Sendable {
    /// What was found for one sink.
    public struct Outcome: Sendable {
        /// The sink's name.
        public let sink: String
        /// Events that were delivered.
        public var delivered = 0
        /// Those that are there.
        public var found = 0
        /// Those that are there more than once.
        public var doubled = 0
        /// Events that are not there: id and time, at most 10,000 of them.
        public var missing: [(id: String, time: LogTime)] = []
        /// How many are not there.
        public var missingCount: Int { delivered - found }
    }

    private let store: Store
    private let sink: SinkConfiguration

    /// Takes the store and a sink; nil when what that kind of sink has cannot be read back.
    public init?(_ store: Store, _ sink: SinkConfiguration) {
        guard case .victoriaLogs = sink.kind else { return nil }
        self.store = store
        self.sink = sink
    }

    /// Compares, a day at a time. Throws what keeps it from being known.
    public func run(since: LogTime, until: LogTime) throws -> Outcome {
        var outcome = Outcome(sink: sink.subscription.name)
        guard case .victoriaLogs(let endpoint, let options) = sink.kind else { return outcome }
        let server = VictoriaLogsSink(endpoint, options, cancellation: HTTPClient.Cancellation())
        for day in try store.days(since: since, until: until) {
            let start = max(since, day)
            let end = min(until, day.adding(milliseconds: 86_400_000))
            var there: [String: Int] = [:]
            try server.lookUp(since: start, until: end) { there[$0, default: 0] += 1 }
            try store.delivered(to: outcome.sink, since: start, until: end) { id, time in
                outcome.delivered += 1
                let count = there[id] ?? 0
                if count > 0 { outcome.found += 1 }
                if count > 1 { outcome.doubled += 1 }
                if count == 0, outcome.missing.count < 10_000 { outcome.missing.append((id, time)) }
            }
        }
        return outcome
    }
}
