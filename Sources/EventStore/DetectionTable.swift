import GRDB
import VigilModel

/// How far rules have been over the events.
public struct DetectionState: Sendable {
    /// Every event up to this time has been looked at.
    public var time: LogTime
    /// Events at or after this time came later than that.
    public var rewind: LogTime?
}

extension Store {
    /// How far rules have been over the events.
    public func detectionState() throws -> DetectionState {
        try pool.read { db in
            let row = try Row.fetchOne(db, sql: "SELECT * FROM detection")
            return DetectionState(
                time: LogTime(milliseconds: row?["time"] ?? LogTime.distantPast.milliseconds),
                rewind: (row?["rewind"] as Int64?).map(LogTime.init))
        }
    }

    /// Hands over the events of some actions in the time span (`after`, `through`], in the order of (time, source
    /// fingerprint, offset): never by path, by argument or by arrival. What `body` gets beside an event gives the
    /// identity of any event of the store, the same in every store.
    public func forEachEvent(
        after: LogTime, through: LogTime, actions: Set<String>,
        _ body: (DetectionEvent, _ identity: (Int64) throws -> String) throws -> Void
    ) throws {
        try pool.read { db in
            let kinds = try KindNames(db, actions: actions)
            guard !kinds.isEmpty else { return }
            let numbers = kinds.numbers.map(String.init).joined(separator: ", ")
            // Without proxies the index alone tells everything.
            let hasHops = try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM hops)") ?? false
            // A client that is only likely counts as no address: the pooler's own must not be banned in its place.
            let behind =
                hasHops
                ? "(SELECT CASE WHEN h.exact THEN h.client ELSE '' END FROM event_hop h WHERE h.seq = e.seq)" : "NULL"
            // Ordered by the index alone; what has the same time is put in order here.
            let rows = try RawStatement(
                db,
                """
                SELECT e.seq, e.time, e.kind, e.actor, e.count, e.source, e.offset, e.mark, \(behind) FROM events e
                WHERE e.time > \(after.milliseconds) AND e.time <= \(through.milliseconds) AND e.kind IN (\(numbers))
                ORDER BY e.time
                """)
            let sources = try SourceOrder(db)
            var actors = ActorNames()
            let identity = { (seq: Int64) in try Store.identity(ofEvent: seq, db) }
            var moment: [DetectionRow] = []
            func handOver() throws {
                if moment.count > 1 { moment.sort { sources.isBefore($0, $1) } }
                for row in moment {
                    let kind = kinds[row.kind]
                    let actor = try actors.actor(row.actor, db)
                    try body(
                        DetectionEvent(
                            seq: row.seq, time: row.time, action: kind.action, reason: kind.reason,
                            ip: row.client.map(IPAddress.init) ?? actor.ip, user: actor.user,
                            database: actor.database, count: row.count), identity)
                }
                moment.removeAll(keepingCapacity: true)
            }
            while try rows.next() {
                let row = DetectionRow(rows, hasHops: hasHops)
                if let first = moment.first, first.time != row.time { try handOver() }
                moment.append(row)
            }
            try handOver()
        }
    }

    private static func identity(ofEvent seq: Int64, _ db: Database) throws -> String {
        try String.fetchOne(
            db, sql: "SELECT origin || '-' || line || '-' || mark || '-' || content FROM events WHERE seq = ?",
            arguments: [seq]) ?? "\(seq)"
    }

    /// The last alert of each rule and group in a time span: what still suppresses the next.
    public func lastAlerts(after: LogTime, through: LogTime) throws -> [(rule: String, group: String, time: LogTime)] {
        try pool.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT r.rule, a.group_key, max(a.time) AS time FROM alerts a JOIN rules r ON r.id = a.rule
                    WHERE a.time > ? AND a.time <= ? GROUP BY r.rule, a.group_key
                    """, arguments: [after.milliseconds, through.milliseconds]
            ).map { ($0["rule"], $0["group_key"], LogTime(milliseconds: $0["time"])) }
        }
    }

    /// Commits what rules found, and how far they have been. Alerts and bans that are there already stay as they are.
    public func commit(
        alerts: [(alert: Alert, group: String)], bans: [Ban], through: LogTime, clearRewind: Bool
    ) throws -> (alerts: [Alert], bans: [Ban]) {
        try pool.write { db in
            var newAlerts: [Alert] = []
            for (alert, group) in alerts where try insert(alert, group: group, db) { newAlerts.append(alert) }
            var newBans: [Ban] = []
            for ban in bans where try insert(ban, db) { newBans.append(ban) }
            try db.execute(
                sql: "UPDATE detection SET time = ?" + (clearRewind ? ", rewind = NULL" : ""),
                arguments: [through.milliseconds])
            return (newAlerts, newBans)
        }
    }

    private func insert(_ alert: Alert, group: String, _ db: Database) throws -> Bool {
        let rule = alert.rule
        let values: StatementArguments = [
            rule.id, rule.version, rule.name, rule.family, rule.techniques.joined(separator: "\n"),
            rule.soc2.joined(separator: "\n"), rule.mlps.joined(separator: "\n"),
        ]
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO rules (rule, version, name, family, techniques, soc2, mlps)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """, arguments: values)
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO alerts (id, time, rule, group_key, severity, ip, user, database, events, first,
                    last, message)
                VALUES (?, ?, (SELECT id FROM rules WHERE rule = ? AND version = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                alert.id, alert.time.milliseconds, rule.id, rule.version, group, alert.severity.rawValue,
                alert.sourceIP?.description, alert.user, alert.database, alert.eventCount,
                alert.firstSeen.milliseconds, alert.lastSeen.milliseconds, alert.message,
            ])
        guard db.changesCount > 0 else { return false }
        let row = db.lastInsertedRowID
        for event in alert.evidence {
            try db.execute(sql: "INSERT OR IGNORE INTO evidence VALUES (?, ?)", arguments: [row, event])
        }
        return true
    }

    private func insert(_ ban: Ban, _ db: Database) throws -> Bool {
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO bans (alert, cidr, ip, start, "end", rule, reason, events, mode, by)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                ban.alertID, ban.cidr.description, ban.sourceIP.description, ban.start.milliseconds,
                ban.end.milliseconds, ban.ruleID, ban.reason, ban.eventCount, ban.mode.rawValue, ban.by,
            ])
        return db.changesCount > 0
    }

    /// Bans that were in force at some moment of a span, by start, then address.
    public func bans(from: LogTime, to: LogTime, cidr: CIDR? = nil) throws -> [Ban] {
        try pool.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM bans WHERE start <= ? AND "end" > ? AND (?3 IS NULL OR cidr = ?3)
                    ORDER BY start, cidr, seq
                    """, arguments: [to.milliseconds, from.milliseconds, cidr?.description]
            ).compactMap(Store.ban)
        }
    }

    private static func ban(_ row: Row) -> Ban? {
        guard let cidr = CIDR(row["cidr"] as String), let ip = IPAddress(row["ip"] as String) else { return nil }
        return Ban(
            cidr: cidr, sourceIP: ip, start: LogTime(milliseconds: row["start"]),
            end: LogTime(milliseconds: row["end"]),
            ruleID: row["rule"], alertID: row["alert"], reason: row["reason"], eventCount: row["events"],
            mode: BanMode(rawValue: row["mode"]) ?? .observe, by: row["by"])
    }
}

/// An event as the index has it.
private struct DetectionRow {
    let seq: Int64
    let time: LogTime
    let kind, actor, count, source, offset, mark: Int64
    /// Who stands behind a proxy.
    let client: String?

    init(_ rows: RawStatement, hasHops: Bool) {
        seq = rows.number(0)
        time = LogTime(milliseconds: rows.number(1))
        kind = rows.number(2)
        actor = rows.number(3)
        count = rows.number(4)
        source = rows.number(5)
        offset = rows.number(6)
        mark = rows.number(7)
        client = hasHops ? rows.text(8) : nil
    }
}

/// The order of sources whose events have the same time.
private struct SourceOrder {
    private var places: [Int64: Int] = [:]

    init(_ db: Database) throws {
        var fingerprints: [String] = []
        for row in try Row.fetchAll(db, sql: "SELECT id, fingerprint FROM sources ORDER BY fingerprint") {
            let fingerprint: String = row["fingerprint"]
            if fingerprints.last != fingerprint { fingerprints.append(fingerprint) }
            places[row["id"]] = fingerprints.count
        }
    }

    func isBefore(_ left: DetectionRow, _ right: DetectionRow) -> Bool {
        if left.source != right.source, let first = places[left.source], let second = places[right.source],
            first != second
        {
            return first < second
        }
        return (left.offset, left.mark) < (right.offset, right.mark)
    }
}

/// Actions and reasons by the number of their kind.
private struct KindNames {
    private var names: [Int64: (action: String, reason: String?)] = [:]

    init(_ db: Database, actions: Set<String>) throws {
        for row in try Row.fetchAll(db, sql: "SELECT id, action, reason FROM kinds")
        where actions.contains(row["action"]) {
            names[row["id"]] = (row["action"], row["reason"])
        }
    }

    var isEmpty: Bool { names.isEmpty }
    var numbers: [Int64] { names.keys.sorted() }
    subscript(number: Int64) -> (action: String, reason: String?) { names[number] ?? ("", nil) }
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

extension Store {
    /// The time of the last event; nil when there is none.
    public func lastEventTime() throws -> LogTime? {
        try pool.read { db in
            try Int64.fetchOne(db, sql: "SELECT max(time) FROM events").map(LogTime.init)
        }
    }
}
