import VigilModel

/// One action of a person, as far as records have told of it: the statement that was sent, the events it gave, and how
/// later records of the same statement (pgaudit's, durations, its error) are known to belong to it.
struct StatementGroup: Codable, Sendable {
    /// An event of the group.
    struct Part: Codable, Sendable {
        /// The event's identity and content.
        var event: EventIdentity
        var content: Int64
        /// Digest of the statement's own text, for pgaudit of version 17 and later, which gives one of several.
        var text: UInt64
        var command: String
        var object: String?
        var kind: String
        /// pgaudit's number of the statement, once a record of pgaudit's was found to belong to it.
        var auditID: Int64?
    }

    /// Digest of the whole text that was sent.
    var text: UInt64
    /// Number of statements in it.
    var statements: Int
    var parts: [Part]
    /// Offset of the record that told of its execution; `.max` while it was only parsed or bound.
    var executed: Int64
    /// pgaudit's greatest number in the group so far.
    var auditID: Int64?

    /// Parts kept of a text, and of what pgaudit adds: a function that makes a million tables must not make a row of the
    /// store that grows with each. Records about a part that is gone are events of their own.
    private static let most = (own: 1024, added: 64)

    /// The parts of a text that are kept.
    static func kept(_ parts: [Part]) -> [Part] { Array(parts.prefix(most.own)) }

    /// Takes a part that only pgaudit told of; the oldest such goes when there are too many.
    mutating func add(_ part: Part) {
        let own = min(statements, StatementGroup.most.own)
        if parts.count >= own + StatementGroup.most.added { parts.remove(at: own) }
        parts.append(part)
    }
}
