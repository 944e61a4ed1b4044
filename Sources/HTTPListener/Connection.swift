import Glibc

/// One client: reads request after request and answers each.
struct Connection {
    private let wire: Wire
    private let table: ConnectionTable
    private let limits: HTTPLimits
    private let router: @Sendable () -> Router
    /// What was received and not used yet.
    private var received: [UInt8] = []

    /// Bytes read at a time.
    private static let portion = 16 << 10
    /// Bytes of a refused body that are read, so that the client gets to see its answer.
    private static let farewell = 1 << 20

    init(_ wire: Wire, _ table: ConnectionTable, _ limits: HTTPLimits, router: @escaping @Sendable () -> Router) {
        self.wire = wire
        self.table = table
        self.limits = limits
        self.router = router
    }

    /// Serves until the client leaves, or must.
    mutating func serve() async {
        while let head = await nextHead() {
            guard await answer(head) else { return }
            table.enter(wire.file, .idle, for: limits.idle)
        }
    }

    /// The next head; nil at the end, when one that is refused has been told why.
    private mutating func nextHead() async -> RequestHead? {
        var looked = 0
        while true {
            if let end = RequestHead.end(in: received, from: looked) {
                do {
                    let head = try RequestHead(received[..<end])
                    received.removeFirst(end)
                    return head
                } catch {
                    await refuse(HTTPAnswer(error.status, text: error.reason + "\n"))
                    return nil
                }
            }
            looked = received.count - 3
            guard received.count < limits.headBytes else {
                await refuse(HTTPAnswer(431, text: "the head is too large\n"))
                return nil
            }
            let bytes = await wire.read(atMost: min(Connection.portion, limits.headBytes - received.count))
            guard !bytes.isEmpty else { return nil }
            if received.isEmpty { table.enter(wire.file, .head, for: limits.head) }
            received += bytes
        }
    }

    /// Answers a request; false when that was the last one.
    private mutating func answer(_ head: RequestHead) async -> Bool {
        let route: HTTPRoute
        let parameter: String
        switch router().choose(head) {
        case .route(let found, let rest): (route, parameter) = (found, rest)
        case .refusal(let answer):
            // With a body on its way the next request cannot be told from it.
            guard head.length == 0 else {
                await refuse(answer, to: head)
                return false
            }
            return await send(answer, to: head, keepsAlive: head.keepsAlive)
        }
        guard head.length <= route.bodyLimit else {
            await refuse(HTTPAnswer(413, text: "the body is larger than \(route.bodyLimit) bytes\n"), to: head)
            return false
        }
        guard table.reserve(head.length) else {
            var answer = HTTPAnswer(503, text: "too many bodies at a time\n")
            answer.headers.append(("Retry-After", "1"))
            await refuse(answer, to: head)
            return false
        }
        defer { table.release(head.length) }
        guard let body = await body(of: head) else { return false }
        table.enter(wire.file, .handler, for: route.patience)
        let request = HTTPRequest(
            method: route.method, path: head.path, parameter: parameter, query: head.query, headers: head.headers,
            body: body)
        return await send(await route.handler(request), to: head, keepsAlive: head.keepsAlive)
    }

    /// The whole body; nil when the client left before.
    private mutating func body(of head: RequestHead) async -> [UInt8]? {
        guard head.length > 0 else { return [] }
        table.enter(wire.file, .body, for: limits.time(for: head.length))
        if head.expectsContinue, received.count < head.length {
            guard await wire.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) else { return nil }
        }
        var body = Array(received.prefix(head.length))
        received.removeFirst(body.count)
        body.reserveCapacity(head.length)
        while body.count < head.length {
            let bytes = await wire.read(atMost: min(64 << 10, head.length - body.count))
            guard !bytes.isEmpty else { return nil }
            body += bytes
        }
        return body
    }

    private func send(_ answer: HTTPAnswer, to head: RequestHead?, keepsAlive: Bool) async -> Bool {
        let bytes = answer.bytes(date: HTTPDate.now, keepsAlive: keepsAlive, hasBody: head?.method != "HEAD")
        table.enter(wire.file, .answer, for: limits.time(for: bytes.count))
        return await wire.write(bytes) && keepsAlive
    }

    /// Answers, and leaves in a way that lets the client read it: closing on unread bytes would throw it away.
    private func refuse(_ answer: HTTPAnswer, to head: RequestHead? = nil) async {
        _ = await send(answer, to: head, keepsAlive: false)
        shutdown(wire.file, Int32(SHUT_WR))
        table.enter(wire.file, .leaving, for: .seconds(2))
        var left = Connection.farewell
        while left > 0 {
            let count = await wire.read(atMost: Connection.portion).count
            if count == 0 { return }
            left -= count
        }
    }
}
