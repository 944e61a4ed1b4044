import GRDB
import GRDBSQLite
import VigilModel

/// A prepared statement of SQLite's own interface, for where a row's cost matters: writing events, reading them back for
/// the rules, and going over all rows of a chain. The only place that touches that interface. Used inside a transaction
/// of its connection, by one thread at a time.
final class RawStatement {
    private let connection: OpaquePointer?
    private let statement: OpaquePointer
    /// The row being bound, as it goes into a chain. SQLite reads its texts from here, so that it need not copy each.
    private let encoded: UnsafeMutablePointer<UInt8>
    /// Parameters that are NULL as they are: most columns of most rows are.
    private let isNull: UnsafeMutablePointer<Bool>

    /// Prepares SQL. Throws what SQLite says.
    init(_ db: Database, _ sql: String) throws {
        connection = db.sqliteConnection
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v2(connection, sql, -1, &statement, nil)
        guard code == SQLITE_OK, let statement else { throw RawStatement.problem(connection, code) }
        self.statement = statement
        encoded = .allocate(capacity: RowEncoder.capacity)
        let count = Int(sqlite3_bind_parameter_count(statement)) + 1
        isNull = .allocate(capacity: count)
        isNull.initialize(repeating: true, count: count)
    }

    deinit {
        sqlite3_finalize(statement)
        encoded.deallocate()
        isNull.deallocate()
    }

    /// True when it was prepared on that connection.
    func isOf(_ db: Database) -> Bool { connection == db.sqliteConnection }

    private static func problem(_ connection: OpaquePointer?, _ code: Int32) -> DatabaseError {
        DatabaseError(resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(connection)))
    }

    /// Binds the values of a row, which `body` gives in the order of the parameters.
    func bind<Value>(_ body: (inout Binder) -> Value) -> Value {
        var binder = Binder(statement: statement, encoder: RowEncoder(encoded), isNull: isNull)
        return body(&binder)
    }

    /// Binds values one behind the other. A struct, since each access to an object's own fields is checked.
    struct Binder {
        fileprivate let statement: OpaquePointer
        fileprivate var encoder: RowEncoder
        fileprivate let isNull: UnsafeMutablePointer<Bool>
        private var index: Int32 = 0

        fileprivate init(statement: OpaquePointer, encoder: RowEncoder, isNull: UnsafeMutablePointer<Bool>) {
            self.statement = statement
            self.encoder = encoder
            self.isNull = isNull
        }

        /// Binds a text; nil is NULL.
        mutating func add(_ text: String?) {
            guard let text else {
                encoder.addNull()
                return addNull()
            }
            index += 1
            isNull[Int(index)] = false
            let isBound: Void? = text.utf8.withContiguousStorageIfAvailable { add($0) }
            if isBound == nil { Array(text.utf8).withUnsafeBufferPointer { add($0) } }
        }

        private mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) {
            let kept = encoder.add(text: bytes)
            // A long one is not kept: SQLite copies it.
            let destructor = kept == nil ? unsafeBitCast(-1, to: sqlite3_destructor_type.self) : nil
            let place = kept.map { UnsafePointer($0) } ?? bytes.baseAddress
            place?.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                _ = sqlite3_bind_text(statement, index, $0, Int32(bytes.count), destructor)
            }
        }

        private mutating func addNull() {
            index += 1
            if isNull[Int(index)] { return }
            isNull[Int(index)] = true
            sqlite3_bind_null(statement, index)
        }

        /// Binds a number; nil is NULL.
        mutating func add(_ number: Int64?) {
            guard let number else {
                encoder.addNull()
                return addNull()
            }
            encoder.add(number)
            bind(number)
        }

        private mutating func bind(_ number: Int64) {
            index += 1
            isNull[Int(index)] = false
            sqlite3_bind_int64(statement, index, number)
        }

        /// Binds the number of a row of another table; into the chain goes what that says.
        mutating func add(_ number: Int64, meaning hash: ChainHash) {
            encoder.add(hash)
            bind(number)
        }

        /// The same for a row that says two words.
        mutating func add(_ number: Int64, meaning words: (String?, String?)) {
            encoder.add(words.0)
            encoder.add(words.1)
            bind(number)
        }

        /// Adds to the chain a text that is not bound: that of rows elsewhere.
        mutating func chain(_ text: String?) { encoder.add(text) }

        /// Binds a hash, as a blob.
        mutating func add(_ hash: ChainHash) {
            index += 1
            isNull[Int(index)] = false
            encoder.add(hash)
            let place = encoder.bytes + encoder.count - ChainHash.length
            sqlite3_bind_blob(statement, index, place, Int32(ChainHash.length), nil)
        }

        /// What is bound from here on follows a row with this hash.
        mutating func begin(after previous: ChainHash) { encoder.begin(after: previous) }

        /// Binds the hash of all that was bound, and gives it.
        mutating func addChain() -> ChainHash {
            let hash = encoder.hash
            add(hash)
            return hash
        }
    }

    /// Runs a statement that gives no row; gives how many rows it changed.
    func run() throws -> Int32 {
        let code = sqlite3_step(statement)
        sqlite3_reset(statement)
        guard code == SQLITE_DONE else { throw RawStatement.problem(connection, code) }
        return sqlite3_changes(connection)
    }

    /// The number of the row that was inserted last on the connection.
    var lastRow: Int64 { sqlite3_last_insert_rowid(connection) }

    /// Goes to the next row; false behind the last.
    func next() throws -> Bool {
        let code = sqlite3_step(statement)
        guard code == SQLITE_ROW || code == SQLITE_DONE else { throw RawStatement.problem(connection, code) }
        return code == SQLITE_ROW
    }

    /// Makes it ready to be bound and run again.
    func reset() { sqlite3_reset(statement) }

    /// A text of the row, by column from 0; nil for NULL.
    func text(_ column: Int32) -> String? { sqlite3_column_text(statement, column).map { String(cString: $0) } }

    /// Adds a text of the row, by column from 0, to a key: with its length, so that NULL and parts can be told apart.
    func append(_ column: Int32, to key: inout [UInt8]) {
        guard let text = sqlite3_column_text(statement, column) else { return key.append(0) }
        let count = Int(sqlite3_column_bytes(statement, column))
        RawStatement.append(UnsafeBufferPointer(start: text, count: count), to: &key)
    }

    /// The same of a text that is at hand; nil is NULL.
    static func append(_ text: (some Collection<UInt8>)?, to key: inout [UInt8]) {
        guard let text else { return key.append(0) }
        var rest = text.count + 1
        while rest > 127 {
            key.append(UInt8(truncatingIfNeeded: rest) | 128)
            rest >>= 7
        }
        key.append(UInt8(truncatingIfNeeded: rest))
        key.append(contentsOf: text)
    }

    /// A number of the row, by column from 0.
    func number(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

    // MARK: - Rows of a chain: number and hash come first, all else is chained.

    /// The hash that the row holds; nil when it holds none.
    var hash: ChainHash? {
        let count = Int(sqlite3_column_bytes(statement, 1))
        return sqlite3_column_blob(statement, 1).flatMap {
            ChainHash(UnsafeRawBufferPointer(start: $0, count: count))
        }
    }

    /// The hash that the row has behind a row with another.
    func hash(after previous: ChainHash) -> ChainHash {
        var encoder = RowEncoder(encoded)
        encoder.begin(after: previous)
        return hash(of: 2, with: &encoder)
    }

    /// The hash of the values from a column on, as `ChainHash(words:)` has it.
    func hash(from column: Int32) -> ChainHash {
        var encoder = RowEncoder(encoded)
        return hash(of: column, with: &encoder)
    }

    private func hash(of first: Int32, with encoder: inout RowEncoder) -> ChainHash {
        for column in first..<sqlite3_column_count(statement) {
            switch sqlite3_column_type(statement, column) {
            case SQLITE_INTEGER: encoder.add(sqlite3_column_int64(statement, column))
            case SQLITE_FLOAT: encoder.add(sqlite3_column_double(statement, column))
            case SQLITE_TEXT:
                let text = sqlite3_column_text(statement, column)
                let count = Int(sqlite3_column_bytes(statement, column))
                encoder.add(text: UnsafeBufferPointer(start: text, count: count))
            case SQLITE_BLOB:
                let blob = sqlite3_column_blob(statement, column)
                let count = Int(sqlite3_column_bytes(statement, column))
                encoder.add(
                    blob: UnsafeBufferPointer(start: blob?.assumingMemoryBound(to: UInt8.self), count: count))
            default: encoder.addNull()
            }
        }
        return encoder.hash
    }
}
