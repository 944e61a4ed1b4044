import GRDB
import GRDBSQLite

/// A prepared statement of SQLite's own interface, for the two places where a row's cost matters: writing events and
/// reading them back for the rules. The only place that touches that interface. Used inside one transaction, by one
/// thread.
final class RawStatement {
    private let connection: OpaquePointer?
    private let statement: OpaquePointer
    /// Texts of the row being bound: SQLite reads them from here, so that it need not copy each.
    private var texts: UnsafeMutablePointer<CChar>
    private var capacity = 1 << 16
    private var used = 0
    /// Parameters that are NULL as they are: most columns of most rows are.
    private var isNull: [Bool]

    /// Prepares SQL. Throws what SQLite says.
    init(_ db: Database, _ sql: String) throws {
        connection = db.sqliteConnection
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v2(connection, sql, -1, &statement, nil)
        guard code == SQLITE_OK, let statement else { throw RawStatement.problem(connection, code) }
        self.statement = statement
        isNull = [Bool](repeating: true, count: Int(sqlite3_bind_parameter_count(statement)) + 1)
        texts = .allocate(capacity: capacity)
    }

    deinit {
        sqlite3_finalize(statement)
        texts.deallocate()
    }

    private static func problem(_ connection: OpaquePointer?, _ code: Int32) -> DatabaseError {
        DatabaseError(resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(connection)))
    }

    /// Binds a text; nil is NULL.
    func bind(_ index: Int32, _ text: String?) {
        guard let text else { return bindNull(index) }
        isNull[Int(index)] = false
        let isBound: Void? = text.utf8.withContiguousStorageIfAvailable { bind(index, $0) }
        if isBound == nil { Array(text.utf8).withUnsafeBufferPointer { bind(index, $0) } }
    }

    private func bind(_ index: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
        bytes.withMemoryRebound(to: CChar.self) { source in
            guard used + source.count <= capacity else {
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

    private func bindNull(_ index: Int32) {
        if isNull[Int(index)] { return }
        isNull[Int(index)] = true
        sqlite3_bind_null(statement, index)
    }

    /// Binds a number; nil is NULL.
    func bind(_ index: Int32, _ number: Int64?) {
        guard let number else { return bindNull(index) }
        isNull[Int(index)] = false
        sqlite3_bind_int64(statement, index, number)
    }

    /// Runs a statement that gives no row; gives how many rows it changed.
    func run() throws -> Int32 {
        let code = sqlite3_step(statement)
        sqlite3_reset(statement)
        used = 0
        guard code == SQLITE_DONE else { throw RawStatement.problem(connection, code) }
        return sqlite3_changes(connection)
    }

    /// Goes to the next row; false behind the last.
    func next() throws -> Bool {
        let code = sqlite3_step(statement)
        guard code == SQLITE_ROW || code == SQLITE_DONE else { throw RawStatement.problem(connection, code) }
        return code == SQLITE_ROW
    }

    /// A text of the row, by column from 0; nil for NULL.
    func text(_ column: Int32) -> String? { sqlite3_column_text(statement, column).map { String(cString: $0) } }

    /// A number of the row, by column from 0.
    func number(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
}
