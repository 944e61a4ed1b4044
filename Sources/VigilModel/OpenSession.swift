/// What is known of a session that goes on, as the store keeps it with the position that reading goes on from.
public struct OpenSession: Sendable, Hashable {
    /// The session id or process id.
    public let key: String
    /// The offsets between which it holds: behind the first, up to the second.
    public let opened, closed: Int64
    /// What is known, as JSON.
    public let state: [UInt8]

    /// Takes the parts.
    public init(key: String, opened: Int64, closed: Int64, state: [UInt8]) {
        self.key = key
        self.opened = opened
        self.closed = closed
        self.state = state
    }

    /// What changed of what is known.
    public struct Changes: Sendable {
        /// Sessions of which nothing holds any more that was known.
        public var void: [String]
        /// What is known instead.
        public var rows: [OpenSession]

        /// Takes both.
        public init(void: [String], rows: [OpenSession]) {
            self.void = void
            self.rows = rows
        }

        /// True when nothing changed.
        public var isEmpty: Bool { void.isEmpty && rows.isEmpty }
    }
}
