/// The request line and the header fields of a request (RFC 9112). Strict: what two programs could read in two ways is
/// refused.
struct RequestHead: Sendable {
    let method: String
    let path: String
    let query: [String: String]
    let headers: HTTPFields
    /// Bytes of the body that follows.
    let length: Int
    let keepsAlive: Bool
    /// The client waits to be told that its body is welcome.
    let expectsContinue: Bool

    /// Why a request is refused.
    struct Refusal: Error, Equatable {
        let status: Int
        let reason: String
    }

    /// Where a head ends in what was received: behind its empty line.
    static func end(in bytes: [UInt8], from start: Int) -> Int? {
        var index = max(0, start)
        while index + 3 < bytes.count {
            if bytes[index + 3] == 10, bytes[index + 2] == 13, bytes[index + 1] == 10, bytes[index] == 13 {
                return index + 4
            }
            index += 1
        }
        return nil
    }

    /// Reads a head, the empty line included.
    init(_ bytes: some Collection<UInt8>) throws(Refusal) {
        // A carriage return or NUL within a line means something else to others.
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw Refusal(status: 400, reason: "the head is no text")
        }
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        guard let first = lines.popFirst() else { throw Refusal(status: 400, reason: "no request line") }
        let words = first.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[2].hasPrefix("HTTP/"), RequestHead.isToken(words[0]) else {
            throw Refusal(status: 400, reason: "no request line")
        }
        guard words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0" else {
            throw Refusal(status: 505, reason: "HTTP/1.1 is spoken here")
        }
        method = String(words[0])
        (path, query) = try RequestHead.target(words[1])
        var headers = HTTPFields()
        for line in lines where !line.isEmpty {
            guard let colon = line.firstIndex(of: ":"), RequestHead.isToken(line[..<colon]),
                !line.utf8.contains(where: { $0 < 32 && $0 != 9 || $0 == 127 })
            else { throw Refusal(status: 400, reason: "a header field is malformed") }
            headers.add(String(line[..<colon]), RequestHead.trimmed(line[line.index(after: colon)...]))
        }
        self.headers = headers
        length = try RequestHead.length(headers)
        if words[2] == "HTTP/1.1", headers.values("host").count != 1 {
            throw Refusal(status: 400, reason: "one Host belongs to a request")
        }
        let options = (headers["connection"] ?? "").lowercased()
        keepsAlive = words[2] == "HTTP/1.1" ? !options.contains("close") : options.contains("keep-alive")
        expectsContinue = headers["expect"]?.lowercased() == "100-continue"
    }

    private static func length(_ headers: HTTPFields) throws(Refusal) -> Int {
        guard headers["transfer-encoding"] == nil else {
            throw Refusal(status: 411, reason: "a body needs its Content-Length")
        }
        let lengths = headers.values("content-length")
        guard let text = lengths.first else { return 0 }
        guard lengths.count == 1, text.utf8.allSatisfy({ (48...57).contains($0) }), let length = Int(text) else {
            throw Refusal(status: 400, reason: "Content-Length is no number")
        }
        return length
    }

    private static func target(_ text: Substring) throws(Refusal) -> (String, [String: String]) {
        var rest = text
        // Proxies get the whole address.
        if rest.hasPrefix("http://") { rest = rest.dropFirst(7).drop { $0 != "/" } }
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, first.hasPrefix("/"), let path = decoded(first) else {
            throw Refusal(status: 400, reason: "no path")
        }
        var query: [String: String] = [:]
        for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(sides[0], isQuery: true),
                let value = decoded(sides.count > 1 ? sides[1] : "", isQuery: true)
            else { throw Refusal(status: 400, reason: "the query is malformed") }
            if query[name] == nil { query[name] = value }
        }
        return (path, query)
    }

    /// Undoes percent signs; nil for what is not written well, or hides control characters.
    static func decoded(_ text: Substring, isQuery: Bool = false) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard rest.count >= 2, let high = hex(rest.removeFirst()), let low = hex(rest.removeFirst()) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(isQuery && byte == UInt8(ascii: "+") ? 32 : byte)
            }
        }
        guard bytes.allSatisfy({ $0 >= 32 && $0 != 127 }) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }

    private static func isToken(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && !separators.contains($0) }
    }

    private static let separators = Set("()<>@,;:\\\"/[]?={}".utf8)

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
