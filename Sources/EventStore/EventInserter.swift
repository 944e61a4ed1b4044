import GRDB
import VigilModel

/// Writes events with a prepared statement: hundreds of thousands a second matter in a replay. It lives inside one write
/// transaction.
struct EventInserter {
    private let db: Database
    private let insert: RawStatement
    private let kinds: KindCache
    private let sessions: SessionNotes
    /// Who wants to know what is stored.
    private let gatherer: StoredEventsGatherer?

    /// What became of the events.
    struct Result {
        var inserted = 0
        var known = 0
        var knownClasses: [EventClass: Int] = [:]
        var late = 0
        var earliest: LogTime?
    }

    private static let columns = """
        origin, line, mark, content, time, kind, actor, source, offset, count, port, pid, sqlstate, session,
        session_line, application, message, target_user, operation, object, object_type, query, auth_method, hba_rule,
        tls_version, audit_class, secret
        """

    /// Prepares the statement. Throws what SQLite says.
    init(
        _ db: Database, cache: KindCache, sessions: SessionNotes, gatherer: StoredEventsGatherer? = nil
    ) throws {
        self.db = db
        kinds = cache
        self.sessions = sessions
        self.gatherer = gatherer
        let places = Array(repeating: "?", count: 27).joined(separator: ", ")
        insert = try RawStatement(
            db, "INSERT INTO events (\(EventInserter.columns)) VALUES (\(places)) ON CONFLICT DO NOTHING")
    }

    /// Writes the events that are not there yet.
    func write(_ events: [SecurityEvent], source: Int64) throws -> Result {
        var result = Result()
        try events.withUnsafeBufferPointer { events in
            guard let first = events.baseAddress else { return }
            // By address: a copy of an event costs more than its row.
            for index in events.indices {
                let event = first + index
                let kind = try kinds.id(of: event.pointee.kind, db)
                let actor = try kinds.id(of: event.pointee.actor, db)
                guard try step(event, kind: kind, actor: actor, source: source) else {
                    result.known += 1
                    result.knownClasses[EventClass(event.pointee.kind), default: 0] += 1
                    continue
                }
                result.inserted += 1
                try sessions.note(kind: kind, actor: actor, at: event.pointee.time, db)
                gatherer?.add(event, seq: db.lastInsertedRowID, kind: kind, actor: actor, source: source)
                result.earliest = min(result.earliest ?? event.pointee.time, event.pointee.time)
            }
        }
        try sessions.flush(db)
        return result
    }

    private func step(
        _ event: UnsafePointer<SecurityEvent>, kind: Int64, actor: Int64, source: Int64
    ) throws -> Bool {
        insert.bind { row in
            row.add(event.pointee.identity.origin)
            row.add(event.pointee.identity.line)
            row.add(event.pointee.identity.mark)
            row.add(event.pointee.content)
            row.add(event.pointee.time.milliseconds)
            row.add(kind)
            row.add(actor)
            row.add(source)
            row.add(event.pointee.offset)
            row.add(event.pointee.count)
            row.add(event.pointee.sourcePort.map(Int64.init))
            row.add(event.pointee.processID)
            row.add(event.pointee.sqlState)
            row.add(event.pointee.sessionID == event.pointee.identity.origin ? nil : event.pointee.sessionID)
            row.add(event.pointee.sessionLine == event.pointee.identity.line ? nil : event.pointee.sessionLine)
            row.add(event.pointee.applicationName)
            row.add(event.pointee.message == event.pointee.query ? nil : event.pointee.message)
            row.add(event.pointee.targetUser)
            row.add(event.pointee.operation)
            row.add(event.pointee.objectName)
            row.add(event.pointee.objectType)
            row.add(event.pointee.query)
            row.add(event.pointee.authMethod)
            row.add(event.pointee.hbaRule)
            row.add(event.pointee.tlsVersion)
            row.add(event.pointee.auditClass)
            row.add(event.pointee.secretFingerprint)
        }
        return try insert.run() > 0
    }
}

/// Numbers of kinds and actors, remembered: they repeat from event to event.
final class KindCache {
    // A class, so that it outlives a transaction; used by the one writer only, and emptied when one fails.
    private var kinds: [EventKind: Int64] = [:]
    private var actors: [EventActor: Int64] = [:]
    private var last: (kind: EventKind, id: Int64)?
    /// Kinds by the object, which patterns share: no words are compared.
    private var objects: [ObjectIdentifier: (kind: EventKind, id: Int64)] = [:]
    /// Those met last.
    private var recent = RecentTexts<Int64>()

    func forget() {
        kinds = [:]
        actors = [:]
        last = nil
        objects = [:]
        recent.forget()
    }

    func id(of kind: EventKind, _ db: Database) throws -> Int64 {
        // Most events are of the same kind as the one before.
        if let last, last.kind === kind { return last.id }
        if let known = objects[ObjectIdentifier(kind)] {
            last = known
            return known.id
        }
        let id = try number(of: kind, db)
        if objects.count >= 4096 { objects = [:] }
        objects[ObjectIdentifier(kind)] = (kind, id)
        last = (kind, id)
        return id
    }

    private func number(of kind: EventKind, _ db: Database) throws -> Int64 {
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
            let id =
                Schema.sessionActions.contains(kind.action)
                ? "(SELECT min(0, coalesce(min(id), 0)) - 1 FROM kinds)"
                : "(SELECT max(0, coalesce(max(id), 0)) + 1 FROM kinds)"
            try db.execute(
                sql: """
                    INSERT INTO kinds (id, dataset, category, action, outcome, reason, severity, tags)
                    VALUES (\(id), ?, ?, ?, ?, ?, ?, ?)
                    """, arguments: values)
        }
        let id = found ?? db.lastInsertedRowID
        kinds[kind] = id
        return id
    }

    func id(of actor: EventActor, _ db: Database) throws -> Int64 {
        let key = RecentTexts<Int64>.Key(first: actor.address, second: actor.user, third: actor.database)
        return try recent.entry(of: key) { try number(of: actor, db) }
    }

    private func number(of actor: EventActor, _ db: Database) throws -> Int64 {
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
