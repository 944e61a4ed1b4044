import VigilModel

/// Cuts a csv line of 1.7.1 to 1.8.4, where every value is a JSON string or nothing.
struct PGAuditEscapedFields {
    private(set) var values: [JSONValue] = []

    /// Reads a line; false when it is no such row. `isCut`: its last value may have lost its end.
    mutating func read(_ line: UnsafeBufferPointer<UInt8>, isCut: Bool = false) -> Bool {
        values.removeAll(keepingCapacity: true)
        guard let bytes = line.baseAddress else { return false }
        var scanner = JSONScanner(bytes: bytes, end: line.count, at: 0)
        while true {
            var value = JSONValue(start: scanner.at, end: scanner.at)
            if scanner.at < line.count, line[scanner.at] == 34 {
                if case .open = readString(&scanner, line, &value) {
                    values.append(value)
                    return isCut
                }
            }
            values.append(value)
            if scanner.at == line.count { return values.count >= 20 }
            guard line[scanner.at] == 44, values.count < PGAuditEscapedFields.mostColumns else { return false }
            scanner.at += 1
        }
    }

    /// 1.8 writes up to 36 (`logtofile_csv.c`).
    private static let mostColumns = 40

    /// Reads a string. The client's address of 1.8 is not escaped: a client that bound its own unix socket path has
    /// written into it, so it ends where the server's session id follows.
    private mutating func readString(
        _ scanner: inout JSONScanner, _ line: UnsafeBufferPointer<UInt8>, _ value: inout JSONValue
    ) -> JSONScanner.Step {
        let start = scanner.at
        if values.count == 4, line[start...].starts(with: "\"[local]:".utf8),
            let pid = Int(String(decoding: line[values[3].range], as: UTF8.self))
        {
            let last = min(start + RawPort.reach + 8, line.count - 4)
            for at in stride(from: last, to: start, by: -1)
            where line[at] == 34 && line[at + 1] == 44 && line[at + 2] == 34 {
                let id = line[(at + 3)...].prefix { $0 != 34 }
                guard PGAuditAnchor.isSession(id, of: pid) else { continue }
                value = JSONValue(start: start + 1, end: at, kind: .raw)
                scanner.at = at + 1
                return .done
            }
        }
        return scanner.string(&value)
    }
}

/// Reads one such line.
struct PGAuditEscaped {
    private var row = PGAuditEscapedFields()

    private static let head: [LogColumn] = [
        .userName, .databaseName, .processID, .connectionFrom, .sessionID, .commandTag, .virtualTransaction,
        .transaction, .sqlState,
    ]
    private static let tail: [LogColumn] = [
        .detail, .hint, .internalQuery, .internalPosition, .context, .query, .queryPosition, .location,
        .applicationName,
    ]
    /// The row of 1.7.1 and 1.7.2, which has one column fewer.
    private static let columnsWithLoss = 26

    /// Gives the record of a line to `rows`; words for why it is none.
    mutating func take(
        _ line: LogLine, _ times: inout PGAuditTime, _ draft: inout DraftRecord, into rows: inout RowBuffer
    ) -> String? {
        guard row.read(line.bytes, isCut: line.isCut) else { return "no row of pgauditlogtofile" }
        let values = row.values
        guard values.count >= 11 else { return "a row with \(values.count) columns" }
        let stamp = text(0, line)
        let id = text(5, line)
        guard let pid = Int(String(decoding: text(3, line), as: UTF8.self)), PGAuditAnchor.isSession(id[...], of: pid)
        else { return "no process or session id" }
        // Without a fraction it is the session's start, which proves the zone.
        let start = stamp.count > 19 && stamp[19] == 32 ? stamp : []
        guard let time = times.read(stamp, start: start, id: id) else { return "no log time" }
        PGAuditRecord.begin(&draft, offset: line.offset, time: time)
        draft.set(.logTime, stamp)
        for (index, column) in PGAuditEscaped.head.enumerated() { set(column, index + 1, line, &draft) }
        mendAddress(line, &draft)
        var next = 11
        if PGAuditRecord.isKind(line.bytes[values[10].range]), values.count >= 17 {
            let count = values.count == PGAuditEscaped.columnsWithLoss ? 6 : 7
            let parts = (10..<10 + count).map { text($0, line) }
            next = 10 + count + 1
            draft.set(.message, PGAuditRecord.message(parts: parts, rest: text(next - 1, line)))
        } else {
            draft.set(.message, text(10, line))
        }
        for (index, column) in PGAuditEscaped.tail.enumerated() { set(column, next + index, line, &draft) }
        PGAuditRecord.finish(&draft, to: &rows)
        return nil
    }

    private func text(_ index: Int, _ line: LogLine) -> [UInt8] {
        guard index < row.values.count else { return [] }
        let value = row.values[index]
        if value.kind == .raw || !value.isEscaped { return Array(line.bytes[value.range]) }
        var text: [UInt8] = []
        JSONText.append(UnsafeBufferPointer(rebasing: line.bytes[value.range]), to: &text)
        return text
    }

    private func set(_ column: LogColumn, _ index: Int, _ line: LogLine, _ draft: inout DraftRecord) {
        guard index < row.values.count, row.values[index].kind != .other else { return }
        draft.set(column, text(index, line))
    }

    /// 1.7.1 to 1.7.6 print the host in the port's place, too.
    private func mendAddress(_ line: LogLine, _ draft: inout DraftRecord) {
        let from = text(4, line)
        guard from.count > 2, from.count % 2 == 1, from[from.count / 2] == 58,
            from[..<(from.count / 2)] == from[(from.count / 2 + 1)...]
        else { return }
        draft.set(.connectionFrom, from[..<(from.count / 2)])
    }
}
