/// What a person decided about bans that are there, or what became of a list: written once, in the order it happened.
public struct BanAct: Sendable, Equatable {
    /// What was done.
    public enum Kind: String, Sendable, CaseIterable {
        /// Every ban of a block was ended.
        case unban
        /// Every list became empty.
        case pause
        /// Lists are filled again.
        case resume
        /// A list could not be written, or who uses it could not be told.
        case failed
        /// That works again.
        case recovered
    }

    /// What was done.
    public var kind: Kind
    /// From when on it holds.
    public var time: LogTime
    /// What it is about; nil for all.
    public var cidr: CIDR?
    /// Who did it.
    public var by: String
    /// Why, in their words.
    public var reason: String
    /// Bans up to this row of the store were there by then.
    public var through: Int64

    /// Takes all parts.
    public init(kind: Kind, time: LogTime, cidr: CIDR?, by: String, reason: String, through: Int64 = 0) {
        self.kind = kind
        self.time = time
        self.cidr = cidr
        self.by = by
        self.reason = reason
        self.through = through
    }
}
