import VigilModel

/// What was seen of a stream of rows, for the transaction that commits their events.
public struct StreamProgress: Sendable {
    /// What was seen of a session.
    public struct Session: Sendable {
        /// Its lines.
        public var lines: NumberRanges
        /// Time of its newest row, as the server of logs has it.
        public var seen: LogTime

        /// Takes both.
        public init(lines: NumberRanges, seen: LogTime) {
            self.lines = lines
            self.seen = seen
        }
    }

    /// A row without session and line.
    public struct Row: Hashable, Sendable {
        /// Its time, as the server of logs has it.
        public var time: LogTime
        /// Hash of what it says.
        public var digest: UInt64

        /// Takes both.
        public init(time: LogTime, digest: UInt64) {
            self.time = time
            self.digest = digest
        }
    }

    /// Sessions that have new lines.
    public var sessions: [String: Session] = [:]
    /// How often rows were seen by now.
    public var rows: [Row: Int64] = [:]
    /// What was last seen before that is forgotten; nil: nothing is.
    public var forgetsBefore: LogTime?

    /// Nothing new.
    public init() {}

    /// Milliseconds that what was seen is remembered. Whoever reads the files of a week again sends their rows again.
    public static let memory: Int64 = 8 * 86_400_000 + 43_200_000
    /// Sessions and rows remembered of one stream; beyond, the oldest are forgotten first.
    static let most = 2_000_000
}

/// Up to where a server of logs has been read.
public struct ReadingCursor: Sendable, Equatable {
    /// Server, tenant and query.
    public var name: String
    /// Everything before it was read, as far as it was there.
    public var reached: LogTime
    /// Rows that came behind it so far.
    public var late: Int64

    /// Takes all.
    public init(name: String, reached: LogTime, late: Int64 = 0) {
        self.name = name
        self.reached = reached
        self.late = late
    }
}
