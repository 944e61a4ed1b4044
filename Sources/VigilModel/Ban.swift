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
    /// The rule that caused it; `Ban.manual` for a person's, `Ban.aggregate` for neighbours put together.
    public var ruleID: String
    /// The alert that caused it; nil for a person's.
    public var alertID: String?
    /// Why: the rule's name, or a person's words. Never text of a client.
    public var reason: String
    /// Events that counted.
    public var eventCount: Int64
    /// Whether it was only computed or also enforced.
    public var mode: BanMode
    /// Who decided: `rule` or a person's name.
    public var by: String
    /// The row in the store; 0 before it is there.
    public var seq: Int64 = 0

    /// `ruleID` of what a person banned.
    public static let manual = "manual"
    /// `ruleID` of a block that stands in lists for many banned neighbours.
    public static let aggregate = "aggregate"

    /// Takes all parts.
    public init(
        cidr: CIDR, sourceIP: IPAddress, start: LogTime, end: LogTime, ruleID: String, alertID: String?,
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
