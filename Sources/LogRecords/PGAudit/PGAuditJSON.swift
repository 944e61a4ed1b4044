import VigilModel

/// The names of pgauditlogtofile's json lines, 1.7.0 to 1.8.4 (`logtofile_json.c`).
enum PGAuditJSONKey: Int, CaseIterable {
    case source, severity, timestamp, user, database, process, peerName, peerPort, sessionID, commandTag
    case virtualTransaction, transaction, sqlState, auditType, statementID, substatementID, auditClass, command
    case objectType, objectName, content, detail, hint, internalQuery, internalPosition, context, query, cursorPosition
    case fileName, fileLine, functionName, applicationName

    private var name: String {
        switch self {
        case .source: "log.source"
        case .severity: "severity"
        case .timestamp: "timestamp"
        case .user: "db.user"
        case .database: "db.name"
        case .process: "custom.process_id"
        case .peerName: "net.peer.name"
        case .peerPort: "net.peer.port"
        case .sessionID: "custom.session_id"
        case .commandTag: "custom.command_tag"
        case .virtualTransaction: "custom.virtual_transaction_id"
        case .transaction: "custom.transaction_id"
        case .sqlState: "custom.state_code"
        case .auditType: "custom.audit_type"
        case .statementID: "custom.statement_id"
        case .substatementID: "custom.substatement_id"
        case .auditClass: "custom.class"
        case .command: "custom.command"
        case .objectType: "custom.object_type"
        case .objectName: "custom.object_name"
        case .content: "content"
        case .detail: "custom.detail_log"
        case .hint: "custom.err_hint"
        case .internalQuery: "custom.internal_query"
        case .internalPosition: "custom.internal_query_pos"
        case .context: "custom.context"
        case .query: "custom.debug_query"
        case .cursorPosition: "custom.cursor_pos"
        case .fileName: "custom.source_filename"
        case .fileLine: "custom.source_linenum"
        case .functionName: "custom.source_funcname"
        case .applicationName: "custom.application_name"
        }
    }

    static let table = JSONKeyTable(allCases.map(\.name))

    /// Columns that are values as they stand.
    static let columns: [(PGAuditJSONKey, LogColumn)] = [
        (.user, .userName), (.database, .databaseName), (.process, .processID), (.sessionID, .sessionID),
        (.commandTag, .commandTag), (.virtualTransaction, .virtualTransaction), (.transaction, .transaction),
        (.sqlState, .sqlState), (.detail, .detail), (.hint, .hint), (.internalQuery, .internalQuery),
        (.internalPosition, .internalPosition), (.context, .context), (.query, .query),
        (.cursorPosition, .queryPosition), (.applicationName, .applicationName),
    ]
}

/// Reads one json line of pgauditlogtofile.
struct PGAuditJSON {
    private(set) var fields = JSONFields(PGAuditJSONKey.table)

    /// Where the next record of a damaged line begins.
    static let opening = Array("{\"log.source\":\"".utf8)

    /// Reads the object at `start`.
    mutating func read(_ line: UnsafeBufferPointer<UInt8>, from start: Int) -> JSONFields.Outcome {
        fields.read(line, from: start)
    }

    /// Gives the record that was read to `rows`; words for what is missing.
    func deliver(
        _ line: LogLine, _ times: inout PGAuditTime, _ draft: inout DraftRecord, into rows: inout RowBuffer
    ) -> String? {
        guard let stamp = text(.timestamp, line), let process = text(.process, line), text(.content, line) != nil
        else { return "an object without timestamp, process or content" }
        guard let time = times.read(stamp, start: [], id: []) else { return "no log time" }
        PGAuditRecord.begin(&draft, offset: line.offset, time: time)
        draft.set(.logTime, stamp)
        draft.set(.processID, process)
        for (key, column) in PGAuditJSONKey.columns {
            if let value = text(key, line) { draft.set(column, value) }
        }
        if var from = text(.peerName, line) {
            if let port = text(.peerPort, line) { from += [58] + port }
            draft.set(.connectionFrom, from)
        }
        if let file = text(.fileName, line) {
            let function = text(.functionName, line).map { $0 + Array(", ".utf8) } ?? []
            draft.set(.location, function + file + [58] + (text(.fileLine, line) ?? []))
        }
        draft.set(.message, message(line))
        PGAuditRecord.finish(&draft, to: &rows)
        return nil
    }

    private func message(_ line: LogLine) -> [UInt8] {
        let content = text(.content, line) ?? []
        guard let kind = text(.auditType, line) else { return content }
        var parts = [kind]
        for key in [PGAuditJSONKey.statementID, .substatementID, .auditClass, .command, .objectType, .objectName] {
            if let part = text(key, line) { parts.append(part) }
        }
        return PGAuditRecord.message(parts: parts, rest: content)
    }

    private func text(_ key: PGAuditJSONKey, _ line: LogLine) -> [UInt8]? {
        guard let value = fields[key.rawValue] else { return nil }
        var text: [UInt8] = []
        JSONText.append(UnsafeBufferPointer(rebasing: line.bytes[value.range]), to: &text)
        return text
    }
}
