/// Something that another engine's language has no words for.
struct NotExpressible: Error {
    /// What it is and why, for people.
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// What is said above an exported rule: where it means more or less than the rule it comes from.
struct Notes {
    private(set) var texts: [String] = []

    /// Says something once.
    mutating func add(_ text: String) {
        if !texts.contains(text) { texts.append(text) }
    }
}
