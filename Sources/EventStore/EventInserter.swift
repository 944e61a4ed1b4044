import GRDB
import VigilModel

/// Writes events with a prepared statement: hundreds of thousands a second matter in a replay. It lives inside one write
/// transaction.
struct EventInserter {
    private let db: Database
    private let insert: RawStatement
    private let kinds: KindCache

    /// What became of the events.
    struct Result {
        var inserted = 0
        var known = 0
        var earliest: LogTime?
    }

    private static let columns = """
        origin, line, mark, content, time, kind, actor, source, offset, count, port, pid, sqlstate, session,
        session_line, application, message, target_user, operation, object, object_type, query, auth_method, hba_rule,
        tls_version, audit_class
        """

    /// Prepares the statement. Throws what SQLite says.
    init(_ db: Database, cache: KindCache) throws {
        self.db = db
        kinds = cache
        let places = Array(repeating: "?", count: 26).joined(separator: ", ")
        insert = try RawStatement(
            db, "INSERT INTO events (\(EventInserter.columns)) VALUES (\(places)) ON CONFLICT DO NOTHING")
    }

    /// Writes the events that are not there yet.
    func write(_ events: [SecurityEvent], source: Int64) throws -> Result {
        var result = Result()
        // By index: a copy of an event costs more than its row.
        for index in events.indices {
            let kind = try kinds.id(of: events[index].kind, db)
            let actor = try kinds.id(of: events[index].actor, db)
            guard try step(events[index], kind: kind, actor: actor, source: source) else {
                result.known += 1
                continue
            }
            result.inserted += 1
            result.earliest = min(result.earliest ?? events[index].time, events[index].time)
        }
        return result
    }

    private func step(
        _ event: borrowing SecurityEvent, kind: Int64, actor: Int64, source: Int64
    ) throws -> Bool {
        insert.bind(1, event.identity.origin)
        insert.bind(2, event.identity.line)
        insert.bind(3, event.identity.mark)
        insert.bind(4, event.content)
        insert.bind(5, event.time.milliseconds)
        insert.bind(6, kind)
        insert.bind(7, actor)
        insert.bind(8, source)
        insert.bind(9, event.offset)
        insert.bind(10, event.count)
        insert.bind(11, event.sourcePort.map(Int64.init))
        insert.bind(12, event.processID)
        insert.bind(13, event.sqlState)
        insert.bind(14, event.sessionID == event.identity.origin ? nil : event.sessionID)
        insert.bind(15, event.sessionLine == event.identity.line ? nil : event.sessionLine)
        insert.bind(16, event.applicationName)
        insert.bind(17, event.message == event.query ? nil : event.message)
        insert.bind(18, event.targetUser)
        insert.bind(19, event.operation)
        insert.bind(20, event.objectName)
        insert.bind(21, event.objectType)
        insert.bind(22, event.query)
        insert.bind(23, event.authMethod)
        insert.bind(24, event.hbaRule)
        insert.bind(25, event.tlsVersion)
        insert.bind(26, event.auditClass)
        return try insert.run() > 0
    }
}

/// Numbers of kinds and actors, remembered: they repeat from event to event.
final class KindCache {
    // A class, so that it outlives a transaction; used by the one writer only, and emptied when one fails.
    private var kinds: [EventKind: Int64] = [:]
    private var actors: [EventActor: Int64] = [:]
    private var last: (kind: EventKind, id: Int64)?

    func forget() {
        kinds = [:]
        actors = [:]
        last = nil
    }

    func id(of kind: EventKind, _ db: Database) throws -> Int64 {
        // Most events are of the same kind as the one before.
        if let last, last.kind === kind { return last.id }
        if let known = kinds[kind] {
            last = (kind, known)
            return known
        }
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
