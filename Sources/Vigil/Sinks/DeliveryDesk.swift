import EventStore
import Foundation
import HTTPTransport
import VigilModel

/// Delivers what waits in the outbox while `watch` runs, a thread for each sink: reading never waits for one, nor one
/// sink for another.
final class DeliveryDesk: @unchecked Sendable {
    // Unchecked: what threads share is guarded by the condition; each feeder belongs to its own thread.
    private let condition = NSCondition()
    private var isStopping = false
    private var running = 0
    private var messages: [String] = []

    private let store: Store
    private let sinks: [SinkConfiguration]
    private let addresses: [String: String]
    private let cancellation = HTTPClient.Cancellation()

    /// Seconds between two looks at the store.
    private static let interval = 1.0

    init(store: Store, configuration: Configuration) {
        self.store = store
        sinks = configuration.sinks
        addresses = configuration.node.addresses
    }

    /// From now on what is written is queued, and what is queued is sent.
    func start() throws {
        let numbers = try store.subscribe(sinks.map(\.subscription))
        for (sink, number) in zip(sinks, numbers) {
            condition.withLock { running += 1 }
            Thread.detachNewThread { [self] in
                run(sink, number)
                condition.withLock {
                    running -= 1
                    condition.broadcast()
                }
            }
        }
    }

    /// Ends what is under way, and waits for that. What waits stays in the outbox.
    func stop() {
        cancellation.cancel()
        condition.withLock {
            isStopping = true
            condition.broadcast()
            while running > 0 { condition.wait() }
        }
    }

    /// What there is to say since the last time.
    func takeMessages() -> [String] {
        condition.withLock {
            defer { messages = [] }
            return messages
        }
    }

    private func run(_ sink: SinkConfiguration, _ number: Int64) {
        let name = sink.subscription.name
        var feeder: SinkFeeder?
        var known: String?
        while !condition.withLock({ isStopping }) {
            var wait = DeliveryDesk.interval
            do {
                var current =
                    try feeder
                    ?? SinkFeeder(
                        sink, number: number, store: store, addresses: addresses, cancellation: cancellation)
                switch try current.round() {
                case .busy:
                    wait = 0
                    fallthrough
                case .idle:
                    if known != nil { say("sink \(name): takes again what is sent") }
                    known = nil
                case .failed(let problem, _):
                    if known == nil, !problem.isEmpty, !cancellation.isCancelled {
                        say("sink \(name): \(problem); it is tried again, and what it has not taken waits in the store")
                        known = problem
                    }
                }
                let dropped = current.takeDropped()
                feeder = current
                if dropped > 0 {
                    say("sink \(name): \(dropped) events too many waited for it; the oldest were let go (backlog)")
                    try store.note(OutboxNotice.dropped(dropped, sink: sink))
                }
            } catch {
                if known != "\(error)" { say("sink \(name): \(error)") }
                known = "\(error)"
            }
            condition.withLock {
                if !isStopping, wait > 0 { _ = condition.wait(until: Date(timeIntervalSinceNow: wait)) }
            }
        }
    }

    private func say(_ text: String) {
        condition.withLock { if messages.count < 1000 { messages.append(text) } }
    }
}
