/// The names of a row that Pigsty's Vector writes, and those of pgvigil's own rows that say what row it is.
enum VectorKey: String, CaseIterable {
    case time = "_time"
    case text = "_msg"
    /// What becomes `_msg` on the way into VictoriaLogs.
    case message
    case timestamp
    case job, instance = "ins", cluster = "cls", topic, level, process = "pid"
    // csvlog's columns.
    case user, database = "db", address = "addr", session = "sid", sessionLine = "sln", command = "cmd"
    case sessionStart = "stime", virtualTransaction = "vxid", transaction = "txid", severity = "lv", sqlState = "code"
    case serverMessage = "msg"
    case detail, hint, internalQuery = "iq", internalPosition = "iqp", context = "ctx", query = "q"
    case queryPosition = "qp", location = "loc", application = "app", backendType = "btype", leader = "lpid"
    case queryID = "query"
    // pgvigil's.
    case eventID = "event.id", eventKind = "event.kind", eventOutcome = "event.outcome", tags
    case sourceAddress = "source.address", object = "db.object.name", auditClass = "pgaudit.class"

    static let table = JSONKeyTable(allCases.map(\.rawValue))

    /// Where the name stands in the table.
    var index: Int { VectorKey.places[self] ?? 0 }

    private static let places = Dictionary(uniqueKeysWithValues: zip(allCases, 0...))

    /// csvlog's columns in order; nil: put together by hand.
    static let columns: [VectorKey?] = [
        .time, .user, .database, .process, .address, .session, .sessionLine, .command, .sessionStart,
        .virtualTransaction, .transaction, .severity, nil, .serverMessage, .detail, .hint, .internalQuery,
        .internalPosition, .context, .query, .queryPosition, .location, nil, .backendType, .leader, .queryID,
    ]
}

/// The values of one row.
struct VectorFields {
    private var fields = JSONFields(VectorKey.table)

    /// Reads a line that is one object and nothing else.
    mutating func read(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard case .whole(let end) = fields.read(line, from: 0) else { return false }
        return line[end...].allSatisfy { $0 <= 32 && $0 > 0 }
    }

    @inline(__always)
    subscript(key: VectorKey) -> JSONValue? { fields[key.index] }

    /// A value with its escapes undone; empty when there is none.
    func bytes(_ key: VectorKey, of line: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        guard let value = self[key] else { return [] }
        let text = UnsafeBufferPointer(rebasing: line[value.range])
        guard value.isEscaped else { return Array(text) }
        var bytes: [UInt8] = []
        JSONText.append(text, to: &bytes)
        return bytes
    }

    /// A value as text; nil when it is absent or empty, which is the same in VictoriaLogs.
    func text(_ key: VectorKey, of line: UnsafeBufferPointer<UInt8>) -> String? {
        let bytes = bytes(key, of: line)
        return bytes.isEmpty ? nil : String(escaping: bytes)
    }
}
