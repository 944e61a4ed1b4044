import Foundation
import GRDB
import VigilModel

/// A stream of rows that comes from no file.
public struct StreamIdentity: Sendable {
    /// Its name, the same whichever server it is read from.
    public var path: String
    /// The log format.
    public var format: String
    /// Cluster and instance it belongs to, when known.
    public var cluster, instance: String?
    /// Times of its records are those at which they were received.
    public var isReceived: Bool

    /// Takes all parts.
    public init(path: String, format: String, cluster: String?, instance: String?, isReceived: Bool) {
        self.path = path
        self.format = format
        self.cluster = cluster
        self.instance = instance
        self.isReceived = isReceived
    }
}

extension Store {
    /// Finds the source of a stream, or makes it.
    public func open(_ stream: StreamIdentity) throws -> SourceState {
        let fingerprint = Fingerprint.sha256("stream\0\(stream.path)\0\(stream.cluster ?? "")".utf8)
        return try pool.write { db in
            let found = try Row.fetchOne(
                db, sql: "SELECT * FROM sources WHERE path = ? AND fingerprint = ?",
                arguments: [stream.path, fingerprint])
            guard let found else {
                try db.execute(
                    sql: """
                        INSERT INTO sources (fingerprint, head_length, path, format, cluster, instance, generation,
                            position, clock, counted, records, text_lines, unread, unread_bytes, received)
                        VALUES (?, 0, ?, ?, ?, ?, 1, 0, ?, 0, 0, 0, 0, 0, ?)
                        """,
                    arguments: [
                        fingerprint, stream.path, stream.format, stream.cluster, stream.instance,
                        LogTime.distantPast.milliseconds, stream.isReceived,
                    ])
                return SourceState(
                    id: db.lastInsertedRowID, position: 0, clock: .distantPast, counted: 0, headLength: 0)
            }
            let id: Int64 = found["id"]
            if stream.isReceived != found["received"] {
                try db.execute(
                    sql: "UPDATE sources SET received = ? WHERE id = ?", arguments: [stream.isReceived, id])
            }
            let sessions = try Row.fetchAll(
                db, sql: "SELECT key, opened, closed, state FROM sessions WHERE source = ?", arguments: [id])
            var state = SourceState(
                id: id, position: found["position"], clock: LogTime(milliseconds: found["clock"]),
                counted: found["counted"], headLength: 0,
                sessions: sessions.map {
                    OpenSession(
                        key: $0["key"], opened: $0["opened"], closed: $0["closed"], state: Array($0["state"] as Data))
                })
            state.recent = try Store.recent(of: id, before: state.position, at: state.clock, db)
            return state
        }
    }

    /// What was seen of some sessions.
    public func seen(_ sessions: some Sequence<String>, of source: Int64) throws -> [String: StreamProgress.Session] {
        try pool.read { db in
            let select = try db.cachedStatement(
                sql: "SELECT seen, lines FROM stream_sessions WHERE source = ? AND session = ?")
            var result: [String: StreamProgress.Session] = [:]
            for session in sessions {
                guard let row = try Row.fetchOne(select, arguments: [source, session]) else { continue }
                result[session] = StreamProgress.Session(
                    lines: NumberRanges(text: row["lines"]), seen: LogTime(milliseconds: row["seen"]))
            }
            return result
        }
    }

    /// How often rows of a time span were seen, both ends included.
    public func seenRows(
        from first: LogTime, through last: LogTime, of source: Int64
    ) throws -> [StreamProgress.Row: Int64] {
        try pool.read { db in
            let rows = try Row.fetchCursor(
                db, sql: "SELECT time, digest, count FROM stream_rows WHERE source = ? AND time BETWEEN ? AND ?",
                arguments: [source, first.milliseconds, last.milliseconds])
            var result: [StreamProgress.Row: Int64] = [:]
            while let row = try rows.next() {
                let key = StreamProgress.Row(
                    time: LogTime(milliseconds: row["time"]), digest: UInt64(bitPattern: row["digest"]))
                result[key] = row["count"]
            }
            return result
        }
    }

    /// Up to where a server of logs was read; nil: never.
    public func cursor(_ name: String) throws -> ReadingCursor? {
        try pool.read { db in
            try Row.fetchOne(db, sql: "SELECT reached, late FROM cursors WHERE name = ?", arguments: [name]).map {
                ReadingCursor(name: name, reached: LogTime(milliseconds: $0["reached"]), late: $0["late"])
            }
        }
    }

    /// False when no event is timed by when it was received.
    public func hasTimesOfReceipt() throws -> Bool {
        try pool.read { db in
            try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM sources WHERE received)") ?? false
        }
    }

    /// True when some event of these is timed by when it was received, not by when it happened.
    public func isTimedByReceipt(_ events: [Int64]) throws -> Bool {
        guard !events.isEmpty else { return false }
        return try pool.read { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM events e JOIN sources s ON s.id = e.source
                        WHERE s.received AND e.seq IN (\(events.map(String.init).joined(separator: ","))))
                    """) ?? false
        }
    }
}

extension StreamProgress {
    /// Writes what was seen, inside the transaction that commits the events.
    func write(of source: Int64, _ db: Database) throws {
        let session = try db.cachedStatement(sql: "INSERT OR REPLACE INTO stream_sessions VALUES (?, ?, ?, ?)")
        for (id, entry) in sessions {
            try session.execute(arguments: [source, id, entry.seen.milliseconds, entry.lines.text])
        }
        let row = try db.cachedStatement(sql: "INSERT OR REPLACE INTO stream_rows VALUES (?, ?, ?, ?)")
        for (key, count) in rows {
            try row.execute(arguments: [source, key.time.milliseconds, Int64(bitPattern: key.digest), count])
        }
        guard let forgetsBefore else { return }
        for (table, time, key) in [("stream_sessions", "seen", "session"), ("stream_rows", "time", "digest")] {
            try db.execute(
                sql: "DELETE FROM \(table) WHERE source = ? AND \(time) < ?",
                arguments: [source, forgetsBefore.milliseconds])
            let count =
                try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table) WHERE source = ?", arguments: [source]) ?? 0
            guard count > StreamProgress.most else { continue }
            try db.execute(
                sql: """
                    DELETE FROM \(table) WHERE source = ?1 AND (\(time), \(key)) IN (
                        SELECT \(time), \(key) FROM \(table) WHERE source = ?1 ORDER BY \(time) LIMIT ?2)
                    """, arguments: [source, count - StreamProgress.most])
        }
    }
}

extension ReadingCursor {
    /// Writes it, inside the transaction that commits what was read.
    func write(_ db: Database) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)", arguments: [name, reached.milliseconds, late])
    }
}
