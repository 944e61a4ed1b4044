import Foundation
import Synchronization
import Testing

@testable import HTTPListener

@Suite struct HTTPServerTests {
    /// A listener on a free port, while the body runs.
    private func listening(
        token: BearerToken? = nil, limits: HTTPLimits = HTTPLimits(), _ body: (HTTPServer) throws -> Void
    ) throws {
        let routes = [
            HTTPRoute("GET", "/open", isOpen: true) { _ in HTTPAnswer(200, text: "open\n") },
            HTTPRoute("GET", "/list/*") { HTTPAnswer(200, text: "list \($0.parameter) \($0.query["q"] ?? "-")\n") },
            HTTPRoute("POST", "/take", bodyLimit: 1 << 20) { HTTPAnswer(200, text: "took \($0.body.count)\n") },
            HTTPRoute("GET", "/large") { _ in HTTPAnswer(200, body: [UInt8](repeating: 97, count: 32 << 20)) },
            HTTPRoute("GET", "/slow", patience: .milliseconds(300)) { _ in
                try? await Task.sleep(for: .seconds(30))
                return HTTPAnswer(200, text: "late\n")
            },
        ]
        let listener = try HTTPServer(.ip4("127.0.0.1", port: 0), token: token, limits: limits, routes: routes)
        listener.start()
        defer { listener.stop() }
        try body(listener)
    }

    @Test("routes answer, HEAD sends no body, others are told why not") func routes() throws {
        try listening { listener in
            let plain = try Client.get(listener, "GET /list/plain?q=1%2B1")
            #expect(plain.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(plain.hasSuffix("\r\n\r\nlist plain 1+1\n"))
            let head = try Client.get(listener, "HEAD /list/plain")
            #expect(head.contains("Content-Length: 13\r\n"))
            #expect(head.hasSuffix("\r\n\r\n"))
            #expect(try Client.get(listener, "GET /nothing").hasPrefix("HTTP/1.1 404 "))
            #expect(try Client.get(listener, "GET /list/").hasPrefix("HTTP/1.1 404 "))
            #expect(try Client.get(listener, "GET /list/a/b").hasPrefix("HTTP/1.1 404 "))
            let wrong = try Client.get(listener, "DELETE /open")
            #expect(wrong.hasPrefix("HTTP/1.1 405 "))
            #expect(wrong.contains("Allow: GET, HEAD\r\n"))
            #expect(try Client.get(listener, "GET /open", "X: \u{1}").hasPrefix("HTTP/1.1 400 "))
        }
    }

    @Test("one connection carries many requests, also ones that are sent at once") func keepAlive() throws {
        try listening { listener in
            let client = try Client(listener)
            for _ in 0..<3 {
                client.send("GET /open HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(client.read(until: "open\n").hasPrefix("HTTP/1.1 200"))
            }
            client.send(
                "POST /take HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /open HTTP/1.1\r\nHost: a\r\n"
                    + "Connection: close\r\n\r\n")
            let answers = client.readAll()
            #expect(answers.contains("took 3\n"))
            #expect(answers.hasSuffix("open\n"))
        }
    }

    @Test("bodies have a limit, are asked for once welcome, and must have a length") func bodies() throws {
        try listening { listener in
            let client = try Client(listener)
            client.send("POST /take HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\nExpect: 100-continue\r\n\r\n")
            #expect(client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            client.send([UInt8](repeating: 0, count: 1 << 20))
            #expect(client.read(until: "took").contains("took 1048576"))
            let large = try Client(listener)
            large.send("POST /take HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n")
            large.send([UInt8](repeating: 0, count: 100_000))
            #expect(large.readAll().hasPrefix("HTTP/1.1 413 "))
            let chunked = try Client.get(listener, "POST /take", "Transfer-Encoding: chunked")
            #expect(chunked.hasPrefix("HTTP/1.1 411 "))
            // A page in a browser of this machine must not be able to send anything.
            let page = try Client.get(listener, "POST /take", "Origin: http://evil.example", "Content-Length: 0")
            #expect(page.hasPrefix("HTTP/1.1 403 "))
        }
    }

    @Test("bodies of all clients have a limit, too") func manyBodies() throws {
        var limits = HTTPLimits()
        limits.bodyBytes = 1 << 20
        try listening(limits: limits) { listener in
            let first = try Client(listener)
            first.send("POST /take HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n")
            _ = first.read(until: "Continue")
            let second = try Client.get(listener, "POST /take", "Content-Length: 1000000")
            #expect(second.hasPrefix("HTTP/1.1 503 "))
            #expect(second.contains("Retry-After: 1\r\n"))
            first.send([UInt8](repeating: 0, count: 1_000_000))
            #expect(first.read(until: "took").contains("took 1000000"))
        }
    }

    @Test("without the token only open routes answer, and nothing is told of the others") func token() throws {
        try listening(token: BearerToken("right")) { listener in
            #expect(try Client.get(listener, "GET /open").hasPrefix("HTTP/1.1 200 "))
            for path in ["/list/a", "/nothing", "/take"] {
                #expect(try Client.get(listener, "GET \(path)").hasPrefix("HTTP/1.1 401 "))
                let wrong = try Client.get(listener, "GET \(path)", "Authorization: Bearer wrong")
                #expect(wrong.hasPrefix("HTTP/1.1 401 "))
                #expect(wrong.contains("WWW-Authenticate: Bearer"))
            }
            #expect(
                try Client.get(listener, "GET /list/a", "Authorization: Bearer right").hasPrefix("HTTP/1.1 200 "))
            // A body is not read before that.
            let body = try Client(listener)
            body.send("POST /take HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n")
            #expect(body.readAll().hasPrefix("HTTP/1.1 401 "))
        }
    }

    @Test("a head that never ends is cut off by its size") func largeHead() throws {
        try listening { listener in
            let client = try Client(listener)
            client.send("GET /open HTTP/1.1\r\nHost: a\r\nX: ")
            for _ in 0..<1000 where client.send([UInt8](repeating: 120, count: 1024)) {}
            #expect(client.readAll().hasPrefix("HTTP/1.1 431 "))
        }
    }

    @Test("clients that are slow are let go: at the head, idle, with a body, reading an answer, waiting for one")
    func slow() throws {
        var limits = HTTPLimits()
        limits.head = .milliseconds(300)
        limits.idle = .milliseconds(300)
        limits.transfer = .milliseconds(300)
        try listening(limits: limits) { listener in
            let clients = try (0..<5).map { _ in try Client(listener) }
            clients[0].send("GET /open HT")
            clients[1].send("GET /open HTTP/1.1\r\nHost: a\r\n\r\n")
            clients[2].send("POST /take HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
            clients[3].send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
            clients[4].send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            // A byte now and then does not help.
            for _ in 0..<4 {
                Thread.sleep(forTimeInterval: 0.2)
                clients[0].send("T")
            }
            let start = Date()
            #expect(clients[0].readAll().isEmpty)
            #expect(clients[1].readAll().hasSuffix("open\n"))
            #expect(clients[2].readAll().isEmpty)
            #expect(clients[4].readAll().isEmpty)
            #expect(Date().timeIntervalSince(start) < 5)
        }
    }

    @Test("a flood of clients that hang takes no place from one that asks") func flood() throws {
        var limits = HTTPLimits()
        limits.connections = 8
        try listening(limits: limits) { listener in
            var hanging: [Client] = []
            for _ in 0..<100 {
                if let client = try? Client(listener) {
                    client.send("GET /op")
                    hanging.append(client)
                }
            }
            for _ in 0..<20 {
                let answer = try Client.get(listener, "GET /open")
                #expect(answer.hasSuffix("open\n"))
            }
            #expect(listener.connections <= 17)
            withExtendedLifetime(hanging) {}
        }
    }

    @Test("many at once are all answered") func concurrent() throws {
        try listening { listener in
            let good = Mutex(0)
            DispatchQueue.concurrentPerform(iterations: 40) { _ in
                for _ in 0..<5 where (try? Client.get(listener, "GET /list/x"))?.hasSuffix("list x -\n") == true {
                    good.withLock { $0 += 1 }
                }
            }
            #expect(good.withLock { $0 } == 200)
        }
    }

    @Test("a port in use is an error that says so, and is free again after a stop") func inUse() throws {
        let first = try HTTPServer(.ip4("127.0.0.1", port: 0), routes: [])
        first.start()
        let error = #expect(throws: ListenProblem.self) { try HTTPServer(first.address, routes: []) }
        #expect(error?.description.contains("Address already in use\n  hint: ") == true)
        let client = try Client(first)
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = client.read()
        first.stop()
        #expect(client.read() == nil)
        let second = try HTTPServer(first.address, routes: [])
        second.start()
        #expect(try Client.get(second, "GET /").hasPrefix("HTTP/1.1 404 "))
        second.stop()
    }

    @Test("a socket in the file system is made with mode 0660, taken over when abandoned, and goes with its listener")
    func unixSocket() throws {
        let path = FileManager.default.temporaryDirectory.path + "/pgvigil-\(UUID().uuidString).sock"
        let address = try #require(ListenAddress(path))
        // One that was killed leaves its file.
        let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        _ = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(left, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        close(left)
        let listener = try HTTPServer(address, routes: [])
        listener.start()
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o660)
        #expect(throws: ListenProblem.self) { try HTTPServer(address, routes: []) }
        listener.stop()
        #expect(access(path, F_OK) != 0)
    }
}
