import Foundation
import GRDB
import VigilModel

/// What a file is, as far as the file system and its first bytes tell.
public struct FileIdentity: Sendable {
    /// As named; `-` for standard input.
    public var path: String
    /// Device and inode; nil for a stream.
    public var device: Int64?
    /// Inode; nil for a stream.
    public var inode: Int64?
    /// Bytes in the file, when it is opened; the largest number for what has none or has it packed.
    public var size: Int64
    /// SHA-256 of the first `length` bytes, for any length up to `FileIdentity.headLength`.
    public var head: [UInt8]
    /// The log format.
    public var format: String
    /// Cluster and instance it belongs to, when known.
    public var cluster: String?
    /// Instance it belongs to, when known.
    public var instance: String?

    /// Bytes at the start of a file that identify it.
    public static let headLength = 256

    /// Takes all parts.
    public init(
        path: String, device: Int64?, inode: Int64?, size: Int64, head: [UInt8], format: String, cluster: String?,
        instance: String?
    ) {
        self.path = path
        self.device = device
        self.inode = inode
        self.size = size
        self.head = head
        self.format = format
        self.cluster = cluster
        self.instance = instance
    }

    /// The fingerprint over that many bytes.
    public func fingerprint(_ length: Int) -> String { Fingerprint.sha256(head.prefix(length)) }
}

/// Where reading of a source goes on.
public struct SourceState: Sendable {
    /// The source's row.
    public var id: Int64
    /// Byte offset where reading goes on.
    public var position: Int64
    /// The source's time before that byte.
    public var clock: LogTime
    /// Everything before this offset was counted by an earlier reading of the same bytes.
    public var counted: Int64
    /// Bytes that the stored fingerprint covers.
    public var headLength: Int
    /// Bytes on the disk of an archive that was read to its end; nil for anything else.
    public var packed: Int64?
    /// What was known of open sessions at the position.
    public var sessions: [OpenSession] = []
    /// The last line of each session, as it was at an offset not behind `counted`.
    public var lines: (offset: Int64, state: [UInt8])?
    /// When the log speaks, as it was when reading ended.
    public var rhythm: String?
    /// Events of the last two minutes, of records before the position.
    public var recent: [SecurityEvent] = []

    /// Takes the parts.
    public init(
        id: Int64, position: Int64, clock: LogTime, counted: Int64, headLength: Int, packed: Int64? = nil,
        sessions: [OpenSession] = []
    ) {
        self.id = id
        self.position = position
        self.clock = clock
        self.counted = counted
        self.headLength = headLength
        self.packed = packed
        self.sessions = sessions
    }
}

extension Store {
    /// Finds the source of a file, or makes it.
    ///
    /// The same device, inode and first bytes are the same file, whatever its name is now: reading goes on at its
    /// position. The same first bytes elsewhere are a copy: it is read from its start, event identity makes that
    /// harmless, and only bytes that no copy had counted feed the counters.
    public func open(_ file: FileIdentity) throws -> SourceState {
        try pool.write { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM sources WHERE path = ? OR (device = ? AND inode = ?) OR fingerprint = ?
                    ORDER BY id DESC
                    """,
                arguments: [file.path, file.device, file.inode, file.fingerprint(file.head.count)])
            let alike = rows.filter { row in
                let length: Int = row["head_length"]
                return length <= file.head.count && length > 0 && row["fingerprint"] == file.fingerprint(length)
            }
            if let same = alike.first(where: { $0["device"] == file.device && $0["inode"] == file.inode }),
                file.inode != nil, same["position"] <= file.size
            {
                try db.execute(
                    sql: "UPDATE OR IGNORE sources SET path = ? WHERE id = ?", arguments: [file.path, same["id"]])
                let sessions = try Row.fetchAll(
                    db, sql: "SELECT key, opened, closed, state FROM sessions WHERE source = ?",
                    arguments: [same["id"]])
                var state = SourceState(
                    id: same["id"], position: same["position"], clock: LogTime(milliseconds: same["clock"]),
                    counted: same["counted"], headLength: same["head_length"], packed: same["packed"],
                    sessions: sessions.map {
                        OpenSession(
                            key: $0["key"], opened: $0["opened"], closed: $0["closed"],
                            state: Array($0["state"] as Data))
                    })
                if let lines: Data = same["lines"], let offset: Int64 = same["lines_offset"] {
                    state.lines = (offset, Array(lines))
                }
                state.rhythm = same["rhythm"]
                state.recent = try Store.recent(of: state.id, before: state.position, at: state.clock, db)
                return state
            }
            let counted = alike.map { $0["counted"] as Int64 }.max() ?? 0
            return try add(file, rows: rows, counted: counted, db)
        }
    }

    private func add(_ file: FileIdentity, rows: [Row], counted: Int64, _ db: Database) throws -> SourceState {
        let fingerprint = file.fingerprint(file.head.count)
        if let again = rows.first(where: { $0["path"] == file.path && $0["fingerprint"] == fingerprint }) {
            try db.execute(
                sql:
                    "UPDATE sources SET device = ?, inode = ?, lines = NULL, lines_offset = NULL, rhythm = NULL WHERE id = ?",
                arguments: [file.device, file.inode, again["id"]])
            try db.execute(sql: "DELETE FROM sessions WHERE source = ?", arguments: [again["id"]])
            return SourceState(
                id: again["id"], position: 0, clock: .distantPast, counted: counted, headLength: file.head.count)
        }
        let generation = rows.filter { $0["path"] == file.path }.map { $0["generation"] as Int64 }.max() ?? 0
        try db.execute(
            sql: """
                INSERT INTO sources (fingerprint, head_length, path, format, cluster, instance, device, inode,
                    generation, position, clock, counted, records, text_lines, unread,
                    unread_bytes)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, 0, 0, 0, 0)
                """,
            arguments: [
                fingerprint, file.head.count, file.path, file.format, file.cluster, file.instance, file.device,
                file.inode, generation + 1, LogTime.distantPast.milliseconds, counted,
            ])
        return SourceState(
            id: db.lastInsertedRowID, position: 0, clock: .distantPast, counted: counted, headLength: file.head.count)
    }
}

extension Store {
    /// True when another file with the same beginning was read: a copy, or what the source's file was packed into.
    public func hasCopy(ofSource source: Int64) throws -> Bool {
        try pool.read { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM sources s JOIN sources t ON t.fingerprint = s.fingerprint
                        AND t.id <> s.id WHERE s.id = ?)
                    """, arguments: [source]) ?? false
        }
    }
}
