import GRDB
import VigilModel

/// What pgvigil did itself, or was told to: a row of `acts`, and so a part of the chain.
public struct OwnAct: Sendable {
    /// What was done.
    public enum Kind: String, Sendable, CaseIterable {
        /// `watch` began to follow logs.
        case start
        /// It was stopped.
        case stop
        /// The one before had not been stopped: it was killed, or the machine went down.
        case crash
        /// Another configuration than before; `item` is its hash.
        case configuration
        /// Other rules and patterns than before; `item` is their hash.
        case rules
        /// Others than before shall never be banned; `item` is a hash of them.
        case allow
        /// Rows of a table went, since their time was over or there was no room; `item` is the table.
        case prune
        /// Rows of an older store were taken into the chain.
        case seal
    }

    /// What was done.
    public var kind: Kind
    /// By the clock on the wall.
    public var time: LogTime
    /// Who did it.
    public var by: String
    /// What there is to say of it.
    public var reason: String
    /// What it is about.
    public var item: String?
    /// Rows it was about, and such rows so far.
    public var rows, total: Int64?

    /// Takes all parts; the time is now.
    public init(
        _ kind: Kind, _ reason: String, by: String = "pgvigil", item: String? = nil, rows: Int64? = nil,
        total: Int64? = nil
    ) {
        (self.kind, self.reason, self.by, self.item, self.rows, self.total) = (kind, reason, by, item, rows, total)
        time = .wallClock
    }

    func add(_ db: Database) throws {
        try db.chaining([.acts]) {
            try db.execute(
                sql: """
                    INSERT INTO acts (act, time, written, by, reason, through, item, rows, total)
                    VALUES (?1, ?2, ?2, ?3, ?4, (SELECT coalesce(max(seq), 0) FROM bans), ?5, ?6, ?7)
                    """, arguments: [kind.rawValue, time.milliseconds, by, reason, item, rows, total])
        }
    }
}

extension Store {
    /// Records acts, in one transaction.
    public func add(_ acts: [OwnAct]) throws {
        guard !acts.isEmpty else { return }
        try pool.write { db in for act in acts { try act.add(db) } }
    }

    /// The last act of some kinds; nil when there is none.
    public func lastAct(_ kinds: OwnAct.Kind...) throws -> OwnAct? {
        let words = kinds.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return try pool.read { db in
            guard
                let row = try Row.fetchOne(
                    db, sql: "SELECT * FROM acts WHERE act IN (\(words)) ORDER BY seq DESC LIMIT 1"),
                let kind = OwnAct.Kind(rawValue: row["act"])
            else { return nil }
            var act = OwnAct(
                kind, row["reason"], by: row["by"], item: row["item"], rows: row["rows"], total: row["total"])
            act.time = LogTime(milliseconds: row["time"])
            return act
        }
    }
}

extension Store {
    /// Hands over every act of a time span, those of people too, as they were recorded.
    public func forEachAct(since: LogTime, until: LogTime, _ body: (ShownRow) throws -> Void) throws {
        try pool.read { db in
            let rows = try Row.fetchCursor(
                db, sql: "SELECT * FROM acts WHERE written >= ? AND written < ? ORDER BY seq",
                arguments: [since.milliseconds, until.milliseconds])
            while let row = try rows.next() {
                var shown: ShownRow = [
                    ("written", .time(LogTime(milliseconds: row["written"]))), ("act", .text(row["act"])),
                    ("time", .time(LogTime(milliseconds: row["time"]))),
                ]
                for key in ["cidr", "item"] { (row[key] as String?).map { shown.append((key, .text($0))) } }
                for key in ["rows", "total"] { (row[key] as Int64?).map { shown.append((key, .number($0))) } }
                try body(shown + [("by", .text(row["by"])), ("reason", .text(row["reason"]))])
            }
        }
    }
}
