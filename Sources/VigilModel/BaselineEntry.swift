/// What a rule has seen a group do.
public struct BaselineEntry: Sendable, Equatable {
    /// The rule.
    public var rule: String
    /// The group, as the store keeps it.
    public var group: String
    /// The value; empty for the group itself.
    public var value: String
    /// When it was seen first and last.
    public var first, last: LogTime
    /// How often, at most as often as the rule asks.
    public var count: Int64

    /// Takes all parts.
    public init(rule: String, group: String, value: String, first: LogTime, last: LogTime, count: Int64) {
        self.rule = rule
        self.group = group
        self.value = value
        self.first = first
        self.last = last
        self.count = count
    }
}
