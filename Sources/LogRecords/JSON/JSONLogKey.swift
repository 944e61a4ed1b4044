/// The names of a jsonlog line in the server's order (PostgreSQL manual, 19.8.5 "Using JSON-Format Log Output").
enum JSONLogKey: Int, CaseIterable {
    case timestamp, user, database, process, remoteHost, remotePort, sessionID, sessionLine, ps, sessionStart
    case virtualTransaction, transaction, severity, sqlState, message, detail, hint, internalQuery, internalPosition
    case context, statement, cursorPosition, functionName, fileName, fileLine, applicationName, backendType, leaderPID
    case queryID

    private var name: String {
        switch self {
        case .timestamp: "timestamp"
        case .user: "user"
        case .database: "dbname"
        case .process: "pid"
        case .remoteHost: "remote_host"
        case .remotePort: "remote_port"
        case .sessionID: "session_id"
        case .sessionLine: "line_num"
        case .ps: "ps"
        case .sessionStart: "session_start"
        case .virtualTransaction: "vxid"
        case .transaction: "txid"
        case .severity: "error_severity"
        case .sqlState: "state_code"
        case .message: "message"
        case .detail: "detail"
        case .hint: "hint"
        case .internalQuery: "internal_query"
        case .internalPosition: "internal_position"
        case .context: "context"
        case .statement: "statement"
        case .cursorPosition: "cursor_position"
        case .functionName: "func_name"
        case .fileName: "file_name"
        case .fileLine: "file_line_num"
        case .applicationName: "application_name"
        case .backendType: "backend_type"
        case .leaderPID: "leader_pid"
        case .queryID: "query_id"
        }
    }

    static let table = JSONKeyTable(allCases.map(\.name))

    static let rawPort = RawPort(
        host: remoteHost.rawValue, port: remotePort.rawValue, process: process.rawValue, session: sessionID.rawValue)
}

extension JSONFields {
    /// The value of a jsonlog name.
    @inline(__always)
    subscript(key: JSONLogKey) -> JSONValue? { self[key.rawValue] }
}
