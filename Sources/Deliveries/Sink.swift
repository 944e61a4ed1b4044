import HTTPTransport
import VigilModel

/// Where alerts and events are sent. Of one thread.
///
/// A sink takes what it is given, refuses single deliveries for what they are, or throws: then nothing was taken, and
/// the same comes again later.
public protocol Sink: AnyObject {
    /// Most deliveries in one call.
    var batchSize: Int { get }

    /// Sends a batch. `now` is the clock on the wall. Throws `DeliveryProblem` when it must be tried again.
    func deliver(_ batch: [Delivery], now: LogTime) throws -> DeliveryResult

    /// Does what is to be done when time goes on although nothing new comes: telling again what has not ended. Gives nil
    /// when there was nothing to do; throws `DeliveryProblem` when nobody took it.
    func keepUp(now: LogTime) throws -> DeliveryResult?

    /// Sends something harmless and finds out whether it arrived.
    func test(now: LogTime) -> [TestResult]
}

extension Sink {
    /// Most sinks have nothing to repeat.
    public func keepUp(now: LogTime) throws -> DeliveryResult? { nil }
}

/// One thing that a test of a sink showed.
public struct TestResult: Sendable, Equatable {
    /// How it stands.
    public enum State: Sendable { case good, doubtful, bad }

    /// How it stands.
    public let state: State
    /// What was seen, and what to do about it.
    public let text: String

    /// Takes both.
    public init(_ state: State, _ text: String) {
        self.state = state
        self.text = text
    }
}

/// A sink took nothing; the same may be tried again.
public struct DeliveryProblem: Error, CustomStringConvertible {
    /// What is wrong.
    public let description: String
    /// Seconds after which the server wants to be asked again.
    public let retryAfter: Double?

    init(_ description: String, retryAfter: Double? = nil) {
        self.description = description
        self.retryAfter = retryAfter
    }
}

/// What a server's answer to a batch means.
enum Verdict {
    case taken
    /// Something in the batch is wrong: it is cut in pieces until it is found.
    case refused(String)
    /// The server, or what is configured of it, is not as it should be.
    case later(DeliveryProblem)

    init(_ answer: HTTPAnswer, of endpoint: HTTPEndpoint) {
        let text =
            "\(endpoint.name) answered \(answer.status)" + (answer.text.isEmpty ? "" : ": \(Shown.text(answer.text))")
        switch answer.status {
        case 200..<300: self = .taken
        // 413 may be the batch's size alone; one delivery that is too large is refused for good.
        case 400, 413, 422: self = .refused(text)
        default: self = .later(DeliveryProblem(text, retryAfter: answer.retryAfter))
        }
    }
}

/// Sends a batch as a whole, and when the server refuses it, in ever smaller pieces: one bad delivery must not keep the
/// others. `send` throws `DeliveryProblem` when the same is to be tried again.
func deliverInPieces(
    _ batch: ArraySlice<Delivery>, into result: inout DeliveryResult, send: (ArraySlice<Delivery>) throws -> Verdict
) throws {
    switch try send(batch) {
    case .taken: result.taken += batch
    case .later(let problem):
        // What was taken before must not be sent again for it.
        if result.taken.isEmpty && result.refused.isEmpty { throw problem }
        result.problem = problem.description
    case .refused(let reason):
        guard batch.count > 1, let middle = batch.indices.dropFirst(batch.count / 2).first else {
            result.refused += batch.map { ($0, reason) }
            return
        }
        try deliverInPieces(batch[..<middle], into: &result, send: send)
        if result.problem == nil { try deliverInPieces(batch[middle...], into: &result, send: send) }
    }
}
