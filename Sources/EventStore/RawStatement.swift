import GRDB
import GRDBSQLite

/// A prepared statement of SQLite's own interface, for the two places where a row's cost matters: writing events and
/// reading them back for the rules. The only place that touches that interface. Used inside one transaction, by one
/// thread.
final class RawStatement {
    private let connection: OpaquePointer?
    private let statement: OpaquePointer
    /// Texts of the row being bound: SQLite reads them from here, so that it need not copy each.
    private let texts: UnsafeMutablePointer<CChar>
    private static let capacity = 1 << 16
    /// Parameters that are NULL as they are: most columns of most rows are.
    private let isNull: UnsafeMutablePointer<Bool>

    /// Prepares SQL. Throws what SQLite says.
    init(_ db: Database, _ sql: String) throws {
        connection = db.sqliteConnection
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v2(connection, sql, -1, &statement, nil)
        guard code == SQLITE_OK, let statement else { throw RawStatement.problem(connection, code) }
        self.statement = statement
        texts = .allocate(capacity: RawStatement.capacity)
        let count = Int(sqlite3_bind_parameter_count(statement)) + 1
        isNull = .allocate(capacity: count)
        isNull.initialize(repeating: true, count: count)
    }

    deinit {
        sqlite3_finalize(statement)
        texts.deallocate()
        isNull.deallocate()
    }

    private static func problem(_ connection: OpaquePointer?, _ code: Int32) -> DatabaseError {
        DatabaseError(resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(connection)))
    }

    /// Binds the values of a row, which `body` gives in the order of the parameters.
    func bind(_ body: (inout Binder) -> Void) {
        var binder = Binder(statement: statement, texts: texts, isNull: isNull)
        body(&binder)
    }

    /// Binds values one behind the other. A struct, since each access to an object's own fields is checked.
    struct Binder {
        fileprivate let statement: OpaquePointer
        fileprivate let texts: UnsafeMutablePointer<CChar>
        fileprivate let isNull: UnsafeMutablePointer<Bool>
        private var used = 0
        private var index: Int32 = 0

        fileprivate init(
            statement: OpaquePointer, texts: UnsafeMutablePointer<CChar>, isNull: UnsafeMutablePointer<Bool>
        ) {
            self.statement = statement
            self.texts = texts
            self.isNull = isNull
        }

        /// Binds a text; nil is NULL.
        mutating func add(_ text: String?) {
            guard let text else { return addNull() }
            index += 1
            isNull[Int(index)] = false
            let isBound: Void? = text.utf8.withContiguousStorageIfAvailable { add($0) }
            if isBound == nil { Array(text.utf8).withUnsafeBufferPointer { add($0) } }
        }

        private mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) {
            bytes.withMemoryRebound(to: CChar.self) { source in
                guard used + source.count <= RawStatement.capacity else {
                    let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
                    sqlite3_bind_text(statement, index, source.baseAddress, Int32(source.count), transient)
                    return
                }
                let place = texts + used
                if let base = source.baseAddress { place.update(from: base, count: source.count) }
                used += source.count
                sqlite3_bind_text(statement, index, place, Int32(source.count), nil)
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
            guard let number else { return addNull() }
            index += 1
            isNull[Int(index)] = false
            sqlite3_bind_int64(statement, index, number)
        }
    }

    /// Runs a statement that gives no row; gives how many rows it changed.
    func run() throws -> Int32 {
        let code = sqlite3_step(statement)
        sqlite3_reset(statement)
        guard code == SQLITE_DONE else { throw RawStatement.problem(connection, code) }
        return sqlite3_changes(connection)
    }

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
}
