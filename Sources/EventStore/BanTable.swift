import GRDB
import VigilModel

extension Store {
    /// Writes a ban; false when it is there already.
    static func insert(_ ban: Ban, _ db: Database) throws -> Bool {
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

    /// Bans that were in force at some moment of a span, as they were made, by start, then address.
    public func bans(from: LogTime, to: LogTime) throws -> [Ban] {
        try pool.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM bans WHERE start <= ?1 AND \"end\" > ?2 ORDER BY start, cidr, seq",
                arguments: [to.milliseconds, from.milliseconds]
            ).compactMap(Store.ban)
        }
    }

    /// The same of some blocks, by block.
    public func bans(from: LogTime, to: LogTime, of blocks: Set<CIDR>) throws -> [CIDR: [Ban]] {
        try pool.read { db in
            guard try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM bans)") ?? false else { return [:] }
            let select = try db.cachedStatement(
                sql: """
                    SELECT * FROM bans WHERE start <= ?1 AND "end" > ?2 AND cidr = ?3 ORDER BY start, seq
                    """)
            return try blocks.reduce(into: [:]) { found, block in
                let rows = try Row.fetchAll(
                    select, arguments: [to.milliseconds, from.milliseconds, block.description])
                if !rows.isEmpty { found[block] = rows.compactMap(Store.ban) }
            }
        }
    }

    /// Every ban, as they were recorded.
    public func allBans() throws -> [Ban] {
        try pool.read { try Row.fetchAll($0, sql: "SELECT * FROM bans ORDER BY seq").compactMap(Store.ban) }
    }

    /// How many bans began after a moment, up to another.
    public func banCount(startedAfter from: LogTime, through to: LogTime) throws -> Int {
        try pool.read { db in
            try Int.fetchOne(
                db, sql: "SELECT count(*) FROM bans WHERE start > ? AND start <= ?",
                arguments: [from.milliseconds, to.milliseconds]) ?? 0
        }
    }

    /// When the first ban begins after a moment; nil when none does.
    public func firstBan(after moment: LogTime) throws -> LogTime? {
        try pool.read { db in
            try Int64.fetchOne(
                db, sql: "SELECT min(start) FROM bans WHERE start > ?", arguments: [moment.milliseconds]
            ).map(LogTime.init)
        }
    }

    static func ban(_ row: Row) -> Ban? {
        guard let cidr = CIDR(row["cidr"] as String), let ip = IPAddress(row["ip"] as String) else { return nil }
        var ban = Ban(
            cidr: cidr, sourceIP: ip, start: LogTime(milliseconds: row["start"]),
            end: LogTime(milliseconds: row["end"]), ruleID: row["rule"], alertID: row["alert"], reason: row["reason"],
            eventCount: row["events"], mode: BanMode(rawValue: row["mode"]) ?? .observe, by: row["by"])
        ban.seq = row["seq"]
        return ban
    }

    // MARK: - What people do

    /// Records a ban that a person made.
    public func add(_ ban: Ban) throws {
        try pool.write { db in try db.chaining([.bans]) { _ = try Store.insert(ban, db) } }
    }

    /// Records an act. `written` is the time it is recorded at.
    public func add(_ act: BanAct, written: LogTime) throws {
        try pool.write { db in try db.chaining([.acts]) { try Store.add(act, written: written, db) } }
    }

    static func add(_ act: BanAct, written: LogTime, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO acts (act, time, written, cidr, by, reason, through)
                VALUES (?, ?, ?, ?, ?, ?, (SELECT coalesce(max(seq), 0) FROM bans))
                """,
            arguments: [
                act.kind.rawValue, act.time.milliseconds, written.milliseconds, act.cidr?.description, act.by,
                act.reason,
            ])
    }

    /// The acts of some kinds, as they were recorded.
    public func acts(_ kinds: Set<BanAct.Kind> = [.unban, .pause, .resume]) throws -> [BanAct] {
        let words = kinds.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
        return try pool.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM acts WHERE act IN (\(words)) ORDER BY seq").compactMap { row in
                guard let kind = BanAct.Kind(rawValue: row["act"]) else { return nil }
                return BanAct(
                    kind: kind, time: LogTime(milliseconds: row["time"]),
                    cidr: (row["cidr"] as String?).flatMap { CIDR($0) }, by: row["by"], reason: row["reason"],
                    through: row["through"])
            }
        }
    }

    /// Rows of bans and acts so far: another one when something changed.
    public func banVersion() throws -> [Int64] {
        try pool.read { db in
            try ["bans", "acts"].map { try Int64.fetchOne(db, sql: "SELECT coalesce(max(seq), 0) FROM \($0)") ?? 0 }
        }
    }
}
