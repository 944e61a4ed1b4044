import Foundation
import GRDB
import VigilModel

/// What was read of a source since its last commit: goes into the store whole or not at all.
public struct Ingest: Sendable {
    /// The source's row.
    public var source: Int64
    /// Events in file order.
    public var events: [SecurityEvent] = []
    /// Records that tell more of events, found in this or an earlier commit.
    public var evidence: [EventEvidence] = []
    /// Connections through a proxy.
    public var hops: [ProxyHop] = []
    /// What changed of what is known of open sessions at the position.
    public var sessions = OpenSession.Changes(void: [], rows: [])
    /// Counts by hour, command, user and database.
    public var activity: [Activity: Int64] = [:]
    /// Where reading goes on: the start of the oldest record still held.
    public var position: Int64
    /// The source's time just before that record.
    public var clock: LogTime
    /// Everything before this offset has been counted.
    public var counted: Int64
    /// Records read.
    public var records: Int64 = 0
    /// Lines that are no records and need not be any.
    public var textLines: Int64 = 0
    /// Bytes that are no record.
    public var unread: [Unread] = []
    /// The head of the file, when it grew since the source was opened.
    public var head: (length: Int, fingerprint: String)?

    /// Bytes on the disk of an archive that has been read to its end.
    public var packed: Int64?
    /// The last line of each session, as it is at that offset; now and then.
    public var lines: (offset: Int64, state: [UInt8])?
    /// When the log speaks, as `LogRhythm` writes it.
    public var rhythm: String?
    /// When it was read, by the clock on the wall.
    public var readAt: LogTime?
    /// Of rows that come from no file: which were seen.
    public var stream: StreamProgress?
    /// The events are another store's: one that is here already may say more now.
    public var isShipped = false

    /// How many rows it comes to, but for what is counted and what is remembered.
    public var rows: Int { events.count + evidence.count + hops.count }

    /// Takes where reading goes on.
    public init(source: Int64, position: Int64, clock: LogTime, counted: Int64) {
        self.source = source
        self.position = position
        self.clock = clock
        self.counted = counted
    }
}

/// An event of a source that none of its records tells of.
public struct EventNote: Sendable {
    /// The source's row.
    public var source: Int64
    /// The event.
    public var event: SecurityEvent

    /// Takes both.
    public init(source: Int64, event: SecurityEvent) {
        self.source = source
        self.event = event
    }
}

/// By what events are counted: few classes, whatever the log says.
public struct EventClass: Hashable, Sendable {
    /// `event.category`.
    public let category: String
    /// `event.severity`.
    public let severity: Severity

    /// The class of a kind.
    public init(_ kind: EventKind) {
        category = kind.category
        severity = kind.severity
    }
}

/// What became of what was handed over.
public struct IngestResult: Sendable {
    /// Events that are new.
    public var inserted = 0
    /// Events that were there already.
    public var known = 0
    /// Of them, how many were of which class.
    public var knownClasses: [EventClass: Int] = [:]
    /// By the sources' rows.
    public var sources: [Int64: Part] = [:]

    /// What became of the events of one source.
    public struct Part: Sendable {
        /// Events that were there already.
        public var known = 0
        /// New events of a time that rules had been over: they go back for them.
        public var late = 0
    }
    /// The earliest event that is new, or that is told of otherwise than before; nil when there is none.
    public var earliest: LogTime?

    /// Nothing yet.
    public init() {}

    /// Adds another commit's numbers.
    public mutating func add(_ other: IngestResult) {
        inserted += other.inserted
        known += other.known
        knownClasses.merge(other.knownClasses, uniquingKeysWith: +)
        sources.merge(other.sources) { Part(known: $0.known + $1.known, late: $0.late + $1.late) }
        changed(other.earliest)
    }

    mutating func changed(_ time: LogTime?) {
        guard let time else { return }
        earliest = min(earliest ?? time, time)
    }
}

/// The one writer of events and positions.
public final class StoreWriter {
    let store: Store
    let cache = KindCache()
    private let statements = WriterStatements()
    private var gatherer: StoredEventsGatherer?
    /// How often others have written to the store, as SQLite counts.
    private var othersWrote: Int64?

    /// Places of unread bytes kept for each source.
    private static let unreadLimit = 1000

    /// Takes the store.
    public init(_ store: Store) { self.store = store }

    deinit { store.pool.writeWithoutTransaction { _ in statements.forget() } }

    /// Commits what was read, with its position, in one transaction.
    public func commit(_ ingests: [Ingest], cursor: ReadingCursor? = nil) throws -> IngestResult {
        var total = IngestResult()
        do {
            try store.pool.write { db in
                try look(db)
                let mark = try store.outbox.mark(db)
                try db.chaining(StoreWriter.tables(of: ingests)) {
                    let inserter = try EventInserter(db, statements, cache: cache, gatherer: gatherer)
                    for index in ingests.indices { total.add(try write(ingests[index], mark, db, inserter)) }
                    try inserter.finish()
                }
                try cursor?.write(db)
                try store.outbox.queue(since: mark, db)
            }
        } catch {
            // Numbers given in the transaction that failed are void.
            forget()
            throw error
        }
        return total
    }

    /// Commits events that no record tells of: no position moves.
    public func commit(notes: [EventNote]) throws {
        do {
            try store.pool.write { db in
                try look(db)
                let mark = try store.outbox.mark(db)
                let inserter = try EventInserter(db, statements, cache: cache, gatherer: gatherer)
                for note in notes { _ = try write([note.event], of: note.source, db, inserter) }
                try inserter.finish()
                try store.outbox.queue(since: mark, db)
            }
        } catch {
            forget()
            throw error
        }
    }

    /// From here on what is stored is gathered for rules that follow, if they have been over all that is stored so far.
    public func gather() throws {
        let (row, isBehind) = try store.pool.read { db in
            (
                try Int64.fetchOne(db, sql: "SELECT coalesce(max(seq), 0) FROM events") ?? 0,
                try Bool.fetchOne(
                    db,
                    sql: """
                        SELECT rewind IS NOT NULL OR coalesce((SELECT max(time) FROM events) > time, 0) FROM detection
                        """) ?? true
            )
        }
        gatherer = isBehind ? nil : StoredEventsGatherer(behind: row)
    }

    /// What commits stored since this was asked last; nil when not all of it is known.
    public func takeStored() -> StoredEvents? { gatherer?.take() }

    /// Tables whose rows are chained when all are written.
    private static func tables(of ingests: [Ingest]) -> [ChainedTable] {
        ingests.contains { !$0.evidence.isEmpty || $0.isShipped } ? [.records] : []
    }

    /// Forgets numbers of rows that may be gone, and what a transaction that failed did not keep.
    func forget() {
        cache.forget()
        gatherer?.fail()
    }

    /// Another process may have let rows go, or made some.
    func look(_ db: Database) throws {
        let version = try Int64.fetchOne(db.cachedStatement(sql: "PRAGMA data_version"))
        if version != othersWrote {
            cache.forget()
        }
        othersWrote = version
    }

    private func write(
        _ events: [SecurityEvent], of source: Int64, _ db: Database, _ inserter: EventInserter
    ) throws -> EventInserter.Result {
        var result = try inserter.write(events, source: source)
        if let earliest = result.earliest {
            // Rules have been over that time already: they go back to it.
            try db.run(
                "UPDATE detection SET rewind = min(coalesce(rewind, ?1), ?1) WHERE time >= ?1",
                arguments: [earliest.milliseconds])
            if db.changesCount > 0, let time = try Int64.fetchOne(db, sql: "SELECT time FROM detection") {
                result.late = min(result.inserted, events.count { $0.time.milliseconds <= time })
            }
        }
        return result
    }

    private func write(
        _ ingest: Ingest, _ mark: OutboxWriter.Mark?, _ db: Database, _ inserter: EventInserter
    ) throws -> IngestResult {
        let events =
            ingest.isShipped
            ? try writeShipped(ingest, mark, db, inserter)
            : try write(ingest.events, of: ingest.source, db, inserter)
        var result = IngestResult()
        result.inserted = events.inserted
        result.known = events.known
        result.changed(events.earliest)
        // What a row that was shipped again adds to its event is found by reading rules back.
        if ingest.isShipped, events.known > 0 { result.changed(.distantPast) }
        for record in ingest.evidence { result.changed(try add(record, source: ingest.source, mark, db)) }
        if !ingest.hops.isEmpty {
            let inserter = try HopInserter(db)
            for hop in ingest.hops where try add(hop, inserter, mark, db) { result.changed(.distantPast) }
            try inserter.finish()
        }
        try change(ingest.sessions, of: ingest.source, db)
        for (key, count) in ingest.activity {
            let upsert = try db.cachedStatement(
                sql: """
                    INSERT INTO activity (hour, source, command, user, database, audit_class, object, count)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET count = count + excluded.count
                    """)
            try upsert.execute(arguments: [
                key.hour, ingest.source, key.command, key.user ?? "", key.database ?? "", key.auditClass ?? "",
                key.object ?? "", count,
            ])
        }
        let unread = ingest.unread.filter { !$0.isPending }
        try keep(unread, of: ingest.source, db)
        try db.run(
            """
            UPDATE sources SET position = ?, clock = ?, counted = max(counted, ?), records = records + ?,
                text_lines = text_lines + ?, unread = unread + ?, unread_bytes = unread_bytes + ?,
                read_at = coalesce(?, read_at), rhythm = coalesce(?, rhythm) WHERE id = ?
            """,
            arguments: [
                ingest.position, ingest.clock.milliseconds, ingest.counted, ingest.records,
                ingest.textLines, unread.count,
                unread.reduce(0) { $0 + $1.length }, ingest.readAt?.milliseconds, ingest.rhythm,
                ingest.source,
            ])
        try ingest.stream?.write(of: ingest.source, db)
        if let packed = ingest.packed {
            try db.execute(sql: "UPDATE sources SET packed = ? WHERE id = ?", arguments: [packed, ingest.source])
        }
        if let lines = ingest.lines {
            try db.execute(
                sql: "UPDATE sources SET lines = ?, lines_offset = ? WHERE id = ?",
                arguments: [Data(lines.state), lines.offset, ingest.source])
        }
        if let head = ingest.head {
            try db.execute(
                sql: "UPDATE OR IGNORE sources SET head_length = ?, fingerprint = ? WHERE id = ?",
                arguments: [head.length, head.fingerprint, ingest.source])
        }
        result.knownClasses = events.knownClasses
        if events.known + events.late > 0 {
            result.sources[ingest.source] = IngestResult.Part(known: events.known, late: events.late)
        }
        return result
    }
}

extension StoreWriter {
    /// Writes events that another store found. Of one that is here, what it says now is added, as a record's would be.
    private func writeShipped(
        _ ingest: Ingest, _ mark: OutboxWriter.Mark?, _ db: Database, _ inserter: EventInserter
    ) throws -> EventInserter.Result {
        var total = EventInserter.Result()
        for event in ingest.events {
            let result = try write([event], of: ingest.source, db, inserter)
            total.inserted += result.inserted
            total.known += result.known
            total.knownClasses.merge(result.knownClasses, uniquingKeysWith: +)
            total.late += result.late
            if let earliest = result.earliest { total.earliest = min(total.earliest ?? earliest, earliest) }
            if result.known > 0 { _ = try add(EventEvidence(retelling: event), source: ingest.source, mark, db) }
        }
        return total
    }

    /// Adds a record to the event that it tells more of; an event that was not kept has none. Gives the event's time when
    /// the record is new.
    private func add(
        _ record: EventEvidence, source: Int64, _ mark: OutboxWriter.Mark?, _ db: Database
    ) throws -> LogTime? {
        let kind = try cache.entry(of: record.kind, db).id
        let insert = try db.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO records (event, origin, line, mark, kind, time, source, offset, audit_class,
                    object, object_type, count)
                SELECT seq, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM events
                WHERE origin = ? AND line = ? AND mark = ? AND content = ?
                """)
        try insert.execute(arguments: [
            record.identity.origin, record.identity.line, record.identity.mark, kind, record.time.milliseconds, source,
            record.offset, record.auditClass, record.objectName, record.objectType, record.count, record.event.origin,
            record.event.line, record.event.mark, record.content,
        ])
        guard db.changesCount > 0 else { return nil }
        if !record.isCount { try rewind(for: record, db) }
        try store.outbox.amend(
            "SELECT seq FROM events WHERE origin = ? AND line = ? AND mark = ? AND content = ?",
            [record.event.origin, record.event.line, record.event.mark, record.content], since: mark, db)
        // Rules count events as they come, whatever a flood's number is found to be.
        if record.isCount { return nil }
        let time = try db.cachedStatement(
            sql: "SELECT min(time) FROM events WHERE origin = ? AND line = ? AND mark = ? AND content = ?")
        return try Int64.fetchOne(
            time,
            arguments: [record.event.origin, record.event.line, record.event.mark, record.content]
        ).map(LogTime.init)
    }

    /// Sends rules that have been over an event back to it when it says more now than it did.
    private func rewind(for record: EventEvidence, _ db: Database) throws {
        var conditions = record.kind.tags.map { _ in "instr(' ' || k.tags || ' ', ?) = 0" }
        if record.kind.outcome == .failure { conditions.append("k.outcome <> 'failure'") }
        guard !conditions.isEmpty else { return }
        let early = try db.cachedStatement(
            sql: """
                UPDATE detection SET rewind = min(coalesce(rewind, found), found) FROM (
                    SELECT min(e.time) AS found FROM events e JOIN kinds k ON k.id = e.kind
                    WHERE e.origin = ? AND e.line = ? AND e.mark = ? AND e.content = ?
                        AND (\(conditions.joined(separator: " OR "))))
                WHERE found <= detection.time
                """)
        let event: StatementArguments = [
            record.event.origin, record.event.line, record.event.mark, record.content,
        ]
        try early.execute(arguments: event + StatementArguments(record.kind.tags.map { " \($0) " }))
    }

    /// Adds a connection through a proxy. Failed logins that came over it and that rules have been over already are of
    /// somebody else than they thought: rules go back to them. True when it is new.
    private func add(
        _ hop: ProxyHop, _ inserter: HopInserter, _ mark: OutboxWriter.Mark?, _ db: Database
    ) throws -> Bool {
        guard try inserter.write(hop) else { return false }
        if inserter.mayConcernRules(hop) { try rewind(for: hop, db) }
        try store.outbox.amend(
            """
            SELECT e.seq FROM events e JOIN actors a ON a.id = e.actor
            WHERE e.time BETWEEN ? AND ? AND a.address = ? AND e.port = ?
            """,
            [
                hop.start.milliseconds - ProxyHop.slack,
                (hop.end?.milliseconds ?? hop.start.milliseconds + 10_000) + ProxyHop.slack, hop.address, hop.port,
            ], since: mark, db)
        return true
    }

    private func rewind(for hop: ProxyHop, _ db: Database) throws {
        let early = try db.cachedStatement(
            sql: """
                UPDATE detection SET rewind = min(coalesce(rewind, found), found) FROM (
                    SELECT min(e.time) AS found FROM events e JOIN actors a ON a.id = e.actor
                    JOIN kinds k ON k.id = e.kind
                    WHERE e.time BETWEEN ?1 - \(ProxyHop.slack) AND min(?1 + 10000, (SELECT time FROM detection))
                        AND a.address = ?2 AND e.port = ?3 AND k.action = 'auth.failure')
                WHERE found IS NOT NULL
                """)
        try early.execute(arguments: [hop.start.milliseconds, hop.address, hop.port])
    }

    /// Changes what is known of a source's open sessions.
    private func change(_ sessions: OpenSession.Changes, of source: Int64, _ db: Database) throws {
        guard !sessions.isEmpty else { return }
        let delete = try db.cachedStatement(sql: "DELETE FROM sessions WHERE source = ? AND key = ?")
        for key in sessions.void { try delete.execute(arguments: [source, key]) }
        let insert = try db.cachedStatement(sql: "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?)")
        for session in sessions.rows {
            try insert.execute(arguments: [
                source, session.key, session.opened, session.closed, Data(session.state),
            ])
        }
    }

    /// Keeps the places of the first unread bytes of a source; all are counted.
    private func keep(_ spans: [Unread], of source: Int64, _ db: Database) throws {
        guard !spans.isEmpty else { return }
        let kept = try Int.fetchOne(db, sql: "SELECT count(*) FROM unread WHERE source = ?", arguments: [source]) ?? 0
        for span in spans.prefix(max(0, StoreWriter.unreadLimit - kept)) {
            try db.execute(
                sql: "INSERT OR IGNORE INTO unread VALUES (?, ?, ?, ?)",
                arguments: [source, span.offset, span.length, span.reason])
        }
    }
}
