/// Something too ordinary for a row of its own that is counted by the hour: connection lines, and every record of
/// pgaudit's, so that "who touched this table" has an answer without a row for each read.
public struct Activity: Hashable, Sendable {
    /// Hours since 1970-01-01 00:00 UTC.
    public var hour: Int64
    /// What: `connection.received`, …; for pgaudit the command tag.
    public var command: String
    /// Login user and database, when the record names them.
    public var user, database: String?
    /// pgaudit's class (`READ`, `WRITE`, …), and what was touched.
    public var auditClass, object: String?

    /// Takes the parts.
    public init(
        hour: Int64, command: String, user: String?, database: String?, auditClass: String? = nil,
        object: String? = nil
    ) {
        self.hour = hour
        self.command = command
        self.user = user
        self.database = database
        self.auditClass = auditClass
        self.object = object
    }
}
