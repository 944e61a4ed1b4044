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
}
