import GRDB
import Glibc

/// Copies what was committed from the write-ahead log into the store's file, over a connection of its own: a writer that did
/// it would stand still until the disk has it (https://www.sqlite.org/wal.html#ckpt).
public final class Checkpointer {
    private let queue: DatabaseQueue
    private let log: String

    /// Takes the store. Throws what SQLite says.
    public init(_ store: Store) throws {
        var configuration = Configuration()
        configuration.busyMode = .immediateError
        queue = try DatabaseQueue(path: store.path, configuration: configuration)
        log = store.path + "-wal"
    }

    /// Copies what is there, unless the log is shorter than so many bytes. Another one that does it now is no error.
    public func run(above bytes: Int64) throws {
        var status = stat()
        guard stat(log, &status) == 0, status.st_size >= bytes else { return }
        do {
            _ = try queue.writeWithoutTransaction { db in try db.checkpoint(.passive) }
        } catch let error as DatabaseError
            where error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED
        {}
    }
}

extension Store {
    /// Leaves the write-ahead log to a `Checkpointer`, up to 64 MB.
    public func prepareForCheckpointer() throws {
        try pool.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA wal_autocheckpoint = 8192") }
    }
}
