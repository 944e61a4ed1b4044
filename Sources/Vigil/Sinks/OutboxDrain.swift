import EventStore
import Foundation
import HTTPTransport
import VigilModel

/// Delivers what waits and comes back: for `replay --deliver` and `outbox --send`.
public struct OutboxDrain: Sendable {
    /// What came of it for one sink.
    public struct Outcome: Sendable {
        /// The sink's name.
        public let sink: String
        /// Delivered now, and refused and set aside.
        public let delivered, refused: Int64
        /// Still waiting.
        public let waiting: Int64
        /// Why, when something is.
        public let problem: String?
    }

    private let store: Store
    private let sinks: [SinkConfiguration]
    private let addresses: [String: String]

    /// Takes the store, the sinks, and the addresses of instances that are known.
    public init(_ store: Store, _ sinks: [SinkConfiguration], addresses: [String: String] = [:]) {
        self.store = store
        self.sinks = sinks
        self.addresses = addresses
    }

    /// Delivers to each sink until nothing waits, or until it has failed for `patience` seconds.
    public func run(patience: Double) throws -> [Outcome] {
        let numbers = try store.subscribe(sinks.map(\.subscription))
        let before = try store.sinkStates()
        var problems: [Int64: String] = [:]
        for (sink, number) in zip(sinks, numbers) {
            try store.retryOutboxNow(number)
            var feeder = try SinkFeeder(
                sink, number: number, store: store, addresses: addresses, cancellation: HTTPClient.Cancellation())
            var failingSince: Date?
            rounds: while true {
                switch try feeder.round(isFinal: true) {
                case .idle: break rounds
                case .busy: failingSince = nil
                case .failed(let problem, let until):
                    let since = failingSince ?? Date()
                    failingSince = since
                    if !problem.isEmpty { problems[number] = problem }
                    let wait = Double(until.milliseconds - LogTime.wallClock.milliseconds) / 1000
                    guard Date().timeIntervalSince(since) + wait < patience else { break rounds }
                    Thread.sleep(forTimeInterval: max(0.05, wait))
                }
            }
            if failingSince == nil { problems[number] = nil }
        }
        return try store.sinkStates().filter { numbers.contains($0.id) }.map { state in
            let old = before.first { $0.id == state.id }
            return Outcome(
                sink: state.name, delivered: state.sent - (old?.sent ?? 0), refused: state.aside - (old?.aside ?? 0),
                waiting: state.events + state.alerts, problem: problems[state.id])
        }
    }
}
