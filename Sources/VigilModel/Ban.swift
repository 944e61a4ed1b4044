/// An address kept out for an interval of event time.
public struct Ban: Sendable, Equatable {
    /// What is kept out.
    public var cidr: CIDR
    /// The address that caused it.
    public var sourceIP: IPAddress
    /// From when, inclusive.
    public var start: LogTime
    /// Until when, exclusive.
    public var end: LogTime
    /// The rule and alert that caused it.
    public var ruleID, alertID: String
    /// Why, in words without any text of a client.
    public var reason: String
    /// Events that counted.
    public var eventCount: Int64
    /// Whether it was only computed or also enforced.
    public var mode: BanMode
    /// Who decided: `rule` or a person's name.
    public var by: String

    /// Takes all parts.
    public init(
        cidr: CIDR, sourceIP: IPAddress, start: LogTime, end: LogTime, ruleID: String, alertID: String,
        reason: String, eventCount: Int64, mode: BanMode, by: String
    ) {
        self.cidr = cidr
        self.sourceIP = sourceIP
        self.start = start
        self.end = end
        self.ruleID = ruleID
        self.alertID = alertID
        self.reason = reason
        self.eventCount = eventCount
        self.mode = mode
        self.by = by
    }
}

/// `bans.mode`: whether anything outside the store follows from a ban.
public enum BanMode: String, Sendable, CaseIterable {
    case observe, enforce
}
