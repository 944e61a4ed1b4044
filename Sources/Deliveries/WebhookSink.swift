import HTTPTransport
import VigilModel

/// An HTTP server of any kind: each request is one JSON object, described in docs/sinks.md.
public final class WebhookSink: Sink {
    /// Most deliveries in one request or write.
    public let batchSize = 200
    private let client: HTTPClient
    private let endpoint: HTTPEndpoint
    private let sender: String

    /// Takes whom to send to, and what this machine is called.
    public init(_ endpoint: HTTPEndpoint, sender: String, cancellation: HTTPClient.Cancellation) {
        self.endpoint = endpoint
        self.sender = sender
        client = HTTPClient(endpoint, cancellation: cancellation)
    }

    /// Sends a batch; throws `DeliveryProblem` when it must be tried again.
    public func deliver(_ batch: [Delivery], now: LogTime) throws -> DeliveryResult {
        var result = DeliveryResult()
        try deliverInPieces(batch[...], into: &result) { try post(WebhookSink.body($0, sender: sender)) }
        return result
    }

    static func body(_ batch: ArraySlice<Delivery>, sender: String, isTest: Bool = false) -> String {
        func list(_ kind: Delivery.Kind) -> String {
            "[" + batch.filter { $0.kind == kind && !$0.row.isEmpty }.map(\.row.json).joined(separator: ",") + "]"
        }
        return "{\"version\":1,\"sender\":\(JSONString.quoted(sender))" + (isTest ? ",\"test\":true" : "")
            + ",\"alerts\":\(list(.alert)),\"events\":\(list(.event))}"
    }

    private func post(_ body: String) throws -> Verdict {
        let request = HTTPRequest("POST", "", body: Array(body.utf8), type: "application/json")
        do { return Verdict(try client.send(request), of: endpoint) } catch { throw DeliveryProblem("\(error)") }
    }

    /// Sends a test and finds out where it went.
    public func test(now: LogTime) -> [TestResult] {
        do {
            switch try post(WebhookSink.body([], sender: sender, isTest: true)) {
            case .taken:
                return [TestResult(.good, "the test was taken; whether a person sees it, only that server knows")]
            case .refused(let reason): return [TestResult(.bad, reason)]
            case .later(let problem): return [TestResult(.bad, problem.description)]
            }
        } catch { return [TestResult(.bad, "\(error)")] }
    }
}
