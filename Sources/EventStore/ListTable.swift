import GRDB
import VigilModel

/// A file of `blocklists` as it was last written.
public struct ListState: Sendable, Equatable {
    /// The file (of HAProxy's socket with the ACL behind it), and its form.
    public var path, format: String
    /// Bans that it holds.
    public var bans: Int?
    /// When it last changed; nil: never written.
    public var written: LogTime?
    /// Of its content, as pgvigil wrote it.
    public var hash: String?
    /// When its reader was last told, and took it; nil: never, or there is no command for that.
    public var told: LogTime?
    /// Since when it is not current.
    public var failing: LogTime?
    /// What is wrong since then.
    public var problem: String?

    /// A file that was never written.
    public init(path: String, format: String) {
        self.path = path
        self.format = format
    }
}

extension Store {
    /// What is known of lists, by path.
    public func lists() throws -> [ListState] {
        try pool.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM lists ORDER BY path, format").map { row in
                var state = ListState(path: row["path"], format: row["format"])
                state.bans = row["bans"]
                state.written = (row["written"] as Int64?).map(LogTime.init)
                state.hash = row["hash"]
                state.told = (row["told"] as Int64?).map(LogTime.init)
                state.failing = (row["failing"] as Int64?).map(LogTime.init)
                state.problem = row["problem"]
                return state
            }
        }
    }

    /// Keeps how a list stands, and the act and the alert that go with it.
    public func keep(_ state: ListState, act: BanAct? = nil, alert: Alert? = nil, written: LogTime) throws {
        try pool.write { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO lists VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    state.path, state.format, state.bans, state.written?.milliseconds, state.hash,
                    state.told?.milliseconds, state.failing?.milliseconds, state.problem,
                ])
            if let act { try db.chaining([.acts]) { try Store.add(act, written: written, db) } }
            guard let alert else { return }
            let mark = try outbox.mark(db)
            let inserter = try AlertInserter(db)
            _ = try inserter.write(alert, group: state.path)
            try inserter.finish()
            try outbox.queue(since: mark, db)
        }
    }

    /// Forgets a list: nothing of ours stands in it any more.
    public func forgetList(path: String, format: String) throws {
        try pool.write { db in
            try db.execute(sql: "DELETE FROM lists WHERE path = ? AND format = ?", arguments: [path, format])
        }
    }
}
