import CSQLiteSetup
import GRDB
import Glibc
import VigilModel

/// The memory of pgvigil: one SQLite file in WAL mode, written by one process at a time.
public final class Store: Sendable {
    let pool: DatabasePool
    /// What waits for sinks.
    let outbox = OutboxWriter()
    /// The file.
    public let path: String

    /// Opens a store, making or upgrading it first. Refuses a file that is no store of pgvigil and leaves it as it was.
    public convenience init(path: String) throws {
        Store.setUp
        try Store.checkOwner(path)
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { db in
            // With WAL this loses no more than the last commits at a power cut, and those take their positions along.
            try db.execute(sql: "PRAGMA synchronous = NORMAL")
            // Who reads goes over rows once; the writer comes back to the pages of indexes.
            try db.execute(sql: "PRAGMA cache_size = \(db.configuration.readonly ? -2000 : Store.writerCache)")
            db.add(function: AddressTest.function)
        }
        let previous = umask(0o077)
        defer { umask(previous) }
        do {
            let pool = try Store.patiently { [configuration] in
                try Store.mark(path)
                return try DatabasePool(path: path, configuration: configuration)
            }
            try Store.upgrade(pool, path, isWritable: true)
            try BulkLoad.makeUp(pool)
            self.init(pool: pool, path: path)
        } catch let error as DatabaseError {
            throw StoreProblem(
                path: path, reason: error.message ?? "\(error)",
                hint: "check that the folder exists, can be written and has room")
        }
    }

    /// Pages that the writer keeps, as SQLite takes it: in KiB, negative.
    static let writerCache = -8000

    /// Done once, before SQLite is used for the first time; later it would do nothing.
    private static let setUp: Void = { _ = csqlitesetup_without_statistics() }()

    /// Opens a store that is there, for reading; with `readOnly` nothing can be written.
    public convenience init(existing path: String, readOnly: Bool = false) throws {
        Store.setUp
        guard access(path, F_OK) == 0 else {
            throw StoreProblem(
                path: path, reason: "there is no store here",
                hint: "run `pgvigil replay --store \(path) LOG…` first, or name another with --store")
        }
        try Store.checkOwner(path)
        // A writer is just making it: who opened it now would make it, too, and without our mark.
        guard try Store.header(of: path) != nil else {
            throw StoreProblem(path: path, reason: "this store is still empty", hint: "try again in a moment")
        }
        var configuration = Configuration()
        configuration.readonly = readOnly || access(path, W_OK) != 0
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { db in db.add(function: AddressTest.function) }
        do {
            let pool = try DatabasePool(path: path, configuration: configuration)
            try Store.upgrade(pool, path, isWritable: !configuration.readonly)
            self.init(pool: pool, path: path)
        } catch let problem as StoreProblem { throw problem } catch {
            throw StoreProblem(path: path, reason: "\(error)", hint: "check that it can be read")
        }
    }

    /// Makes the tables that are missing. Another process may be doing the same: who comes second sees what is done.
    private static func migrate(_ pool: DatabasePool) throws {
        for _ in 0..<40 {
            do { return try Schema.migrator.migrate(pool) } catch let error as DatabaseError
                where [.SQLITE_ERROR, .SQLITE_BUSY, .SQLITE_CONSTRAINT].contains(error.resultCode)
            {
                usleep(50_000)
            }
        }
        try Schema.migrator.migrate(pool)
    }

    /// Brings the tables of an older version up to date.
    private static func upgrade(_ pool: DatabasePool, _ path: String, isWritable: Bool) throws {
        if try pool.read(Schema.migrator.hasBeenSuperseded) {
            throw StoreProblem(
                path: path, reason: "this store was made by a newer pgvigil",
                hint: "use that version, or another store")
        }
        if try pool.read(Schema.migrator.hasCompletedMigrations) {
            if isWritable { try ChainUpgrade.finish(pool) }
            return
        }
        guard isWritable else {
            throw StoreProblem(
                path: path, reason: "this store was made by an older pgvigil",
                hint: "let a user who may write it run any command on it once")
        }
        try Store.migrate(pool)
        try ChainUpgrade.finish(pool)
    }

    private init(pool: DatabasePool, path: String) {
        self.pool = pool
        self.path = path
    }

    /// Tries again for ten seconds while somebody else is making the same store: SQLite does not wait by itself where a
    /// file gets its write-ahead log (https://www.sqlite.org/wal.html, 2.4).
    private static func patiently<Value>(_ body: () throws -> Value) throws -> Value {
        for _ in 0..<200 {
            do { return try body() } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                usleep(50_000)
            }
        }
        return try body()
    }

    /// Makes a new file ours before it gets a write-ahead log: what stands only in that is not seen by `checkOwner`,
    /// and a store whose first writer was killed must open again. A journal beside the file says that it was killed
    /// right here: opening rolls back, and the mark is set anew.
    private static func mark(_ path: String) throws {
        let isMarked = try header(of: path)?.owner == UInt32(Schema.applicationID)
        if isMarked && access(path + "-journal", F_OK) != 0 { return }
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { db in
            // Of a new file: larger pages are fewer to find, to log and to copy.
            try db.execute(sql: "PRAGMA page_size = 8192")
            try db.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
        }
        try queue.close()
    }

    /// Refuses somebody else's file by its first bytes, so that it is not touched, not even by a WAL beside it.
    private static func checkOwner(_ path: String) throws {
        guard let header = try header(of: path) else { return }
        let hint = "it was left as it is; name another store with --store"
        guard header.isSQLite else {
            throw StoreProblem(path: path, reason: "this is not a store of pgvigil (no SQLite file)", hint: hint)
        }
        if header.owner == UInt32(Schema.applicationID) { return }
        // A writer that was killed may have left the mark in a journal: then what is inside says whose file it is.
        guard header.owner == 0, isOurs(path, isWAL: header.isWAL) else {
            let beside = ["-wal", "-shm", "-journal"].filter { access(path + $0, F_OK) == 0 }.joined(separator: " ")
            throw StoreProblem(
                path: path,
                reason: "this SQLite file belongs to another program (application id \(header.owner), "
                    + "\(header.isWAL ? "write-ahead log" : "rollback journal"), beside it: \(beside.isEmpty ? "nothing" : beside))",
                hint: hint)
        }
    }

    /// True when a file without a mark holds our tables, or nothing at all. It is opened for reading only, and not at
    /// all when that would put a log beside somebody's file.
    private static func isOurs(_ path: String, isWAL: Bool) -> Bool {
        if isWAL && access(path + "-wal", F_OK) != 0 { return false }
        var configuration = Configuration()
        configuration.readonly = true
        let names = try? DatabaseQueue(path: path, configuration: configuration).read { db in
            try String.fetchSet(db, sql: "SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        guard let names else { return false }
        return names.isEmpty || names.isSuperset(of: ["grdb_migrations", "events", "kinds", "actors", "sources"])
    }

    /// What SQLite's database header says (https://www.sqlite.org/fileformat.html, 1.3).
    private struct Header {
        var isSQLite: Bool
        var owner: UInt32
        var isWAL: Bool
    }

    /// The header of a file; nil when there is no file or nothing in it.
    private static func header(of path: String) throws -> Header? {
        guard let file = fopen(path, "r") else {
            if errno == ENOENT { return nil }
            throw StoreProblem(
                path: path, reason: String(cString: strerror(errno)), hint: "name another store with --store")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 100)
        errno = 0
        let count = fread(&bytes, 1, 100, file)
        if count == 0 && errno == 0 { return nil }
        return Header(
            isSQLite: count == 100 && bytes.starts(with: Array("SQLite format 3\0".utf8)),
            owner: bytes[68..<72].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }, isWAL: bytes[18] == 2)
    }
}
