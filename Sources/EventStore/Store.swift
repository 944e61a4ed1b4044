import GRDB
import Glibc
import VigilModel

/// The memory of pgvigil: one SQLite file in WAL mode, written by one process at a time.
public final class Store: Sendable {
    let pool: DatabasePool
    /// The file.
    public let path: String

    /// Opens a store, making or upgrading it first. Refuses a file that is no store of pgvigil and leaves it as it was.
    public convenience init(path: String) throws {
        try Store.checkOwner(path)
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { db in
            // With WAL this loses no more than the last commits at a power cut, and those take their positions along.
            try db.execute(sql: "PRAGMA synchronous = NORMAL")
            try db.execute(sql: "PRAGMA cache_size = -8000")
        }
        let previous = umask(0o077)
        defer { umask(previous) }
        do {
            try Store.mark(path)
            let pool = try DatabasePool(path: path, configuration: configuration)
            if try pool.read(Schema.migrator.hasBeenSuperseded) {
                throw StoreProblem(
                    path: path, reason: "this store was made by a newer pgvigil",
                    hint: "use that version, or another store")
            }
            try Schema.migrator.migrate(pool)
            self.init(pool: pool, path: path)
        } catch let error as DatabaseError {
            throw StoreProblem(
                path: path, reason: error.message ?? "\(error)",
                hint: "check that the folder exists, can be written and has room")
        }
    }

    /// Opens a store that is there, for reading.
    public convenience init(existing path: String) throws {
        guard access(path, F_OK) == 0 else {
            throw StoreProblem(
                path: path, reason: "there is no store here",
                hint: "run `pgvigil replay --store \(path) LOG…` first, or name another with --store")
        }
        try Store.checkOwner(path)
        var configuration = Configuration()
        configuration.readonly = access(path, W_OK) != 0
        configuration.busyMode = .timeout(10)
        do { self.init(pool: try DatabasePool(path: path, configuration: configuration), path: path) } catch {
            throw StoreProblem(path: path, reason: "\(error)", hint: "check that it can be read")
        }
    }

    private init(pool: DatabasePool, path: String) {
        self.pool = pool
        self.path = path
    }

    /// Makes a new file ours before it gets a write-ahead log: what stands only in that is not seen by `checkOwner`,
    /// and a store whose first writer was killed must open again.
    private static func mark(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) != 0 || status.st_size == 0 else { return }
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
        }
        try queue.close()
    }

    /// Looks at the file's first hundred bytes (SQLite's database header, https://www.sqlite.org/fileformat.html), so
    /// that somebody else's file is not touched, not even by a WAL beside it.
    private static func checkOwner(_ path: String) throws {
        guard let file = fopen(path, "r") else {
            if errno == ENOENT { return }
            throw StoreProblem(
                path: path, reason: String(cString: strerror(errno)), hint: "name another store with --store")
        }
        defer { fclose(file) }
        var header = [UInt8](repeating: 0, count: 100)
        errno = 0
        let count = fread(&header, 1, 100, file)
        if count == 0 && errno == 0 { return }
        let hint = "it was left as it is; name another store with --store"
        guard count == 100, header.starts(with: Array("SQLite format 3\0".utf8)) else {
            throw StoreProblem(path: path, reason: "this is not a store of pgvigil (no SQLite file)", hint: hint)
        }
        let owner = header[68..<72].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard owner == UInt32(Schema.applicationID) else {
            throw StoreProblem(path: path, reason: "this SQLite file belongs to another program", hint: hint)
        }
    }
}
