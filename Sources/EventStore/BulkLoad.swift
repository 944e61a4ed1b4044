import GRDB

/// A store while much is written at once: a replay.
///
/// A new store gets its indexes over actors when there are events in it: sorted at once they cost a third. Should the
/// process be killed before that, who opens the store to write makes up for it. Until then the writer remembers all actors;
/// when somebody else writes to the store meanwhile, the indexes are made at once.
public final class BulkLoad {
    private let store: Store
    private let writer: StoreWriter
    private var isDeferred = false
    private var events = 0

    /// With so many events the indexes are made, and grow from there on: sorting more would take room of its own.
    private static let most = 1_000_000

    /// Lets the write-ahead log grow larger before it is copied into the store: fewer, larger copies. Rows that a new one
    /// refers to are not looked up again: the writer got their numbers in the same transaction.
    public init(_ store: Store, _ writer: StoreWriter) throws {
        self.store = store
        self.writer = writer
        isDeferred = try store.pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 4096")
            try db.execute(sql: "PRAGMA foreign_keys = OFF")
            // Nothing is overwritten for secrecy: what is secret does not come here.
            try db.execute(sql: "PRAGMA secure_delete = OFF")
            var isNew = false
            try db.inTransaction {
                isNew =
                    try Bool.fetchOne(
                        db, sql: "SELECT NOT EXISTS (SELECT 1 FROM events) AND NOT EXISTS (SELECT 1 FROM actors)")
                    ?? false
                guard isNew else { return .rollback }
                for name in Schema.deferrable.keys.sorted() { try db.execute(sql: "DROP INDEX IF EXISTS \(name)") }
                // From here on others are noticed.
                try writer.look(db)
                return .commit
            }
            return isNew
        }
        if isDeferred { writer.cache.beginActors() }
    }

    /// Says how many events a commit wrote.
    public func note(_ count: Int) throws {
        events += count
        if events >= BulkLoad.most || !writer.cache.knowsActors { try finish() }
    }

    /// Brings the store to what it is otherwise.
    public func finish() throws {
        guard isDeferred else { return }
        isDeferred = false
        // Sorting takes as much memory as pages may.
        try store.pool.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA cache_size = -1000") }
        defer {
            try? store.pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA cache_size = \(Store.writerCache)")
            }
        }
        try store.pool.write(BulkLoad.makeIndexes)
        writer.cache.endActors()
    }

    /// Makes the indexes that a bulk load left out, if it was killed.
    static func makeUp(_ pool: DatabasePool) throws {
        let known = try pool.read { db in
            try String.fetchSet(db, sql: "SELECT name FROM sqlite_master WHERE type = 'index'")
        }
        if !known.isSuperset(of: Schema.deferrable.keys) { try pool.write(makeIndexes) }
    }

    private static func makeIndexes(_ db: Database) throws {
        for (_, index) in Schema.deferrable.sorted(by: { $0.key < $1.key }) { try db.execute(sql: "CREATE \(index)") }
    }
}
