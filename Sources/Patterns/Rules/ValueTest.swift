import VigilModel

/// What one value of an event must be.
public enum ValueTest: Sendable {
    /// One of these; a word that ends in `*` stands for all that start so.
    case words([String])
    /// An address in one of these blocks.
    case cidr([CIDR])
    /// Matched by the expression somewhere.
    case regex(Regex)
    /// A number from the first to the second, both included.
    case number(ClosedRange<Int64>)
    /// Any value at all, or none.
    case present(Bool)
    /// What this asks for must not hold; an absent value passes.
    indirect case not(ValueTest)

    /// True when the value, nil for an absent one, is as asked.
    public func holds(for value: String?) -> Bool {
        switch self {
        case .present(let wanted): return (value != nil) == wanted
        case .not(let test): return !test.holds(for: value)
        default: break
        }
        guard let value else { return false }
        switch self {
        case .words(let words): return words.contains { ValueTest.fits(value, $0) }
        case .cidr(let blocks): return IPAddress(value).map { ip in blocks.contains { $0.contains(ip) } } ?? false
        case .regex(let regex): return regex.match(Array(value.utf8))
        case .number(let range): return Int64(value).map(range.contains) ?? false
        case .present, .not: return false
        }
    }

    /// True when one of several values is as asked; for `not`, when none is.
    public func holds(forAny values: [String]) -> Bool {
        switch self {
        case .present(let wanted): !values.isEmpty == wanted
        case .not(let test): !test.holds(forAny: values)
        default: values.contains { holds(for: $0) }
        }
    }

    private static func fits(_ value: String, _ word: String) -> Bool {
        word.utf8.last == 42 ? value.utf8.starts(with: word.utf8.dropLast()) : value == word
    }
}
