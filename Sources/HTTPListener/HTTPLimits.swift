/// What a client may take of this program: room, time and connections.
public struct HTTPLimits: Sendable {
    /// Connections at a time. When all are taken, the one that has been idle or sending its head for longest is closed.
    public var connections = 64
    /// Bytes of a request line with its header fields.
    public var headBytes = 16 << 10
    /// Bytes of all bodies that are held at a time; more get 503.
    public var bodyBytes = 128 << 20
    /// Time for a head, from its first byte, or from the start of the connection.
    public var head = Duration.seconds(10)
    /// Time between two requests of a connection.
    public var idle = Duration.seconds(90)
    /// Time for a body or an answer beside what its size takes at 64 KB/s.
    public var transfer = Duration.seconds(10)

    /// The defaults.
    public init() {}

    func time(for bytes: Int) -> Duration { transfer + .seconds(bytes >> 16) }
}
