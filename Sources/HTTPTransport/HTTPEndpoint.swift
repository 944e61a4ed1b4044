/// A server and how it is spoken to.
public struct HTTPEndpoint: Sendable, Equatable {
    /// `http://` or `https://` with host, port and what every path begins with; no user, no query.
    public var url: String
    /// What it is called in messages: its address, unless that is a secret itself.
    public var name: String
    /// How we say who we are.
    public var credentials: Credentials?
    /// PEM file of the authorities that are trusted in place of the system's.
    public var authorities: String?
    /// PEM files of our certificate and its key.
    public var certificate, key: String?
    /// Proxy, as libcurl writes it (CURLOPT_PROXY); nil: what the environment says.
    public var proxy: String?
    /// Further headers.
    public var headers: [(name: String, value: String)] = []
    /// Bodies are sent packed as gzip.
    public var packs = true
    /// Seconds that an answer may take.
    public var timeout = 10.0

    /// Basic (RFC 7617) or bearer (RFC 6750) authentication.
    public enum Credentials: Sendable, Equatable {
        case basic(user: String, password: Secret)
        case bearer(Secret)
    }

    /// A server that needs nothing else.
    public init(url: String) {
        self.url = url
        name = url
    }

    /// Equal in everything.
    public static func == (one: HTTPEndpoint, other: HTTPEndpoint) -> Bool {
        one.url == other.url && one.name == other.name && one.credentials == other.credentials
            && one.authorities == other.authorities
            && one.certificate == other.certificate && one.key == other.key && one.proxy == other.proxy
            && one.headers.elementsEqual(other.headers, by: ==) && one.packs == other.packs
            && one.timeout == other.timeout
    }
}

/// What is asked of a server.
public struct HTTPRequest: Sendable {
    /// GET, POST, …
    public var method: String
    /// What comes behind the endpoint's address, query included.
    public var path: String
    /// Further headers.
    public var headers: [(name: String, value: String)] = []
    /// The body; nil: none.
    public var body: [UInt8]?
    /// Seconds that the answer may take; nil: what the endpoint says.
    public var timeout: Double?

    /// A request without further headers.
    public init(_ method: String, _ path: String, body: [UInt8]? = nil, type: String? = nil) {
        self.method = method
        self.path = path
        self.body = body
        if let type { headers.append(("Content-Type", type)) }
    }
}

/// What a server answered.
public struct HTTPAnswer: Sendable {
    /// Status code (RFC 9110, 15).
    public var status: Int
    /// The body's first bytes, as many as were asked for.
    public var body: [UInt8]
    /// Seconds to wait, when the server says so (RFC 9110, 10.2.3).
    public var retryAfter: Double?

    /// 2xx.
    public var isSuccess: Bool { (200..<300).contains(status) }

    /// The body as text, for messages: its first line, at most 300 characters.
    public var text: String {
        let line = String(decoding: body.prefix(2000), as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
        return String(line.prefix(300))
    }
}

/// No answer came.
public struct HTTPProblem: Error, CustomStringConvertible {
    /// Whom it was asked of.
    public let url: String
    /// Why there is none.
    public let reason: String

    /// A problem with a server.
    public init(url: String, reason: String) {
        self.url = url
        self.reason = reason
    }

    /// Whom, and why.
    public var description: String { "\(url): \(reason)" }
}
