/// What a client asks for, whole.
public struct HTTPRequest: Sendable {
    /// `GET`, `POST`. A route for GET gets HEAD as GET; what it answers is sent without its body.
    public let method: String
    /// The path, percent-decoded, without the query.
    public let path: String
    /// What stands in the place of a route's `*`.
    public let parameter: String
    /// The query; of a name that comes twice, the first.
    public let query: [String: String]
    /// The header fields.
    public let headers: HTTPFields
    /// The body, no longer than the route allows.
    public let body: [UInt8]
}

/// Header fields: names are the same in either case.
public struct HTTPFields: Sendable {
    private var fields: [(name: String, value: String)] = []

    /// None.
    public init() {}

    /// The value of a field; those that came more than once are joined by commas.
    public subscript(name: String) -> String? {
        let name = name.lowercased()
        let values = fields.filter { $0.name == name }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }

    mutating func add(_ name: String, _ value: String) { fields.append((name.lowercased(), value)) }

    func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
}

/// What a client is told.
public struct HTTPAnswer: Sendable {
    /// The status, such as 200.
    public var status: Int
    /// Header fields beside those that every answer has.
    public var headers: [(name: String, value: String)]
    /// The body.
    public var body: [UInt8]

    /// Takes all three.
    public init(_ status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A text with its type.
    public init(_ status: Int, type: String = "text/plain; charset=utf-8", text: String) {
        self.init(status, headers: [("Content-Type", type)], body: Array(text.utf8))
    }

    /// The answer as bytes: `hasBody` is false for HEAD.
    func bytes(date: String, keepsAlive: Bool, hasBody: Bool) -> [UInt8] {
        var head = "HTTP/1.1 \(status) \(HTTPAnswer.phrases[status] ?? "Status")\r\n"
        for (name, value) in headers { head += "\(name): \(HTTPAnswer.oneLine(value))\r\n" }
        head += "Date: \(date)\r\nX-Content-Type-Options: nosniff\r\n"
        if !keepsAlive { head += "Connection: close\r\n" }
        // 304 tells nothing of a body that it does not send.
        if status != 304 { head += "Content-Length: \(body.count)\r\n" }
        head += "\r\n"
        return Array(head.utf8) + (hasBody && status != 304 ? body : [])
    }

    /// A value that held a line feed would be two fields.
    private static func oneLine(_ value: String) -> String {
        String(decoding: value.utf8.map { $0 < 32 || $0 == 127 ? 32 : $0 }, as: UTF8.self)
    }

    private static let phrases = [
        200: "OK", 202: "Accepted", 204: "No Content", 304: "Not Modified", 400: "Bad Request", 401: "Unauthorized",
        403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 408: "Request Timeout",
        411: "Length Required", 413: "Content Too Large", 415: "Unsupported Media Type", 429: "Too Many Requests",
        431: "Request Header Fields Too Large", 500: "Internal Server Error", 503: "Service Unavailable",
        505: "HTTP Version Not Supported",
    ]
}
