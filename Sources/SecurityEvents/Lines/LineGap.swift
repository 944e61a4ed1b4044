import Patterns
import VigilModel

/// Numbers that are missing between two records of one session.
public struct LineGap: Sendable, Equatable {
    /// Index in its batch of the record behind the hole.
    public var record: Int
    /// What is numbered.
    public var counter: GapPattern.Counter
    /// The first number that is missing.
    public var first: Int64
    /// The last.
    public var last: Int64

    /// What to tell a person.
    func message(session: String) -> String {
        let (one, many) = counter == .lines ? ("line", "lines") : ("pgaudit's statement", "pgaudit's statements")
        return first == last
            ? "\(one) \(first) of session \(session) is missing"
            : "\(many) \(first) to \(last) of session \(session) are missing"
    }
}

extension SecurityEvent {
    /// Becomes the event about numbers that are missing before its record. What makes it the same event wherever the log
    /// is read is the first of them; it stands for no record.
    mutating func tell(of gap: LineGap, in session: String) {
        var digest = Digest64()
        digest.combine("gap \(gap.counter.rawValue)")
        identity = EventIdentity(origin: session, line: gap.first, hash: digest.folded32, ordinal: 0)
        digest.combine(" \(gap.last)")
        content = Int64(bitPattern: digest.value)
        message = gap.message(session: session)
        sqlState = nil
    }
}
