import HTTPListener
import Synchronization

/// Where rows of Vector come in: the listener outlives the `watch` that takes them.
public final class VectorDoor: Sendable {
    private let input = Mutex<VectorInput?>(nil)

    /// Nobody takes anything yet.
    public init() {}

    func open(_ input: VectorInput) { self.input.withLock { $0 = input } }

    /// From now on Vector is told to come again; what is under way is brought to its end.
    func close() {
        input.withLock { input in
            defer { input = nil }
            return input
        }?.stop()
    }

    /// The route for the listener.
    var route: HTTPRoute {
        HTTPRoute("POST", VectorInput.path, bodyLimit: VectorInput.limit.sent) { [self] request in
            let input = input.withLock { $0 }
            let answer = await input?.answer(to: request.body, packed: request.headers["content-encoding"])
            guard let answer, answer.status != 503 else {
                var busy = HTTPAnswer(503, text: "\(answer?.text ?? "not ready")\n")
                busy.headers.append(("Retry-After", "1"))
                return busy
            }
            return HTTPAnswer(answer.status, text: answer.text + "\n")
        }
    }
}
