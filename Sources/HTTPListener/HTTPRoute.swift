/// What is done with requests for a path.
public struct HTTPRoute: Sendable {
    /// Gives the answer; may take its time, and is not called before the body is there.
    public typealias Handler = @Sendable (HTTPRequest) async -> HTTPAnswer

    let method: String
    private let start: String
    private let hasParameter: Bool
    let bodyLimit: Int
    let patience: Duration
    let isOpen: Bool
    let handler: Handler

    /// `path` may end in `/*`: one more segment, given as the request's `parameter`. `bodyLimit` is the largest body in
    /// bytes; a larger one gets 413 unread. After `patience` the client is let go, answered or not. An open route needs no
    /// token.
    public init(
        _ method: String, _ path: String, bodyLimit: Int = 0, patience: Duration = .seconds(60), isOpen: Bool = false,
        handler: @escaping Handler
    ) {
        self.method = method
        hasParameter = path.hasSuffix("/*")
        start = hasParameter ? String(path.dropLast()) : path
        self.bodyLimit = bodyLimit
        self.patience = patience
        self.isOpen = isOpen
        self.handler = handler
    }

    /// The parameter of a path, empty for a route that takes none; nil when the path is another's.
    func parameter(of path: String) -> String? {
        guard hasParameter else { return path == start ? "" : nil }
        guard path.hasPrefix(start) else { return nil }
        let rest = path.dropFirst(start.count)
        return rest.isEmpty || rest.contains("/") ? nil : String(rest)
    }
}

/// Who is asked for a path.
struct Router: Sendable {
    let routes: [HTTPRoute]
    let token: BearerToken?

    enum Choice {
        case route(HTTPRoute, parameter: String)
        case refusal(HTTPAnswer)
    }

    /// The route of a request, by its head alone: who is refused need not send a body.
    func choose(_ head: RequestHead) -> Choice {
        let fitting = routes.compactMap { route in route.parameter(of: head.path).map { (route, $0) } }
        let isOpen = !fitting.isEmpty && fitting.allSatisfy { $0.0.isOpen }
        // Who has no token does not learn either what there is.
        if let token, !isOpen, !token.accepts(head.headers["authorization"]) {
            return .refusal(
                HTTPAnswer(
                    401, headers: [("WWW-Authenticate", "Bearer realm=\"pgvigil\""), ("Content-Type", "text/plain")],
                    body: Array("a token is needed: Authorization: Bearer …\n".utf8)))
        }
        guard !fitting.isEmpty else { return .refusal(HTTPAnswer(404, text: "there is nothing here\n")) }
        let method = head.method == "HEAD" ? "GET" : head.method
        guard let (route, parameter) = fitting.first(where: { $0.0.method == method }) else {
            let allowed = Set(fitting.map(\.0.method)).sorted().flatMap { $0 == "GET" ? ["GET", "HEAD"] : [$0] }
            var answer = HTTPAnswer(405, text: "this method is not for this path\n")
            answer.headers.append(("Allow", allowed.joined(separator: ", ")))
            return .refusal(answer)
        }
        // A page in somebody's browser can send such a request to this machine, and must not.
        if route.method != "GET", head.headers["origin"] != nil {
            return .refusal(HTTPAnswer(403, text: "not for browsers\n"))
        }
        return .route(route, parameter: parameter)
    }
}
