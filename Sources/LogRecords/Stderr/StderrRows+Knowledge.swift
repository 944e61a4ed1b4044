import VigilModel

/// What a message tells: which of the server's it is, and whether it names whom the prefix names.
struct MessageKnowledge {
    var number: Int?
    var agrees = true
}

extension StderrRows {
    /// Looks at a whole message behind a prefix.
    func knowledge(
        of draft: some RecordColumns, _ bytes: Bytes, _ reading: LineReading
    ) -> MessageKnowledge {
        let label = reading.label
        let number = draft.withContent(.message) { known.find($0, label) }
        guard let number else { return MessageKnowledge() }
        guard known.isNaming(number) else { return MessageKnowledge(number: number) }
        let names = names(bytes, reading)
        return MessageKnowledge(
            number: number, agrees: draft.withContent(.message) { known.agrees(number, $0, with: names) })
    }

    /// True when a message that names whom a login is of is none of the prefix's.
    func isAtOdds(_ knowledge: MessageKnowledge, _ reading: LineReading) -> Bool {
        guard let number = knowledge.number, !knowledge.agrees || reading.stops else { return false }
        return known.isEarly(number) && known.isNaming(number)
    }

    /// The reading that makes the prefix name whom the message names, where a name holds what parts user and database;
    /// nil when none does.
    func agreeing(
        _ bytes: Bytes, _ reading: LineReading, _ number: Int, _ text: Bytes
    ) -> LineReading? {
        if known.agrees(number, text, with: names(bytes, reading)) { return reading }
        let told = known.names(number, text).names
        guard let other = prefix.parted(bytes, reading, user: told.user, database: told.database),
            known.agrees(number, text, with: names(bytes, other))
        else { return nil }
        return other
    }

    /// The names of a prefix as printed; nil where it has none, and where it ends before them: such a line is no
    /// client's, unless the prefix was taken for a longer one than it is.
    func names(_ bytes: Bytes, _ reading: LineReading) -> KnownMessages.Names {
        if reading.stops { return KnownMessages.Names() }
        return KnownMessages.Names(
            user: prefix.has(.user) ? bytes.part(reading.fields[.user]) : nil,
            database: prefix.has(.database) ? bytes.part(reading.fields[.database]) : nil)
    }

    /// Fills the columns that the prefix leaves out, as far as the server's own wording makes them certain.
    func finish(_ draft: inout some RecordColumns, _ label: StderrLabel, _ knowledge: MessageKnowledge) {
        if draft.has(.location) { takeVerboseState(&draft) }
        if label != .log { takePosition(&draft) }
        let number = knowledge.agrees ? knowledge.number : nil
        if let column = prefix.lastFree, number.map(known.isEarly) != true { dropTag(&draft, column) }
        if !draft.has(.sqlState), let state = number.map({ known.kind($0).state }) ?? usualState(draft, label) {
            draft.set(.sqlState, copy: state.utf8)
        }
        if !draft.has(.commandTag), let tag = number.flatMap({ known.kind($0).tag }) ?? usualTag(draft, label) {
            draft.set(.commandTag, copy: tag.utf8)
        }
        guard let number, label == .fatal || known.isOpen(number) else { return }
        if draft.has(.userName), draft.has(.databaseName), draft.has(.connectionFrom) { return }
        takeNames(&draft, number)
    }

    /// `28P01: password authentication …`, as log_error_verbosity = verbose has it, which ends in a LOCATION as well.
    private func takeVerboseState(_ draft: inout some RecordColumns) {
        let state: [UInt8] = draft.withContent(.message) { message in
            let start = Array(message.prefix(7))
            guard start.count == 7, start[5] == 58, start[6] == 32,
                start[..<5].allSatisfy({ (48...57).contains($0) || (65...90).contains($0) })
            else { return [] }
            return Array(start[..<5])
        }
        guard !state.isEmpty else { return }
        if !draft.has(.sqlState) { draft.set(.sqlState, copy: state) }
        draft.dropFirst(7, of: .message)
    }

    /// set_user puts a tag behind the prefix while somebody is superuser, which looks like the end of its last field.
    private func dropTag(_ draft: inout some RecordColumns, _ column: LogColumn) {
        let isTagged = draft.withContent(column) { $0.count > 7 && $0.has(" AUDIT:", at: $0.count - 7) }
        if isTagged { draft.dropLast(7, of: column) }
    }

    /// ` at character 7` at the end of a message.
    private func takePosition(_ draft: inout some RecordColumns) {
        let found: (count: Int, digits: [UInt8])? = draft.withContent(.message) { message in
            for pieces in known.atCharacter where pieces.count == 2 {
                guard message.ends(with: pieces[1]) else { continue }
                let digits = message.dropLast(pieces[1].count).reversed().prefix { (48...57).contains($0) }
                let length = digits.count + pieces[1].count
                guard !digits.isEmpty, digits.count < 10,
                    message.dropLast(length).suffix(pieces[0].count).elementsEqual(pieces[0])
                else { continue }
                return (length + pieces[0].count, Array(digits.reversed()))
            }
            return nil
        }
        guard let found else { return }
        draft.dropLast(found.count, of: .message)
        draft.set(draft.has(.internalQuery) ? .internalPosition : .queryPosition, copy: found.digits)
    }

    /// The SQLSTATE of a message that is none of those known to be the server's.
    private func usualState(_ draft: some RecordColumns, _ label: StderrLabel) -> String? {
        switch label {
        case .log:
            return draft.withContent(.message) { known.stateOfLog($0) }
        case .debug, .info, .notice: return "00000"
        case .warning: return "01000"
        default: break
        }
        if draft.withContent(.context, StderrRows.isRaise) { return "P0001" }
        return draft.withContent(.message) { message in
            for error in KnownMessage.errors where message.starts(with: error.start.utf8) {
                let end = error.end.utf8
                if message.suffix(end.count).elementsEqual(end) { return error.state }
            }
            return label == .error && known.isDenied(message) ? "42501" : nil
        }
    }

    /// True when the first line of a context names PL/pgSQL's statement RAISE, wherever a language puts it.
    private static func isRaise(_ context: Bytes) -> Bool {
        let line = context.prefix { $0 != 10 }
        let word = Array("RAISE".utf8)
        func isLetter(_ byte: UInt8) -> Bool {
            byte == 95 || (48...57).contains(byte) || (65...90).contains(byte & 0xDF)
        }
        return line.indices.contains { start in
            let end = start + word.count
            return end <= line.endIndex && line[start..<end].elementsEqual(word)
                && (start == line.startIndex || !isLetter(line[start - 1]))
                && (end == line.endIndex || !isLetter(line[end]))
        }
    }

    /// What the backend was doing, where severity and SQLSTATE tell it: a FATAL of class 28 is a login's, unless no user
    /// was named yet.
    private func usualTag(_ draft: some RecordColumns, _ label: StderrLabel) -> String? {
        guard label == .fatal, draft.has(.sqlState), !prefix.has(.user) || draft.has(.userName) else { return nil }
        return draft.withContent(.sqlState) { state in
            switch String(decoding: state, as: UTF8.self) {
            case "57014": return "authentication"
            case "3D000", "53300", "42501", "55000": return prefix.has(.user) ? "startup" : nil
            case let state where state.hasPrefix("28"): return "authentication"
            default: return nil
            }
        }
    }

    /// The names that the message has and the prefix does not.
    private func takeNames(_ draft: inout some RecordColumns, _ number: Int) {
        let found = draft.withContent(.message) { message in
            let (names, host) = known.names(number, message)
            return (names.user.map(Array.init), names.database.map(Array.init), host.map(Array.init))
        }
        if !draft.has(.userName), let user = found.0, !user.isEmpty { draft.set(.userName, copy: user) }
        if !draft.has(.databaseName), let database = found.1, !database.isEmpty {
            draft.set(.databaseName, copy: database)
        }
        if !draft.has(.connectionFrom), let host = found.2, !host.isEmpty {
            draft.set(.connectionFrom, copy: host.contains(58) ? [91] + host + [93] : host)
        }
    }
}
