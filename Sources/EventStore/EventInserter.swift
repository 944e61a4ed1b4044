import GRDB
import GRDBSQLite
import VigilModel

/// Writes events with prepared statements of SQLite's own interface: hundreds of thousands a second matter in a replay.
/// The only place that touches SQLite's C interface; it lives inside one write transaction.
struct EventInserter {
    private let db: Database
    private let insert: OpaquePointer
    private var kinds: KindCache

    /// What became of the events.
    struct Result {
        var inserted = 0
        var known = 0
        /// Same identity, other content: stored beside the first.
        var twins = 0
        var earliest: LogTime?
    }

    private static let columns = """
        origin, line, mark, twin, time, kind, actor, source, offset, count, content, port, pid, sqlstate, session,
        session_line, application, message, target_user, operation, object, object_type, query, auth_method, hba_rule,
        tls_version
        """

    /// Prepares the statement. Throws what SQLite says.
    init(_ db: Database, cache: KindCache) throws {
        self.db = db
        kinds = cache
        let places = Array(repeating: "?", count: 26).joined(separator: ", ")
        let sql = "INSERT INTO events (\(EventInserter.columns)) VALUES (\(places)) ON CONFLICT DO NOTHING"
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v2(db.sqliteConnection, sql, -1, &statement, nil)
        guard code == SQLITE_OK, let statement else { throw EventInserter.problem(db, code) }
        insert = statement
    }

    /// Must be called once when done.
    func close() { sqlite3_finalize(insert) }

    private static func problem(_ db: Database, _ code: Int32) -> DatabaseError {
        DatabaseError(
            resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(db.sqliteConnection)))
    }

    /// Writes the events that are not there yet.
    mutating func write(_ events: [SecurityEvent], source: Int64) throws -> Result {
        var result = Result()
        for event in events {
            let kind = try kinds.id(of: event.kind, db)
            let actor = try kinds.id(of: event.actor, db)
            if try step(event, kind: kind, actor: actor, source: source, twin: 0) {
                result.inserted += 1
                result.earliest = min(result.earliest ?? event.time, event.time)
            } else if let twin = try twin(of: event) {
                _ = try step(event, kind: kind, actor: actor, source: source, twin: twin)
                result.twins += 1
                result.earliest = min(result.earliest ?? event.time, event.time)
            } else {
                result.known += 1
            }
        }
        return result
    }

    /// The number for another event under an identity that is taken; nil when the event itself is there.
    private func twin(of event: SecurityEvent) throws -> Int64? {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT content, twin FROM events WHERE origin = ? AND line = ? AND mark = ?"),
            arguments: [event.identity.origin, event.identity.line, event.identity.mark])
        if rows.contains(where: { $0["content"] == event.content }) { return nil }
        return (rows.map { $0["twin"] as Int64 }.max() ?? -1) + 1
    }

    private func step(_ event: SecurityEvent, kind: Int64, actor: Int64, source: Int64, twin: Int64) throws -> Bool {
        bind(1, event.identity.origin)
        bind(2, event.identity.line)
        bind(3, event.identity.mark)
        bind(4, twin)
        bind(5, event.time.milliseconds)
        bind(6, kind)
        bind(7, actor)
        bind(8, source)
        bind(9, event.offset)
        bind(10, event.count)
        bind(11, event.content)
        bind(12, event.sourcePort.map(Int64.init))
        bind(13, event.processID)
        bind(14, event.sqlState)
        bind(15, event.sessionID)
        bind(16, event.sessionLine)
        bind(17, event.applicationName)
        bind(18, event.message == event.query ? nil : event.message)
        bind(19, event.targetUser)
        bind(20, event.operation)
        bind(21, event.objectName)
        bind(22, event.objectType)
        bind(23, event.query)
        bind(24, event.authMethod)
        bind(25, event.hbaRule)
        bind(26, event.tlsVersion)
        let code = sqlite3_step(insert)
        sqlite3_reset(insert)
        guard code == SQLITE_DONE else { throw EventInserter.problem(db, code) }
        return sqlite3_changes(db.sqliteConnection) > 0
    }

    private func bind(_ index: Int32, _ text: String?) {
        guard var text else {
            sqlite3_bind_null(insert, index)
            return
        }
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        text.withUTF8 { bytes in
            // An empty text has no address; SQLite would read that as NULL.
            let start = UnsafeRawPointer(bytes.baseAddress).map { $0.assumingMemoryBound(to: CChar.self) }
            if let start { sqlite3_bind_text(insert, index, start, Int32(bytes.count), transient) } else {
                sqlite3_bind_text(insert, index, "", 0, transient)
            }
        }
    }

    private func bind(_ index: Int32, _ number: Int64?) {
        if let number { sqlite3_bind_int64(insert, index, number) } else { sqlite3_bind_null(insert, index) }
    }
}

/// Numbers of kinds and actors, remembered: they repeat from event to event.
final class KindCache {
    // A class, so that it outlives a transaction; used by the one writer only, and emptied when one fails.
    private var kinds: [EventKind: Int64] = [:]
    private var actors: [EventActor: Int64] = [:]

    func forget() {
        kinds = [:]
        actors = [:]
    }

    func id(of kind: EventKind, _ db: Database) throws -> Int64 {
        if let known = kinds[kind] { return known }
        let values: StatementArguments = [
            kind.dataset, kind.category, kind.action, kind.outcome.rawValue, kind.reason, kind.severity.rawValue,
            kind.tags.joined(separator: " "),
        ]
        let found = try Int64.fetchOne(
            db,
            sql: """
                SELECT id FROM kinds WHERE dataset = ? AND category = ? AND action = ? AND outcome = ? AND reason IS ?
                    AND severity = ? AND tags = ?
                """, arguments: values)
        if found == nil {
            try db.execute(
                sql: """
                    INSERT INTO kinds (dataset, category, action, outcome, reason, severity, tags)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """, arguments: values)
        }
        let id = found ?? db.lastInsertedRowID
        kinds[kind] = id
        return id
    }

    func id(of actor: EventActor, _ db: Database) throws -> Int64 {
        if let known = actors[actor] { return known }
        let key: [String] = [actor.address ?? "", actor.user ?? "", actor.database ?? ""]
        let select = try db.cachedStatement(
            sql: "SELECT id FROM actors WHERE address = ? AND user = ? AND database = ?")
        let found = try Int64.fetchOne(select, arguments: StatementArguments(key))
        if found == nil {
            let insert = try db.cachedStatement(
                sql: "INSERT INTO actors (address, user, database, ip) VALUES (?, ?, ?, ?)")
            try insert.execute(arguments: StatementArguments(key) + [actor.ip?.description])
        }
        let id = found ?? db.lastInsertedRowID
        // A flood of addresses must not fill memory.
        if actors.count >= 50_000 { actors = [:] }
        actors[actor] = id
        return id
    }
}
