/// What rules need of an event.
public struct DetectionEvent: Sendable {
    /// The row.
    public var seq: Int64
    /// When.
    public var time: LogTime
    /// What and why.
    public var action: String
    /// `event.reason`.
    public var reason: String?
    /// From where, who, in which database.
    public var ip: IPAddress?
    /// Login user.
    public var user: String?
    /// Database.
    public var database: String?
    /// `application_name`, when it was asked for.
    public var application: String?
    /// Like events that it stands for.
    public var count: Int64

    /// Takes all parts.
    public init(
        seq: Int64, time: LogTime, action: String, reason: String?, ip: IPAddress?, user: String?, database: String?,
        count: Int64
    ) {
        self.seq = seq
        self.time = time
        self.action = action
        self.reason = reason
        self.ip = ip
        self.user = user
        self.database = database
        self.count = count
    }
}
