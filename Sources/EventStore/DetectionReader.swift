import GRDB
import VigilModel

/// Kinds and actors as rules see them, remembered from one reading of the store to the next: their rows never change.
/// Used by one thread at a time.
public final class DetectionMemory {
    struct Kind {
        let kind: EventKind
        /// What must be known of such events; nil when no rule looks at them.
        let place: EventKey.Place?
        /// Further records may tell of such events.
        let hasEvidence: Bool
    }

    private let place: (EventKind) -> EventKey.Place?
    private var byNumber: [Int64: Kind] = [:]
    /// The last kind that was asked for: that of the next event is mostly the same.
    private var last: (number: Int64, kind: Kind)?
    /// Numbers of kinds seen so far: those of sessions grow downwards from -1, the others upwards.
    private var (firstKind, lastKind): (Int64, Int64) = (0, -1)
    /// Kinds of events of which further records told, by the numbers of all their kinds.
    private var merged: [[Int64]: Kind] = [:]
    /// The last actor of each of some remainders.
    private var actors = [(number: Int64, actor: DetectionActor)?](repeating: nil, count: 1 << 14)

    /// Details by the bytes that the row has of them, at a place that those say: the last of each.
    private var details = [(key: [UInt8], near: NearDetails)?](repeating: nil, count: 4096)
    private var key: [UInt8] = []
    /// Details of events that need not be read, by their numbers.
    private(set) var handedOver: [NearDetails] = []
    /// Further records make any kind such that details are asked for.
    fileprivate(set) var hasRecords = false

    /// `place` says what must be known of events of a kind; those for which it gives nil are left out.
    public init(place: @escaping (EventKind) -> EventKey.Place?) { self.place = place }

    /// Takes the kinds that came since.
    func update(_ db: Database) throws {
        let new = "SELECT * FROM kinds WHERE id > ? OR id < ?"
        for row in try Row.fetchAll(db.cachedStatement(sql: new), arguments: [lastKind, firstKind]) {
            let kind = EventKind(row)
            let isServers = ["postgresql.log", "pgaudit"].contains(kind.dataset)
            let number: Int64 = row["id"]
            byNumber[number] = Kind(
                kind: kind, place: place(kind), hasEvidence: isServers && kind.category != "authentication")
            (firstKind, lastKind) = (min(firstKind, number), max(lastKind, number))
        }
    }

    /// The numbers of the kinds that must be read, for SQL; with `alone`, of those alone that rules look at as they are.
    func kinds(alone: Bool) -> String {
        byNumber.filter { $0.value.place != nil || ($0.value.hasEvidence && !alone) }.keys.sorted().map(String.init)
            .joined(separator: ", ")
    }

    /// `>` when the numbers of those kinds are all positive, `<` when they are all negative; nil otherwise.
    func sign(alone: Bool) -> String? {
        let kinds = byNumber.filter { $0.value.place != nil || ($0.value.hasEvidence && !alone) }.keys
        return kinds.allSatisfy { $0 > 0 } ? ">" : kinds.allSatisfy { $0 < 0 } ? "<" : nil
    }

    /// True when details of some kind are asked for.
    var hasDetails: Bool { byNumber.keys.contains { isDetailed($0) } }

    /// True when details of events of a kind are asked for, perhaps only since further records make them such.
    func isDetailed(_ number: Int64) -> Bool {
        guard let kind = kind(number) else { return false }
        return kind.place == .details || (hasRecords && kind.hasEvidence)
    }

    func kind(_ number: Int64) -> Kind? {
        if let last, last.number == number { return last.kind }
        guard let kind = byNumber[number] else { return nil }
        last = (number, kind)
        return kind
    }

    /// The near details of a row: application, SQLSTATE and command tag stand in those columns. Like ones are one object.
    func near(_ rows: RawStatement, _ columns: ClosedRange<Int32>) -> NearDetails {
        key.removeAll(keepingCapacity: true)
        for column in columns { rows.append(column, to: &key) }
        let place = DetectionMemory.place(of: key)
        if let known = details[place], known.key == key { return known.near }
        let near = NearDetails(
            application: rows.text(columns.lowerBound), sqlState: rows.text(columns.lowerBound + 1),
            operation: rows.text(columns.lowerBound + 2))
        details[place] = (key, near)
        return near
    }

    /// Takes the details of events that need not be read, of one queue.
    func adopt(_ stored: StoredEventsSpan) { handedOver += stored.details.dropFirst(handedOver.count).map(adopt) }

    /// What like details that were read have.
    private func adopt(_ near: NearDetails) -> NearDetails {
        var key: [UInt8] = []
        for text in [near.application, near.sqlState, near.operation] {
            RawStatement.append(text.map { Array($0.utf8) }, to: &key)
        }
        let place = DetectionMemory.place(of: key)
        if let known = details[place], known.key == key { return known.near }
        details[place] = (key, near)
        return near
    }

    private static func place(of key: [UInt8]) -> Int {
        let mixed = key.reduce(UInt64(key.count)) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
        return Int(truncatingIfNeeded: (mixed ^ (mixed >> 29)) & 4095)
    }

    func merge(_ number: Int64, _ own: Kind, _ numbers: [Int64]) -> Kind {
        let key = [number] + Set(numbers).sorted()
        if let known = merged[key] { return known }
        let others = key.dropFirst().compactMap { byNumber[$0]?.kind }
        let tags = others.reduce(into: Set(own.kind.tags)) { $0.formUnion($1.tags) }
        let outcomes = Set(others.map(\.outcome))
        let kind = EventKind(
            dataset: own.kind.dataset, category: own.kind.category, action: own.kind.action,
            outcome: outcomes.contains(.failure) ? .failure : outcomes.contains(.success) ? .success : own.kind.outcome,
            reason: own.kind.reason, severity: own.kind.severity, tags: tags.sorted())
        let merged = Kind(kind: kind, place: place(kind), hasEvidence: true)
        if self.merged.count >= 4096 { self.merged = [:] }
        self.merged[key] = merged
        return merged
    }

    /// The actor of an event; nil for one that must be looked up.
    func actor(_ row: DetectionRow) -> DetectionActor? {
        if let known = actors[place(of: row)], known.number == row.actor { return known.actor }
        return row.who.map { keep(row, DetectionMemory.actor($0)) }
    }

    /// Remembers the actor of an event, and gives it.
    func keep(_ row: DetectionRow, _ actor: DetectionActor) -> DetectionActor {
        actors[place(of: row)] = (row.actor, actor)
        return actor
    }

    private func place(of row: DetectionRow) -> Int { Int(truncatingIfNeeded: row.actor) & (actors.count - 1) }

    /// An actor as its row would give it.
    private static func actor(_ actor: EventActor) -> DetectionActor {
        func text(_ text: String?) -> String? { text.map(\.asStored).flatMap { $0.isEmpty ? nil : $0 } }
        let (user, database) = (text(actor.user), text(actor.database))
        // What was cut may be an address now.
        guard let address = text(actor.address), address == actor.address else {
            return DetectionActor(EventActor(address: text(actor.address), user: user, database: database))
        }
        return DetectionActor(EventActor(address: address, ip: actor.ip, user: user, database: database))
    }
}

/// Makes of rows what rules see: with the words that further records of an event gave, and with details for who asks.
/// Lives inside one read.
struct DetectionReader {
    private let db: Database
    private let memory: DetectionMemory
    private let details: StoredDetails
    /// Prepared when somebody must be looked up.
    private var actors: RawStatement?
    /// Further records that tell of an event; nil when there are none of any.
    private let records: RawStatement?

    init(_ db: Database, _ memory: DetectionMemory) throws {
        self.db = db
        self.memory = memory
        try memory.update(db)
        details = StoredDetails(db)
        let asks = try db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM records)")
        let hasRecords = try Bool.fetchOne(asks) ?? false
        memory.hasRecords = hasRecords
        records =
            hasRecords
            ? try RawStatement(db, "SELECT kind, audit_class, object, object_type FROM records WHERE event = ?") : nil
    }

    /// What rules see of an event; nil when none looks at it.
    mutating func event(_ row: DetectionRow) throws -> DetectionEvent? {
        guard var kind = memory.kind(row.kind) else { return nil }
        var evidence = Evidence()
        if kind.hasEvidence, let records {
            evidence = try self.evidence(of: row.seq, records)
            if !evidence.kinds.isEmpty { kind = memory.merge(row.kind, kind, evidence.kinds) }
        }
        guard let place = kind.place else { return nil }
        var actor = try memory.actor(row) ?? memory.keep(row, find(row.actor))
        if let client = row.client {
            actor = DetectionActor(
                ip: IPAddress(client), address: client.isEmpty ? nil : client, user: actor.user,
                database: actor.database)
        }
        guard place == .details else {
            return DetectionEvent(seq: row.seq, time: row.time, kind: kind.kind, actor: actor, count: row.count)
        }
        guard !evidence.values.isEmpty else {
            return DetectionEvent(
                seq: row.seq, time: row.time, kind: kind.kind, actor: actor, count: row.count, near: row.near,
                source: details)
        }
        return DetectionEvent(
            seq: row.seq, time: row.time, kind: kind.kind, actor: actor, count: row.count,
            details: details.values(seq: row.seq).merging(evidence.values) { own, _ in own }, near: row.near)
    }

    private mutating func find(_ number: Int64) throws -> DetectionActor {
        let select = try actors ?? RawStatement(db, "SELECT address, user, database FROM actors WHERE id = ?")
        actors = select
        defer { select.reset() }
        select.bind { $0.add(number) }
        let isThere = try select.next()
        func text(_ column: Int32) -> String? {
            isThere ? select.text(column).flatMap { $0.isEmpty ? nil : $0 } : nil
        }
        return DetectionActor(EventActor(address: text(0), user: text(1), database: text(2)))
    }

    /// To be called when all events were handed over; throws what went wrong when details were asked for.
    func finish() throws { try details.close() }

    // MARK: - Further records

    private struct Evidence {
        var kinds: [Int64] = []
        var values: [EventKey: String] = [:]
    }

    private func evidence(of seq: Int64, _ records: RawStatement) throws -> Evidence {
        defer { records.reset() }
        records.bind { $0.add(seq) }
        var result = Evidence()
        while try records.next() {
            result.kinds.append(records.number(0))
            // As the view `event` has it: the least of what they say.
            for (key, column) in [(EventKey.auditClass, Int32(1)), (.object, 2), (.objectType, 3)] {
                guard let value = records.text(column) else { continue }
                result.values[key] = min(result.values[key] ?? value, value)
            }
        }
        return result
    }
}

/// Looks up what few rules ask for, with SQLite's own interface: many an event of a replay is asked for one of these.
/// The row of the last event stays at hand.
private final class StoredDetails: DetailSource, @unchecked Sendable {
    // Unchecked: used inside one read, by its thread.
    private let db: Database
    /// Prepared when they are asked.
    private var own, sources: RawStatement?
    private var seq: Int64?
    private var hasRow = false
    private var problem: (any Error)?

    private static let columns: [(key: EventKey, column: String)] = [
        (.port, "CAST(port AS TEXT)"), (.targetUser, "target_user"),
        (.object, "object"), (.objectType, "object_type"), (.query, "query"),
        (.message, "coalesce(message, query)"), (.processID, "CAST(pid AS TEXT)"), (.auditClass, "audit_class"),
        (.authMethod, "auth_method"), (.hbaRule, "hba_rule"), (.tlsVersion, "tls_version"),
        (.secretFingerprint, "secret"), (.session, "coalesce(session, origin)"),
    ]
    private static let sourceColumns: [(key: EventKey, column: String)] = [
        (.cluster, "s.cluster"), (.instance, "s.instance"), (.path, "s.path"),
    ]

    init(_ db: Database) { self.db = db }

    func value(of key: EventKey, seq: Int64) -> String? {
        if let column = StoredDetails.columns.firstIndex(where: { $0.key == key }) {
            return row(seq)?.text(Int32(column))
        }
        guard let column = StoredDetails.sourceColumns.firstIndex(where: { $0.key == key }) else { return nil }
        return source(seq, Int32(column))
    }

    func values(seq: Int64) -> [EventKey: String] {
        let keys = StoredDetails.columns.map(\.key) + StoredDetails.sourceColumns.map(\.key)
        return keys.reduce(into: [:]) { $0[$1] = value(of: $1, seq: seq) }
    }

    func close() throws {
        own?.reset()
        seq = nil
        if let problem { throw problem }
    }

    /// The row of an event, which stays until another is asked for; nil when it is not there.
    private func row(_ seq: Int64) -> RawStatement? {
        do {
            let select = try own ?? prepare(StoredDetails.columns.map(\.column), "events")
            own = select
            if self.seq == seq { return hasRow ? select : nil }
            hasRow = false
            self.seq = seq
            select.reset()
            select.bind { $0.add(seq) }
            hasRow = try select.next()
            return hasRow ? select : nil
        } catch {
            problem = problem ?? error
            return nil
        }
    }

    /// What the source of an event says.
    private func source(_ seq: Int64, _ column: Int32) -> String? {
        do {
            let select =
                try sources
                ?? prepare(StoredDetails.sourceColumns.map(\.column), "events e JOIN sources s ON s.id = e.source")
            sources = select
            defer { select.reset() }
            select.bind { $0.add(seq) }
            return try select.next() ? select.text(column) : nil
        } catch {
            problem = problem ?? error
            return nil
        }
    }

    private func prepare(_ columns: [String], _ tables: String) throws -> RawStatement {
        try RawStatement(db, "SELECT \(columns.joined(separator: ", ")) FROM \(tables) WHERE seq = ?")
    }
}

extension EventKind {
    /// A kind of the table `kinds`, by its columns' names.
    convenience init(_ row: Row) {
        let tags: String = row["tags"]
        self.init(
            dataset: row["dataset"], category: row["category"], action: row["action"],
            outcome: EventOutcome(rawValue: row["outcome"]) ?? .unknown, reason: row["reason"],
            severity: Severity(rawValue: row["severity"]) ?? .info, tags: tags.split(separator: " ").map(String.init))
    }
}
