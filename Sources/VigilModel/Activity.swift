/// Something too ordinary for a row of its own that is counted by the hour.
public struct Activity: Hashable, Sendable {
    /// Hours since 1970-01-01 00:00 UTC.
    public var hour: Int64
    /// What (`connection.received`, …).
    public var command: String
    /// Login user and database, when the record names them.
    public var user, database: String?

    /// Takes the parts.
    public init(hour: Int64, command: String, user: String?, database: String?) {
        self.hour = hour
        self.command = command
        self.user = user
        self.database = database
    }
}
