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

    /// Prepares SQL. Throws what SQLite says.
    init(_ db: Database, _ sql: String) throws {
        connection = db.sqliteConnection
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v2(connection, sql, -1, &statement, nil)
        guard code == SQLITE_OK, let statement else { throw RawStatement.problem(connection, code) }
        self.statement = statement
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
        guard var text else {
            sqlite3_bind_null(statement, index)
            return
        }
        text.withUTF8 { bytes in
            guard used + bytes.count <= capacity else {
                let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
                bytes.withMemoryRebound(to: CChar.self) {
                    _ = sqlite3_bind_text(statement, index, $0.baseAddress, Int32(bytes.count), transient)
                }
                return
            }
            let place = texts + used
            bytes.withMemoryRebound(to: CChar.self) { source in
                if let base = source.baseAddress { place.update(from: base, count: source.count) }
            }
            used += bytes.count
            sqlite3_bind_text(statement, index, place, Int32(bytes.count), nil)
        }
    }

    /// Binds a number; nil is NULL.
    func bind(_ index: Int32, _ number: Int64?) {
        if let number { sqlite3_bind_int64(statement, index, number) } else { sqlite3_bind_null(statement, index) }
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
