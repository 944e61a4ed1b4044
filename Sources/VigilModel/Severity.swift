/// How much an event or alert matters, lowest first.
public enum Severity: String, CaseIterable, Comparable, Sendable {
    case info, low, medium, high, critical

    /// Place in the order, 0 for `info`.
    public var rank: Int { Severity.allCases.firstIndex(of: self) ?? 0 }

    /// Orders by how much it matters.
    public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
}
