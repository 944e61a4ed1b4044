import GRDB

extension Database {
    /// Runs SQL that is prepared once for a connection, however often it runs.
    func run(_ sql: String, arguments: StatementArguments = StatementArguments()) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
