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
            let row = try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM detection"))
            return DetectionState(
                time: LogTime(milliseconds: row?["time"] ?? LogTime.distantPast.milliseconds),
                rewind: (row?["rewind"] as Int64?).map(LogTime.init))
        }
    }

    /// Hands over the events of a time span (`after`, `through`] in the order of (time, source fingerprint, offset):
    /// never by path, by argument or by arrival. `place` says what must be known of events of a kind; those for which it
    /// gives nil are left out.
    public func forEachEvent(
        after: LogTime, through: LogTime, place: @escaping (EventKind) -> EventKey.Place?, alone: Bool = false,
        _ body: (DetectionEvent, _ identity: (Int64) throws -> String) throws -> Void
    ) throws {
        try forEachEvent(after: after, through: through, DetectionMemory(place: place), alone: alone, body)
    }

    /// The same for who goes on later: what was found of kinds and actors is remembered. With `alone` events are left
    /// out that only further records would make such that are looked at; with `actors`, all but those of some. With
    /// `stored` all events of the time are there and need not be read. What `body` gets beside an event gives the
    /// identity of any event of the store, the same in every store.
    public func forEachEvent(
        after: LogTime, through: LogTime, _ memory: DetectionMemory, alone: Bool = false, actors: [Int64]? = nil,
        stored: StoredEventsSpan? = nil,
        _ body: (DetectionEvent, _ identity: (Int64) throws -> String) throws -> Void
    ) throws {
        try pool.read { db in
            var reader = try DetectionReader(db, memory)
            var sources = SourceOrder(db)
            let identities = EventIdentities(db)
            let identity = { (seq: Int64) in try identities.identity(of: seq) }
            var moment: [DetectionRow] = []
            func handOver() throws {
                if moment.count > 1 {
                    try sources.learn()
                    moment.sort { sources.isBefore($0, $1) }
                }
                for row in moment {
                    if let event = try reader.event(row) { try body(event, identity) }
                }
                moment.removeAll(keepingCapacity: true)
            }
            func take(_ row: DetectionRow) throws {
                if let first = moment.first, first.time != row.time { try handOver() }
                moment.append(row)
            }
            let asks = try db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM hops)")
            let hasHops = try Bool.fetchOne(asks) ?? false
            if let stored, !hasHops {
                memory.adopt(stored)
                for event in stored.events where event.time > after && event.time <= through {
                    try take(DetectionRow(event, memory.handedOver, stored.actors))
                }
            } else {
                let kinds = memory.kinds(alone: alone)
                guard !kinds.isEmpty else { return }
                let rows = try RawStatement(
                    db,
                    """
                    \(Store.selection(hasDetails: memory.hasDetails, hasHops: hasHops))
                    FROM events e WHERE e.time > \(after.milliseconds) AND e.time <= \(through.milliseconds)
                        AND e.kind IN (\(kinds)) \(Store.condition(actors, memory.sign(alone: alone))) ORDER BY e.time
                    """)
                while try rows.next() { try take(DetectionRow(rows, memory, hasHops: hasHops)) }
            }
            try handOver()
            try reader.finish()
        }
    }

    /// What is read of events. Ordered by the index alone, which tells all where nobody asks for details and nobody is
    /// behind a proxy; what has the same time is put in order when it is read.
    private static func selection(hasDetails: Bool, hasHops: Bool) -> String {
        // A client that is only likely counts as no address: the pooler's own must not be banned in its place.
        let behind =
            hasHops
            ? "(SELECT CASE WHEN h.exact THEN h.client ELSE '' END FROM event_hop h WHERE h.seq = e.seq)" : "NULL"
        let near = hasDetails ? "e.application, e.sqlstate, e.operation" : "NULL, NULL, NULL"
        return "SELECT e.seq, e.time, e.kind, e.actor, e.count, e.source, e.offset, e.mark, \(near), \(behind)"
    }

    /// What is said of the sign of kinds lets an index over actors serve: sessions and the rest have one each.
    private static func condition(_ actors: [Int64]?, _ sign: String?) -> String {
        guard let actors else { return "" }
        return (sign.map { "AND e.kind \($0) 0 " } ?? "")
            + "AND e.actor IN (\(actors.map(String.init).joined(separator: ", ")))"
    }

    /// The identity of an event of the store.
    public func identity(ofEvent seq: Int64) throws -> String {
        try pool.read { db in try EventIdentities(db).identity(of: seq) }
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
        alerts: some Collection<(alert: Alert, group: String)>, bans: [Ban], learnt: [BaselineEntry], through: LogTime
    ) throws -> (alerts: [Alert], bans: [Ban]) {
        try pool.write { db in
            let mark = try outbox.mark(db)
            for entry in learnt { try keep(entry, db) }
            var newAlerts: [Alert] = []
            newAlerts.reserveCapacity(alerts.count)
            var newBans: [Ban] = []
            let inserter = try AlertInserter(db)
            for (alert, group) in alerts where try inserter.write(alert, group: group) { newAlerts.append(alert) }
            try inserter.finish()
            try db.chaining([.bans]) {
                for ban in bans where try Store.insert(ban, db) { newBans.append(ban) }
            }
            try db.execute(
                sql: "UPDATE detection SET time = ?, rewind = NULL", arguments: [through.milliseconds])
            try outbox.queue(since: mark, db)
            return (newAlerts, newBans)
        }
    }

    /// Writes an alert that no rule's pass over events has found; false when it is there already.
    @discardableResult
    public func note(_ notice: (alert: Alert, group: String)) throws -> Bool {
        try pool.write { db in
            let mark = try outbox.mark(db)
            let inserter = try AlertInserter(db)
            let isNew = try inserter.write(notice.alert, group: notice.group)
            try inserter.finish()
            try outbox.queue(since: mark, db)
            return isNew
        }
    }
}

extension Store {
    /// The time of the newest record that was read, nil when there is none: what `watch` notes itself of a log of last year
    /// is no record of it.
    public func lastRecordTime() throws -> LogTime? { try pool.read { try Store.lastRecordTime($0) } }

    static func lastRecordTime(_ db: Database) throws -> LogTime? {
        let clock = try Int64.fetchOne(
            db, sql: "SELECT max(clock) FROM sources WHERE clock > ?", arguments: [LogTime.distantPast.milliseconds])
        return try (clock ?? Int64.fetchOne(db, sql: "SELECT max(time) FROM events")).map(LogTime.init)
    }

    /// The time of the last event; nil when there is none.
    public func lastEventTime() throws -> LogTime? {
        try pool.read { db in
            try Int64.fetchOne(db.cachedStatement(sql: "SELECT max(time) FROM events")).map(LogTime.init)
        }
    }
}

extension Store {
    /// What rules had learnt of a group by a moment: what was seen first after it is left out.
    public func baseline(of rule: String, at moment: LogTime) throws -> [BaselineEntry] {
        try pool.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM baseline WHERE rule = ? AND first <= ?", arguments: [rule, moment.milliseconds]
            ).map { row in
                BaselineEntry(
                    rule: rule, group: row["group_key"], value: row["value"],
                    first: LogTime(milliseconds: row["first"]),
                    last: min(moment, LogTime(milliseconds: row["last"])), count: row["count"])
            }
        }
    }

    private func keep(_ entry: BaselineEntry, _ db: Database) throws {
        let upsert = try db.cachedStatement(
            sql: """
                INSERT INTO baseline (rule, group_key, value, first, last, count) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last),
                    count = max(count, excluded.count)
                """)
        try upsert.execute(arguments: [
            entry.rule, entry.group, entry.value, entry.first.milliseconds, entry.last.milliseconds, entry.count,
        ])
    }
}
