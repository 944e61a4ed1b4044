import VigilModel

/// The columns of a record as they may be shown: without the secrets that stand in statements, in what quotes them, and
/// in parameters.
public enum RecordText {
    private static let withheld = "<redacted>"

    /// Columns that are not empty, by the names of csvlog.
    public static func columns(_ record: LogRecord) -> [(name: String, value: String)] {
        LogColumn.allCases.compactMap { column in
            value(record, column).map { (name: column.name, value: $0) }
        }
    }

    private static func value(_ record: LogRecord, _ column: LogColumn) -> String? {
        guard !record.isEmpty(column) else { return nil }
        switch column {
        case .message:
            let bytes = record.content(.message)
            if let row = auditRow(bytes) { return row }
            return isPieceOfSecret(record) ? withheld : redacted(bytes)
        case .detail, .context, .hint, .query, .internalQuery: return redacted(record.content(column))
        default: return record.text(column).map { SQLReader.redacted(message: $0) }
        }
    }

    /// A message about a text that could not be parsed repeats a piece of it.
    private static func isPieceOfSecret(_ record: LogRecord) -> Bool {
        guard record.equals(.sqlState, Array("42601".utf8)), !record.isEmpty(.query) else { return false }
        let query = record.content(.query)
        return SQLReader.redacted(query) != query
    }

    /// Text with SQL somewhere in it: as a whole, in double quotes (`SQL statement "…"`), behind a colon (`statement: …`).
    static func redacted(_ bytes: [UInt8]) -> String {
        let text = withoutParameters(bytes)
        let whole = SQLReader.redacted(text)
        let pieces = whole.split(separator: 34, omittingEmptySubsequences: false).map { piece in
            guard let colon = piece.firstIndex(of: 58) else { return SQLReader.redacted(Array(piece)) }
            return Array(piece[...colon]) + SQLReader.redacted(Array(piece[(colon + 1)...]))
        }
        return SQLReader.redacted(message: String(escaping: Array(pieces.joined(separator: [34]))))
    }

    /// What was bound to a statement is anybody's data: `parameters: $1 = '…'` ends before it.
    private static func withoutParameters(_ bytes: [UInt8]) -> [UInt8] {
        let mark = Array("$1 = ".utf8)
        guard bytes.count >= mark.count,
            let at = (0...(bytes.count - mark.count)).first(where: {
                bytes[$0] == 36 && bytes[$0...].starts(with: mark)
            })
        else { return bytes }
        return bytes[..<at] + Array(withheld.utf8)
    }

    /// A row of pgaudit's: its statement is quoted once more, and its parameters stand behind it.
    private static func auditRow(_ message: [UInt8]) -> String? {
        guard AuditRecord(message) != nil else { return nil }
        var rest = message[AuditRecord.prefix.count...]
        var fields: [String] = []
        while !rest.isEmpty, fields.count < 16 {
            let field = AuditRecord.field(&rest)
            let text = fields.count < 8 ? redacted(field) : String(escaping: field)
            let isParameter = fields.count == 8 && !["", "<none>", "<not logged>"].contains(text)
            fields.append(isParameter ? withheld : text)
        }
        return "AUDIT: " + fields.joined(separator: ",")
    }
}
