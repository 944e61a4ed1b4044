/// One connection through a proxy or pooler: whose client stands behind an address and port that a server logs.
public struct ProxyHop: Sendable, Hashable {
    /// Address and port that the proxy's connection to the server came from.
    public var address: String
    /// TCP port, 1…65535.
    public var port: Int
    /// The client's own address.
    public var clientAddress: String
    /// The client's TCP port.
    public var clientPort: Int?
    /// When the connection began.
    public var start: LogTime
    /// When it ended; nil while that is unknown.
    public var end: LogTime?
    /// False when the client is only the likeliest one: a pooler does not log which client got which connection.
    public var isExact: Bool

    /// Takes all parts.
    public init(
        address: String, port: Int, clientAddress: String, clientPort: Int?, start: LogTime, end: LogTime?,
        isExact: Bool
    ) {
        self.address = address
        self.port = port
        self.clientAddress = clientAddress
        self.clientPort = clientPort
        self.start = start
        self.end = end
        self.isExact = isExact
    }

    /// Clocks of a proxy and a server may differ by that many milliseconds.
    public static let slack: Int64 = 2000
}
