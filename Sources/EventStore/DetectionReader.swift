import GRDB
import VigilModel

/// Makes of rows what rules see: with the words that further records of an event gave, and with details where some rule
/// asks for them. Lives inside one read.
struct DetectionReader {
    private let db: Database
    private let place: (EventKind) -> EventKey.Place?
    private let byNumber: [Int64: Kind]
    /// Kinds of events of which further records told, by the numbers of all their kinds.
    private var merged: [[Int64]: Kind] = [:]
    private var actors = ActorNames()
    private let detail: RawStatement

    private struct Kind {
        let kind: EventKind
        /// What must be known of such events; nil when no rule looks at them.
        let place: EventKey.Place?
        /// Further records may tell of such events.
        let hasEvidence: Bool
    }

    init(_ db: Database, place: @escaping (EventKind) -> EventKey.Place?) throws {
        self.db = db
        self.place = place
        var kinds: [Int64: Kind] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT * FROM kinds") {
            let tags: String = row["tags"]
            let kind = EventKind(
                dataset: row["dataset"], category: row["category"], action: row["action"],
                outcome: EventOutcome(rawValue: row["outcome"]) ?? .unknown, reason: row["reason"],
                severity: Severity(rawValue: row["severity"]) ?? .info,
                tags: tags.split(separator: " ").map(String.init))
            let isServers = ["postgresql.log", "pgaudit"].contains(kind.dataset)
            kinds[row["id"]] = Kind(
                kind: kind, place: place(kind), hasEvidence: isServers && kind.category != "authentication")
        }
        byNumber = kinds
        detail = try RawStatement(db, DetectionReader.select)
    }

    /// The numbers of the kinds that must be read, for SQL; with `alone`, of those alone that rules look at as they are.
    func kinds(alone: Bool) -> String {
        byNumber.filter { $0.value.place != nil || ($0.value.hasEvidence && !alone) }.keys.sorted().map(String.init)
            .joined(separator: ", ")
    }

    /// What rules see of an event; nil when none looks at it.
    mutating func event(_ row: DetectionRow) throws -> DetectionEvent? {
        guard var kind = byNumber[row.kind] else { return nil }
        var evidence = Evidence()
        if kind.hasEvidence {
            evidence = try self.evidence(of: row.seq)
            if !evidence.kinds.isEmpty { kind = merge(row.kind, kind, evidence.kinds) }
        }
        guard let place = kind.place else { return nil }
        let actor = try actors.actor(row.actor, db)
        var event = DetectionEvent(
            seq: row.seq, time: row.time, kind: kind.kind, ip: row.client.map(IPAddress.init) ?? actor.ip,
            address: row.client.map { $0.isEmpty ? nil : $0 } ?? actor.address, user: actor.user,
            database: actor.database, count: row.count)
        if place == .details { event.details = try details(of: row.seq).merging(evidence.values) { own, _ in own } }
        return event
    }

    // MARK: - Further records

    private struct Evidence {
        var kinds: [Int64] = []
        var values: [EventKey: String] = [:]
    }

    private func evidence(of seq: Int64) throws -> Evidence {
        let select = try db.cachedStatement(
            sql: "SELECT kind, audit_class, object, object_type FROM records WHERE event = ?")
        var result = Evidence()
        for row in try Row.fetchAll(select, arguments: [seq]) {
            result.kinds.append(row["kind"])
            // As the view `event` has it: the least of what they say.
            for (key, column) in [(EventKey.auditClass, 1), (.object, 2), (.objectType, 3)] {
                guard let value = row[column] as String? else { continue }
                result.values[key] = min(result.values[key] ?? value, value)
            }
        }
        return result
    }

    private mutating func merge(_ number: Int64, _ own: Kind, _ numbers: [Int64]) -> Kind {
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
        self.merged[key] = merged
        return merged
    }

    // MARK: - Details

    private static let columns: [(key: EventKey, column: String)] = [
        (.port, "CAST(e.port AS TEXT)"), (.targetUser, "e.target_user"), (.operation, "e.operation"),
        (.object, "e.object"),
        (.objectType, "e.object_type"), (.query, "e.query"), (.message, "coalesce(e.message, e.query)"),
        (.processID, "CAST(e.pid AS TEXT)"), (.auditClass, "e.audit_class"), (.authMethod, "e.auth_method"),
        (.hbaRule, "e.hba_rule"), (.tlsVersion, "e.tls_version"), (.secretFingerprint, "e.secret"),
        (.sqlState, "e.sqlstate"),
        (.session, "coalesce(e.session, e.origin)"), (.application, "e.application"), (.cluster, "s.cluster"),
        (.instance, "s.instance"), (.path, "s.path"),
    ]

    private static let select = """
        SELECT \(columns.map(\.column).joined(separator: ", ")) FROM events e JOIN sources s ON s.id = e.source
        WHERE e.seq = ?
        """

    /// With SQLite's own interface: many an event of a replay is asked for its details.
    private func details(of seq: Int64) throws -> [EventKey: String] {
        defer { detail.reset() }
        detail.bind { $0.add(seq) }
        guard try detail.next() else { return [:] }
        var result = [EventKey: String](minimumCapacity: DetectionReader.columns.count)
        for (index, entry) in DetectionReader.columns.enumerated() {
            if let value = detail.text(Int32(index)) { result[entry.key] = value }
        }
        return result
    }
}

/// Actors by number, remembered: they repeat from event to event.
private struct ActorNames {
    private var known: [Int64: EventActor] = [:]

    mutating func actor(_ number: Int64, _ db: Database) throws -> EventActor {
        if let actor = known[number] { return actor }
        let select = try db.cachedStatement(sql: "SELECT address, user, database FROM actors WHERE id = ?")
        let row = try Row.fetchOne(select, arguments: [number])
        func text(_ column: String) -> String? { (row?[column] as String?).flatMap { $0.isEmpty ? nil : $0 } }
        let actor = EventActor(address: text("address"), user: text("user"), database: text("database"))
        if known.count >= 50_000 { known = [:] }
        known[number] = actor
        return actor
    }
}
