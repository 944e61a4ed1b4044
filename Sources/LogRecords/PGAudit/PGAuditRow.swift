import VigilModel

/// A raw row of 1.0 to 1.7.0 as far as it is known: its time, its anchor, its names, and the search for its end.
struct PGAuditRow {
    let timeEnd: Int
    let anchor: PGAuditAnchor
    let names: PGAuditNames
    var scan: PGAuditRowScan
    /// Names that the message may repeat and that hold commas or line feeds.
    private let oddNames: [Range<Int>]
    /// pgaudit's text, or the message.
    private let textStart: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, timeEnd: Int, anchor: PGAuditAnchor, names: PGAuditNames) {
        self.timeEnd = timeEnd
        self.anchor = anchor
        self.names = names
        let rest = bytes[anchor.end...]
        // 1.2 and 1.3 keep what 1.4 and later take away.
        let text = rest.starts(with: PGAuditRecord.prefix) ? rest.dropFirst(PGAuditRecord.prefix.count) : rest
        textStart = text.startIndex
        oddNames = [names.user, names.database].filter { name in bytes[name].contains { $0 == 44 || $0 == 10 } }
            .sorted { $0.count > $1.count }
        let kind: PGAuditRowScan.Kind =
            anchor.isQuoted ? .quoted : PGAuditRow.isAudit(text) ? .audit : .message
        scan = PGAuditRowScan(kind: kind, at: textStart, names: oddNames)
    }

    /// `SESSION,1,1,CLASS,` or `OBJECT,…`.
    private static func isAudit(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        let parts = text.prefix(64).split(separator: 44, maxSplits: 4, omittingEmptySubsequences: false)
        return parts.count == 5 && PGAuditRecord.isKind(parts[0])
            && parts[1...2].allSatisfy { !$0.isEmpty && $0.allSatisfy(PGAuditTime.isDigit) }
    }

    /// pgaudit's row, all its texts plain, with nothing behind it but an application name: what lies in its statement
    /// is a statement.
    func isExact(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard scan.kind == .audit, !scan.isMalformed, scan.isComplete, names.isPlain(bytes),
            let end = auditEnd(bytes), let tail = PGAuditTail(bytes, from: end), tail.isClean
        else { return false }
        return tail.application.count <= PGAuditNames.longest && !bytes[tail.application].contains(10)
    }

    /// All columns are there, and only a context or query could go on.
    func isSettled(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        if scan.kind == .quoted { return true }
        let end =
            scan.kind == .audit
            ? auditEnd(bytes) : PGAuditRowScan.separators(bytes, from: textStart, names: oddNames, limit: 1).first
        guard let end, let tail = PGAuditTail(bytes, from: end) else { return false }
        return tail.context.isEmpty
    }

    /// Where pgaudit's text ends: behind nine columns, or ten when log_rows is on.
    private func auditEnd(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let end = scan.messageEnd, end < bytes.count else { return scan.messageEnd }
        let rows = bytes[(end + 1)...].prefix(20).prefix { $0 != 44 }
        return !rows.isEmpty && rows.allSatisfy(PGAuditTime.isDigit) ? rows.endIndex : end
    }

    /// Gives the row's columns to a draft.
    func fill(_ draft: inout DraftRecord, _ bytes: UnsafeBufferPointer<UInt8>) {
        draft.set(.logTime, bytes[..<timeEnd])
        let isBackground = names.user.isEmpty && names.database.isEmpty
        for (column, range) in [
            (LogColumn.userName, isBackground ? 0..<0 : names.user), (.databaseName, names.database),
            (.processID, anchor.process), (.connectionFrom, anchor.address), (.sessionID, anchor.session),
            (.commandTag, anchor.commandTag), (.sessionStart, anchor.sessionStart),
            (.virtualTransaction, anchor.virtualTransaction), (.transaction, anchor.transaction),
            (.sqlState, anchor.sqlState),
        ] where !range.isEmpty {
            if anchor.isQuoted { draft.set(column, undoubled(bytes[range])) } else { draft.set(column, bytes[range]) }
        }
        switch scan.kind {
        case .audit: fillAudit(&draft, bytes)
        case .message: fillMessage(&draft, bytes)
        case .quoted: fillQuoted(&draft, bytes)
        }
    }

    private func fillAudit(_ draft: inout DraftRecord, _ bytes: UnsafeBufferPointer<UInt8>) {
        draft.set(.message, PGAuditRecord.prefix)
        guard let end = auditEnd(bytes) else { return draft.append(.message, bytes[textStart...]) }
        draft.append(.message, bytes[textStart..<end])
        fillTail(&draft, bytes, from: end)
    }

    private func fillMessage(_ draft: inout DraftRecord, _ bytes: UnsafeBufferPointer<UInt8>) {
        let comma = PGAuditRowScan.separators(bytes, from: textStart, names: oddNames, limit: 1).first
        draft.set(.message, bytes[anchor.end..<(comma ?? bytes.count)])
        if let comma { fillTail(&draft, bytes, from: comma) }
    }

    /// The nine columns behind the message.
    private func fillTail(_ draft: inout DraftRecord, _ bytes: UnsafeBufferPointer<UInt8>, from end: Int) {
        guard let tail = PGAuditTail(bytes, from: end) else { return }
        for (column, range) in [
            (LogColumn.detail, tail.detail), (.context, tail.context), (.location, tail.location),
            (.applicationName, tail.application),
        ] where !range.isEmpty { draft.set(column, bytes[range]) }
    }

    private func fillQuoted(_ draft: inout DraftRecord, _ bytes: UnsafeBufferPointer<UInt8>) {
        let columns: [LogColumn] = [
            .message, .detail, .hint, .internalQuery, .internalPosition, .context, .query, .queryPosition, .location,
            .applicationName,
        ]
        var at = anchor.end
        for column in columns {
            let start = at
            var isOpen = false
            while at < bytes.count, isOpen || bytes[at] != 44 {
                if bytes[at] == 34 { isOpen.toggle() }
                at += 1
            }
            var text = bytes[start..<at]
            if text.count >= 2, text.first == 34, text.last == 34 { text = text.dropFirst().dropLast() }
            if at > start { draft.set(column, undoubled(text)) }
            at += 1
            if at > bytes.count { break }
        }
    }

    private func undoubled(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> [UInt8] {
        var copy: [UInt8] = []
        var at = text.startIndex
        while at < text.endIndex {
            copy.append(text[at])
            at += text[at] == 34 && at + 1 < text.endIndex && text[at + 1] == 34 ? 2 : 1
        }
        return copy
    }
}
