/// The fields of a pgaudit record: one CSV row behind `AUDIT: ` (pgaudit's README, "Format").
///
/// A field is quoted when it holds a comma, a quote, a line feed or a carriage return; quotes are doubled.
struct AuditRecord {
    /// `SESSION` or `OBJECT`.
    let type: String
    /// Number of the statement in its session, and of the part within it.
    let statementID, substatementID: Int64
    /// `READ`, `WRITE`, `FUNCTION`, `ROLE`, `DDL`, `MISC`.
    let auditClass: String
    /// Command tag.
    let command: String
    /// What was touched, when pgaudit says so.
    let objectType, objectName: String?
    /// The statement's text; nil when pgaudit did not log it (again).
    let statement: [UInt8]?

    static let prefix = Array("AUDIT: ".utf8)
    private static let placeholders: Set<[UInt8]> = [
        Array("<not logged>".utf8), Array("<previously logged>".utf8), Array("<none>".utf8), [],
    ]

    /// Reads the message of a record; nil when it is no row of pgaudit's.
    init?(_ message: [UInt8]) {
        guard message.starts(with: AuditRecord.prefix) else { return nil }
        var rest = message[AuditRecord.prefix.count...]
        func text() -> String? {
            let field = AuditRecord.field(&rest)
            return field.isEmpty ? nil : String(escaping: field.prefix(1024))
        }
        guard let type = text(), type == "SESSION" || type == "OBJECT", let id = text().flatMap(Int64.init),
            let sub = text().flatMap(Int64.init), let auditClass = text(), let command = text()
        else { return nil }
        self.type = type
        statementID = id
        substatementID = sub
        self.auditClass = auditClass
        self.command = command
        objectType = text()
        objectName = text()
        let statement = AuditRecord.field(&rest)
        self.statement = AuditRecord.placeholders.contains(statement) ? nil : statement
    }

    /// Takes the next field and the comma behind it.
    static func field(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
        guard rest.first == 34 else {
            let end = rest.firstIndex(of: 44) ?? rest.endIndex
            defer { rest = end < rest.endIndex ? rest[(end + 1)...] : [] }
            return Array(rest[..<end])
        }
        var field: [UInt8] = []
        var at = rest.startIndex + 1
        while let quote = rest[at...].firstIndex(of: 34) {
            field += rest[at..<quote]
            at = quote + 1
            guard at < rest.endIndex, rest[at] == 34 else { break }
            field.append(34)
            at += 1
        }
        // Cut off: all there is.
        if at == rest.startIndex + 1 { field = Array(rest[at...]); at = rest.endIndex }
        let comma = rest[at...].firstIndex(of: 44)
        rest = comma.map { rest[($0 + 1)...] } ?? []
        return field
    }
}
