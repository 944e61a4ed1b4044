import Testing

@testable import HTTPListener

@Suite struct RequestHeadTests {
    private func read(_ text: String) throws -> RequestHead { try RequestHead(Array(text.utf8)) }

    private func status(_ bytes: [UInt8]) -> Int? {
        do {
            _ = try RequestHead(bytes)
            return nil
        } catch { return error.status }
    }

    @Test("a request is read whole") func whole() throws {
        let head = try read(
            "POST /blocklist/plain%34?mode=observe&at=a%20b+c&mode=other&x HTTP/1.1\r\nhost: a\r\n"
                + "If-None-Match: \"x\" \r\nif-none-match:\"y\"\r\nContent-Length: 12\r\n\r\n")
        #expect(head.method == "POST")
        #expect(head.path == "/blocklist/plain4")
        #expect(head.query == ["mode": "observe", "at": "a b c", "x": ""])
        #expect(head.headers["IF-NONE-MATCH"] == "\"x\", \"y\"")
        #expect(head.length == 12)
        #expect(head.keepsAlive)
    }

    @Test("who closes when") func keepAlive() throws {
        #expect(!(try read("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n")).keepsAlive)
        #expect(!(try read("GET / HTTP/1.0\r\n\r\n")).keepsAlive)
        #expect((try read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")).keepsAlive)
        #expect((try read("GET http://h:1/metrics HTTP/1.1\r\nHost: a\r\n\r\n")).path == "/metrics")
    }

    @Test(
        "what could be read in two ways is refused",
        arguments: [
            ("\r\n\r\n", 400), ("GET /\r\n\r\n", 400), ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505), ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400), ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET /%0a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET /?a=%1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: a\nY: b\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        ])
    func refused(text: String, expected: Int) { #expect(status(Array(text.utf8)) == expected) }

    @Test("no bytes break it") func random() {
        var generator = SystemRandomNumberGenerator()
        let seed = Array("GET /a?b=c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n".utf8)
        for _ in 0..<2000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...5, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            _ = status(bytes)
        }
    }

    @Test("the end of a head is found across portions") func end() {
        let bytes = Array("GET / HTTP/1.1\r\n\r\nrest".utf8)
        #expect(RequestHead.end(in: bytes, from: 0) == 18)
        #expect(RequestHead.end(in: bytes, from: 14) == 18)
        #expect(RequestHead.end(in: bytes, from: 15) == nil)
        #expect(RequestHead.end(in: [13, 10, 13], from: -3) == nil)
    }

    @Test("a token is taken whole and in one scheme only") func token() throws {
        let token = try #require(BearerToken("s3cret-value"))
        #expect(token.accepts("Bearer s3cret-value"))
        #expect(token.accepts("bearer s3cret-value"))
        for wrong in [
            nil, "", "Bearer", "Bearer ", "Bearer s3cret-valu", "Bearer s3cret-value ",
            "Bearer s3cret-values3cret-value",
            "Bearer S3cret-value", "Basic s3cret-value", "s3cret-value", "Bearer  s3cret-value",
        ] { #expect(!token.accepts(wrong)) }
        #expect("\(token)" == "<redacted>")
        #expect(BearerToken("") == nil)
        #expect(BearerToken("with blank") == nil)
    }

    @Test("tags are compared as RFC 9110 has it") func tags() throws {
        func request(_ field: String?) -> HTTPRequest {
            var fields = HTTPFields()
            if let field { fields.add("If-None-Match", field) }
            return HTTPRequest(method: "GET", path: "/", parameter: "", query: [:], headers: fields, body: [])
        }
        let tag = EntityTag("abc")
        for field in ["\"abc\"", "*", "W/\"abc\"", "\"x\", \"abc\"", "\"x\" ,W/\"abc\" "] {
            #expect(tag.isKnown(to: request(field)))
        }
        for field in [nil, "", "abc", "\"abcd\"", "\"x\""] { #expect(!tag.isKnown(to: request(field))) }
    }

    @Test("times are written as HTTP has them") func date() {
        #expect(HTTPDate.text(784_887_151) == "Tue, 15 Nov 1994 08:12:31 GMT")
    }
}
