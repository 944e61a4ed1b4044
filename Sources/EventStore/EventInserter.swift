import GRDB
import VigilModel

/// Writes events with a prepared statement: hundreds of thousands a second matter in a replay. It lives inside one write
/// transaction.
struct EventInserter {
    private let db: Database
    private let insert: RawStatement
    private let kinds: KindCache
    private let actors: ActorInserter
    /// Who wants to know what is stored.
    private let gatherer: StoredEventsGatherer?
    private let tip: ChainTip

    /// What became of the events.
    struct Result {
        var inserted = 0
        var known = 0
        var knownClasses: [EventClass: Int] = [:]
        var late = 0
        var earliest: LogTime?
    }

    static let columns = """
        origin, line, mark, content, time, kind, actor, source, offset, count, port, pid, sqlstate, session,
        session_line, application, message, target_user, operation, object, object_type, query, auth_method, hba_rule,
        tls_version, audit_class, secret, chain
        """

    /// Takes prepared statements. Throws what SQLite says.
    init(_ db: Database, _ statements: WriterStatements, cache: KindCache, gatherer: StoredEventsGatherer? = nil) throws
    {
        self.db = db
        kinds = cache
        actors = ActorInserter(db, statements)
        self.gatherer = gatherer
        tip = try ChainTip(.events, db)
        insert = try statements.event(db)
    }

    /// Keeps where the chain of events ends now: to be called when all are written.
    func finish() throws { try tip.save(db) }

    /// Writes the events that are not there yet.
    func write(_ events: [SecurityEvent], source: Int64) throws -> Result {
        var result = Result()
        let words = try kinds.words(ofSource: source, db)
        try events.withUnsafeBufferPointer { events in
            guard let first = events.baseAddress else { return }
            // By address: a copy of an event costs more than its row.
            for index in events.indices {
                let event = first + index
                let kind = try kinds.entry(of: event.pointee.kind, db)
                let actor = try kinds.entry(of: event.pointee.actor, actors)
                guard try step(event, kind: kind, actor: actor, source: source, words: words) else {
                    result.known += 1
                    result.knownClasses[EventClass(event.pointee.kind), default: 0] += 1
                    continue
                }
                result.inserted += 1
                gatherer?.add(
                    event, seq: tip.last, kind: kind.id, actor: actor.id, isMet: kinds.hasMet, source: source)
                result.earliest = min(result.earliest ?? event.pointee.time, event.pointee.time)
            }
        }
        return result
    }

    private func step(
        _ event: UnsafePointer<SecurityEvent>, kind: KindCache.Entry, actor: KindCache.Entry, source: Int64,
        words: (String?, String?)
    ) throws -> Bool {
        let hash = insert.bind { row in
            row.begin(after: tip.hash)
            row.add(event.pointee.identity.origin)
            row.add(event.pointee.identity.line)
            row.add(event.pointee.identity.mark)
            row.add(event.pointee.content)
            row.add(event.pointee.time.milliseconds)
            row.add(kind.id, meaning: kind.digest)
            row.add(actor.id, meaning: actor.digest)
            row.add(source, meaning: words)
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
            return row.addChain()
        }
        guard try insert.run() > 0 else { return false }
        tip.append(insert.lastRow, hash)
        return true
    }
}

/// Numbers of kinds and actors, remembered: they repeat from event to event.
final class KindCache {
    /// The number of a row, and the hash of its words.
    struct Entry {
        let id: Int64
        let digest: ChainHash
    }

    // A class, so that it outlives a transaction; used by the one writer only, and emptied when one fails.
    private var kinds: [EventKind: Entry] = [:]
    /// All actors of the store, while it is filled and nobody else writes to it.
    private var all: ActorTable?
    private var sources: [Int64: (String?, String?)] = [:]
    private var last: (kind: EventKind, entry: Entry)?
    /// Kinds by the object, which patterns share: no words are compared.
    private var objects: [ObjectIdentifier: (kind: EventKind, entry: Entry)] = [:]
    /// Those met last.
    private var recent = RecentTexts<Entry>()
    /// The actor that was asked for last is one of these.
    private(set) var hasMet = false

    func forget() {
        kinds = [:]
        all = nil
        last = nil
        objects = [:]
        recent.forget()
        sources = [:]
    }

    /// Cluster and instance of a source.
    func words(ofSource source: Int64, _ db: Database) throws -> (String?, String?) {
        if let known = sources[source] { return known }
        let row = try Row.fetchOne(db, sql: "SELECT cluster, instance FROM sources WHERE id = ?", arguments: [source])
        let words: (String?, String?) = (row?["cluster"], row?["instance"])
        if sources.count >= 4096 { sources = [:] }
        sources[source] = words
        return words
    }

    func entry(of kind: EventKind, _ db: Database) throws -> Entry {
        // Most events are of the same kind as the one before.
        if let last, last.kind === kind { return last.entry }
        if let known = objects[ObjectIdentifier(kind)] {
            last = known
            return known.entry
        }
        let entry = try find(kind, db)
        if objects.count >= 4096 { objects = [:] }
        objects[ObjectIdentifier(kind)] = (kind, entry)
        last = (kind, entry)
        return entry
    }

    private func find(_ kind: EventKind, _ db: Database) throws -> Entry {
        if let known = kinds[kind] { return known }
        let words: [String?] = [
            kind.dataset, kind.category, kind.action, kind.outcome.rawValue, kind.reason, kind.severity.rawValue,
            kind.tags.joined(separator: " "),
        ]
        let digest = ChainHash(words: words)
        let values = StatementArguments(words.map { $0 as (any DatabaseValueConvertible)? })
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
                    INSERT INTO kinds (id, dataset, category, action, outcome, reason, severity, tags, digest)
                    VALUES (\(id), ?, ?, ?, ?, ?, ?, ?, ?)
                    """, arguments: values + [digest.data])
        }
        let entry = Entry(id: found ?? db.lastInsertedRowID, digest: digest)
        kinds[kind] = entry
        return entry
    }

    /// Says that the store has no actors yet, nor an index over them.
    func beginActors() { all = ActorTable() }

    /// Says that there is an index over actors from now on.
    func endActors() { all = nil }

    /// False when the store must be asked who is there, or had better be.
    var knowsActors: Bool { all.map { !$0.isFull } ?? false }

    func entry(of actor: EventActor, _ inserter: ActorInserter) throws -> Entry {
        let key = RecentTexts<Entry>.Key(first: actor.address, second: actor.user, third: actor.database)
        hasMet = true
        return try recent.entry(of: key) {
            hasMet = false
            return try inserter.entry(of: actor, &all)
        }
    }
}
