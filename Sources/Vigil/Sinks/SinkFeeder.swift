import Deliveries
import EventStore
import Foundation
import HTTPTransport
import VigilModel

/// Brings what waits in the outbox to one sink. Of one thread.
struct SinkFeeder {
    /// What a round came to.
    enum Round {
        /// Nothing waits.
        case idle
        /// Something was delivered, and there may be more.
        case busy
        /// The sink took nothing; tried again at that time.
        case failed(String, until: LogTime)
    }

    let configuration: SinkConfiguration
    let number: Int64
    private let store: Store
    private let sink: any Sink
    private let cancellation: HTTPClient.Cancellation
    private var backoff = Backoff()
    private var nextTry: LogTime?
    private var trimmedAt = LogTime.distantPast
    /// Outbox rows let go since the last question.
    private var dropped = 0

    /// So long an event waits, in milliseconds: further records may tell more of it.
    static let settling: Int64 = 2000

    init(
        _ configuration: SinkConfiguration, number: Int64, store: Store, addresses: [String: String],
        cancellation: HTTPClient.Cancellation
    ) throws {
        self.configuration = configuration
        self.number = number
        self.store = store
        self.cancellation = cancellation
        sink = try configuration.make(
            store: store, number: number, addresses: addresses, cancellation: cancellation)
        nextTry = try store.nextTry(of: number)
    }

    /// Delivers one batch. With `isFinal` nothing more is told of events, so none waits.
    mutating func round(isFinal: Bool = false) throws -> Round {
        let now = LogTime.wallClock
        // A clock that was set back must not silence a sink for long.
        if let nextTry, now < nextTry, nextTry < now.adding(milliseconds: 3_600_000) {
            try trim(now)
            return .failed("", until: nextTry)
        }
        let settled = isFinal ? .distantFuture : now.adding(milliseconds: -SinkFeeder.settling)
        let batch = try store.waiting(for: number, limit: sink.batchSize, settled: settled)
        do {
            guard !batch.isEmpty else {
                if let result = try sink.keepUp(now: now) {
                    try store.settle(result, of: number)
                    backoff.reset()
                }
                return .idle
            }
            let result = try sink.deliver(batch, now: now)
            try store.settle(result, of: number)
            backoff.reset()
            nextTry = nil
            if let problem = result.problem, result.taken.isEmpty { return try fail(problem, retryAfter: nil, now) }
            return .busy
        } catch let problem as DeliveryProblem {
            return try fail(problem.description, retryAfter: problem.retryAfter, now)
        }
    }

    private mutating func fail(_ problem: String, retryAfter: Double?, _ now: LogTime) throws -> Round {
        // Who is stopped has not failed.
        if cancellation.isCancelled { return .idle }
        let until = now.adding(milliseconds: backoff.next(retryAfter: retryAfter))
        nextTry = until
        try store.noteFailure(of: number, problem, nextTry: until)
        try trim(now)
        return .failed(problem, until: until)
    }

    /// Keeps the outbox within its limit; not at each round, since it must be counted.
    private mutating func trim(_ now: LogTime) throws {
        guard now > trimmedAt.adding(milliseconds: 10_000) || now < trimmedAt else { return }
        trimmedAt = now
        dropped += try store.trimOutbox(of: number, to: configuration.backlog)
    }

    /// How many were let go since the last question.
    mutating func takeDropped() -> Int {
        defer { dropped = 0 }
        return dropped
    }
}
