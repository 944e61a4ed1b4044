import VigilModel

/// Completes the records of pgauditlogtofile to what csvlog would have: the extension leaves out the severity, and
/// numbers rows by a counter of its own, if at all.
enum PGAuditRecord {
    /// Begins a record.
    static func begin(_ draft: inout DraftRecord, offset: Int64, time: LogTime) {
        draft.begin(offset: offset, time: time, dataset: .postgresql, form: .diverted)
    }

    /// What pgaudit's messages begin with; the extension takes it away.
    static let prefix = Array("AUDIT: ".utf8)

    /// Gives the record its severity, and to `rows`.
    static func finish(_ draft: inout DraftRecord, to rows: inout RowBuffer) {
        if !draft.has(.sqlState) { draft.set(.sqlState, success) }
        if isEntry(draft), draft.withContent(.query, \.isEmpty), draft.withContent(.context, isNested) {
            draft.set(.context, [])
        }
        draft.set(.severity, severity(of: draft))
        rows.append(draft)
    }

    private static func isEntry(_ draft: DraftRecord) -> Bool {
        draft.withContent(.message) { $0.starts(with: prefix) }
    }

    /// True when pgaudit may have written an entry with that context. pgaudit hides context and query, but the extension
    /// heeds only the second: entries of statements that a function runs show where. What a RAISE says has a context,
    /// too, but the function that raised it stands first.
    private static func isNested(_ context: UnsafeBufferPointer<UInt8>) -> Bool {
        let frame = context.prefix { $0 != 10 && $0 != 34 && $0 != 0xC2 }
        func holds(_ text: String, _ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
            let wanted = Array(text.utf8)
            return bytes.indices.contains { bytes[$0] == wanted[0] && bytes[$0...].starts(with: wanted) }
        }
        guard holds("PL/", frame) else { return true }
        return holds("PL/pgSQL", frame) && !holds("RAISE", context[...])
    }

    private static let success = Array("00000".utf8)

    /// LOG and WARNING by SQLSTATE class. A failure before the session was in ends it; a client can have neither of
    /// those command tags, and what a RAISE says has a context.
    private static func severity(of draft: DraftRecord) -> String {
        let group = draft.withContent(.sqlState) { Array($0.prefix(2)) }
        if group == [48, 48] { return "LOG" }
        if group == [48, 49] { return "WARNING" }
        let isRaised = [LogColumn.context, .query].contains { draft.withContent($0) { !$0.isEmpty } }
        let isStartup = draft.withContent(.commandTag) { tag in
            tag.isEmpty || tag.elementsEqual("authentication".utf8) || tag.elementsEqual("startup".utf8)
        }
        return isStartup && !isRaised ? "FATAL" : "ERROR"
    }

    /// True when a text is a kind of pgaudit's entries.
    static func isKind(_ text: some Sequence<UInt8>) -> Bool {
        text.elementsEqual("SESSION".utf8) || text.elementsEqual("OBJECT".utf8)
    }

    /// Puts pgaudit's own CSV together again from what 1.7 and 1.8 made of it. They split it at every comma, quoted or
    /// not, into seven parts and a rest, so joining them gives the text as pgaudit wrote it. Up to 1.7.2 there were six
    /// parts, and the rest had lost its first byte: the comma behind an empty object name, or that name's first
    /// character.
    static func message(parts: [[UInt8]], rest: [UInt8]) -> [UInt8] {
        var message = prefix
        for part in parts {
            message += part
            message.append(44)
        }
        guard parts.count == 6 else { return message + rest }
        if parts[5].isEmpty {
            message.append(44)
        } else if let quote = rest.firstIndex(of: 34), quote > 0, rest[quote - 1] != 44,
            rest[(quote + 1)...].first == 44
        {
            message.append(34)
        }
        return message + rest
    }
}
