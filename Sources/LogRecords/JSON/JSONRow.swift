import VigilModel

/// Lays out the values of a jsonlog object as the csvlog row of the same record.
struct JSONRow {
    let line: UnsafeBufferPointer<UInt8>
    let fields: JSONFields

    /// Names that are csvlog's columns as they stand, in csvlog's order; nil: put together by hand.
    private static let columns: [JSONLogKey?] = [
        .timestamp, .user, .database, .process, nil, .sessionID, .sessionLine, .ps, .sessionStart, .virtualTransaction,
        .transaction, .severity, nil, .message, .detail, .hint, .internalQuery, .internalPosition, .context, .statement,
        .cursorPosition, nil, nil, .backendType, .leaderPID, .queryID,
    ]

    /// Adds the row.
    @inline(__always)
    func write(to rows: inout RowBuffer, offset: Int64, time: LogTime) {
        rows.beginRow()
        for column in JSONRow.columns.indices {
            if let key = JSONRow.columns[column] {
                if let value = fields[key] { write(value, to: &rows) }
            } else {
                writeMade(column, to: &rows)
            }
            rows.endColumn()
        }
        rows.endRow(offset: offset, time: time)
    }

    @inline(__always)
    private func write(_ value: JSONValue, to rows: inout RowBuffer) {
        let text = UnsafeBufferPointer(rebasing: line[value.range])
        if value.isEscaped || text.isEmpty {
            rows.bytes.append(34)
            JSONText.append(text, to: &rows.bytes, quotes: 2)
            rows.bytes.append(34)
        } else {
            rows.bytes.append(contentsOf: text)
        }
    }

    /// Columns that csvlog writes another way.
    private func writeMade(_ column: Int, to rows: inout RowBuffer) {
        switch LogColumn(rawValue: column) {
        case .connectionFrom: writeAddress(to: &rows)
        case .sqlState:
            if let state = fields[.sqlState] { write(state, to: &rows) } else { rows.bytes += JSONRow.success }
        case .location: writeLocation(to: &rows)
        case .applicationName:
            // csvlog shows an empty name, jsonlog leaves it out.
            if let name = fields[.applicationName] { write(name, to: &rows) } else { rows.bytes += [34, 34] }
        default: break
        }
    }

    private static let success = Array("00000".utf8)

    /// `host:port`, or `[local]`.
    private func writeAddress(to rows: inout RowBuffer) {
        guard let host = fields[.remoteHost] else { return }
        guard let port = fields[.remotePort] else { return write(host, to: &rows) }
        let portText = UnsafeBufferPointer(rebasing: line[port.range])
        // The row that csvlog has of such a client is mended the same way (`SocketPathRepair`).
        if port.kind == .raw, !RawPort.isSoundInCSV(portText) { return write(host, to: &rows) }
        let isQuoted = host.isEscaped || port.isEscaped || port.kind == .raw
        if isQuoted { rows.bytes.append(34) }
        JSONText.append(UnsafeBufferPointer(rebasing: line[host.range]), to: &rows.bytes, quotes: 2)
        rows.bytes.append(58)
        if port.kind == .raw {
            rows.bytes.append(contentsOf: portText)
        } else {
            JSONText.append(portText, to: &rows.bytes, quotes: 2)
        }
        if isQuoted { rows.bytes.append(34) }
    }

    /// `func, file:line` or `file:line`, as csvlog has it with log_error_verbosity = verbose.
    private func writeLocation(to rows: inout RowBuffer) {
        guard let file = fields[.fileName] else { return }
        rows.bytes.append(34)
        if let function = fields[.functionName] {
            append(function, to: &rows)
            rows.bytes += [44, 32]
        }
        append(file, to: &rows)
        rows.bytes.append(58)
        if let number = fields[.fileLine] { append(number, to: &rows) }
        rows.bytes.append(34)
    }

    private func append(_ value: JSONValue, to rows: inout RowBuffer) {
        JSONText.append(UnsafeBufferPointer(rebasing: line[value.range]), to: &rows.bytes, quotes: 2)
    }
}
