import VigilModel

/// What became of a log file that only should have grown.
public struct FileLoss: Sendable {
    /// In which way.
    public enum Way: Sendable, Equatable {
        /// It was cut to fewer bytes than it had.
        case cut(to: Int64)
        /// It was deleted.
        case deleted
    }

    /// In which way.
    public let way: Way
    /// The file, its inode, and the bytes that it had.
    public let path: String
    public let inode, size: Int64
    /// When it was last written to, and when that was seen, by the clock on the wall.
    public let written, seen: LogTime

    /// Takes all parts.
    public init(way: Way, path: String, inode: Int64, size: Int64, written: LogTime, seen: LogTime) {
        self.way = way
        self.path = path
        self.inode = inode
        self.size = size
        self.written = written
        self.seen = seen
    }

    /// The server itself cuts and deletes files, at the earliest when their time comes again: one that was still written
    /// to within the hour is none of those.
    public var isSuspicious: Bool { seen.milliseconds - written.milliseconds < 3_600_000 }

    /// The event of it.
    public func event(kind: EventKind) -> SecurityEvent {
        var event = SecurityEvent(
            identity: EventIdentity(
                origin: "file-\(inode)", line: size, hash: UInt32(truncatingIfNeeded: seen.milliseconds), ordinal: 0),
            time: seen, kind: kind, actor: EventActor(address: nil, user: nil, database: nil))
        let what =
            switch way {
            case .cut(let size): "was cut to \(size) bytes"
            case .deleted: "was deleted"
            }
        let age = Shown.duration(max(0, seen.milliseconds - written.milliseconds))
        event.message = "\(Shown.text(path)) \(what), \(age) after it was last written to; it had \(size) bytes"
        return event
    }
}
