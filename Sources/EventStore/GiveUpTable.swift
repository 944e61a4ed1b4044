import GRDB
import VigilModel

/// A pattern whose expression gave up on texts that were read into a store.
public struct PatternGiveUp: Sendable {
    /// Id of the pattern or rule.
    public let pattern: String
    /// How many matches gave up.
    public let count: Int64
    /// The last time, by the clock on the wall.
    public let last: LogTime
}

/// Matches that gave up, by pattern: a note about our own work, beside what was found.
enum GiveUpTable {
    static let schema = """
        CREATE TABLE give_ups (
            pattern TEXT PRIMARY KEY, count INTEGER NOT NULL, last INTEGER NOT NULL) WITHOUT ROWID;
        """
}

extension Store {
    /// Adds to how often a pattern's expression gave up.
    public func note(giveUps: [(pattern: String, count: Int64)], at now: LogTime) throws {
        guard !giveUps.isEmpty else { return }
        try pool.write { db in
            for (pattern, count) in giveUps {
                try db.execute(
                    sql: """
                        INSERT INTO give_ups (pattern, count, last) VALUES (?, ?, ?)
                        ON CONFLICT DO UPDATE SET count = count + excluded.count, last = excluded.last
                        """,
                    arguments: [pattern, count, now.milliseconds])
            }
        }
    }

    /// Patterns whose expression gave up, by id.
    public func giveUps() throws -> [PatternGiveUp] {
        try pool.read { db in
            try Row.fetchAll(db, sql: "SELECT pattern, count, last FROM give_ups ORDER BY pattern").map {
                PatternGiveUp(pattern: $0["pattern"], count: $0["count"], last: LogTime(milliseconds: $0["last"]))
            }
        }
    }
}
