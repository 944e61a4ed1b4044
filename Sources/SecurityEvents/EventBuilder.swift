import Glibc
import Patterns
import VigilModel

/// Turns the columns of a record into the fields of an event.
enum EventBuilder {
    /// An event with what every record has. `ordinal` numbers the statements within a record. Messages are kept but for
    /// statements, whose text is redacted first, and for logins.
    static func event(
        _ context: RecordContext, kind: EventKind, ordinal: Int = 0, keepsMessage: Bool = true
    ) -> SecurityEvent {
        let record = context.record
        var (host, port) = address(record)
        if let facts = context.facts, host == nil || port == nil && host == facts.address {
            (host, port) = (facts.address, facts.port)
        }
        let session = record.text(.sessionID)
        let line = record.number(.sessionLine)
        let identity =
            if let repeated = context.repeated {
                EventIdentity(origin: origin(record), line: repeated, hash: 0, ordinal: ordinal)
            } else {
                EventIdentity(origin: session ?? "", line: line ?? 0, hash: mark(record), ordinal: ordinal)
            }
        var event = SecurityEvent(
            identity: identity, time: context.time, kind: kind,
            actor: EventActor(
                address: host, user: record.text(.userName) ?? context.facts?.user,
                database: record.text(.databaseName) ?? context.facts?.database))
        event.sourcePort = port
        event.processID = record.number(.processID)
        event.sqlState = record.text(.sqlState)
        event.sessionID = session
        event.sessionLine = line
        event.applicationName = record.text(.applicationName)
        event.offset = record.offset
        event.content = content(record, takesMessage: keepsMessage)
        if keepsMessage { event.message = record.text(.message).map(SQLReader.redacted(message:)) }
        return event
    }

    /// A standby or a replication tool that logs in, or tries to: the server knows it by its start-up packet (backend type
    /// of PostgreSQL 13 and later).
    static func isReplicationLogin(_ record: LogRecord, _ kind: EventKind) -> Bool {
        kind.category == "authentication" && record.equals(.backendType, walsender)
    }

    private static let walsender = Array("walsender".utf8)

    /// The short hash of SQLSTATE, command tag and client address that belongs to an event's identity.
    private static func mark(_ record: LogRecord) -> UInt32 {
        var digest = Digest64()
        // Lines of stderr are numbered by another counter than rows of csvlog.
        if record.form == .prefixed || record.form == .diverted { digest.combine("prefixed") }
        for column in [LogColumn.sqlState, .commandTag, .connectionFrom] {
            record.withContent(column) { digest.combine($0) }
            digest.separate()
        }
        return digest.folded32
    }

    /// Tells the record from another one under the same identity. A statement may hold secrets, so only its length
    /// counts.
    private static func content(_ record: LogRecord, takesMessage: Bool) -> Int64 {
        var digest = Digest64()
        for column in [LogColumn.userName, .databaseName, .sqlState] {
            record.withContent(column) { digest.combine($0) }
            digest.separate()
        }
        record.withContent(.message) { message in
            if takesMessage { digest.combine(message) } else { digest.combine(String(message.count)) }
        }
        return Int64(bitPattern: digest.value)
    }

    /// Host and port of csvlog column 5: `host:port` with an IPv6 host unbracketed, `[local]`, or nothing. Where a log
    /// tells no port, an IPv6 host stands in brackets.
    static func address(_ record: LogRecord) -> (host: String?, port: Int?) { endpoint(record, .connectionFrom) }

    /// Host and port in any column.
    static func endpoint(_ record: LogRecord, _ column: LogColumn) -> (host: String?, port: Int?) {
        record.withContent(column) { endpoint($0) }
    }

    /// Host and port as a column holds them.
    static func endpoint(_ bytes: UnsafeBufferPointer<UInt8>) -> (host: String?, port: Int?) {
        if bytes.isEmpty { return (nil, nil) }
        if bytes.starts(with: local) { return ("[local]", nil) }
        if bytes[0] == 91, bytes[bytes.count - 1] == 93 {
            return (String(escaping: bytes[1..<(bytes.count - 1)]), nil)
        }
        guard let colon = bytes.lastIndex(of: 58), let port = port(bytes[(colon + 1)...]) else {
            return (String(escaping: bytes), nil)
        }
        return (String(escaping: bytes[..<colon]), port)
    }

    private static let local = Array("[local]".utf8)

    private static func port(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
        guard !digits.isEmpty, digits.count <= 9 else { return nil }
        var port = 0
        for digit in digits {
            guard digit &- 48 < 10 else { return nil }
            port = port * 10 + Int(digit - 48)
        }
        return port <= 65535 ? port : nil
    }

    /// The origin of a record without session id and line: a hash of its log, its printed time, and what it says.
    static func origin(_ record: LogRecord) -> String {
        let digest = digest(record)
        let digits = String(digest, radix: 16)
        return "\(record.dataset.name):" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// What a record without a number of its own is told by, beside its log and time.
    static let tellingColumns: [LogColumn] = [
        .processID, .sessionID, .userName, .databaseName, .connectionFrom, .severity, .message, .detail,
    ]

    /// Hash of a record's log, printed time, process, client and texts.
    static func digest(_ record: LogRecord) -> UInt64 {
        var digest = Digest64()
        digest.combine(record.dataset.name)
        digest.combine(String(record.time.milliseconds))
        for column in tellingColumns {
            digest.separate()
            record.withContent(column) { digest.combine($0) }
        }
        return digest.value
    }

    /// Reads what a pattern takes from texts.
    static func found(
        _ record: LogRecord, _ readings: [(column: LogColumn, regex: Regex)], _ scratch: Regex.Scratch
    ) -> [(EventField, String)] {
        var found: [(EventField, String)] = []
        for (column, regex) in readings where !record.isEmpty(column) {
            let text = record.content(column)
            regex.match(text, scratch) { group, range in
                guard !range.isEmpty, let field = EventField(rawValue: group) else { return }
                found.append((field, String(escaping: text[range])))
            }
        }
        return found
    }

    /// What a pattern takes from the texts of a record that shows all it asks for; nil for another record.
    static func found(
        _ record: LogRecord, ifMeant pattern: EventPattern, _ scratch: Regex.Scratch
    ) -> [(EventField, String)]? {
        guard pattern.columnsHold(for: record), pattern.messageHolds(for: record) else { return nil }
        for (column, regex) in pattern.condition.expressions {
            guard matches(record, column, regex, scratch) else { return nil }
        }
        return found(record, pattern.readings, scratch)
    }

    /// True when an expression matches a column. What csvlog doubles, an expression must not see; of a text without quotes
    /// nothing is copied.
    static func matches(_ record: LogRecord, _ column: LogColumn, _ regex: Regex, _ scratch: Regex.Scratch) -> Bool {
        record.withContent(column) { raw in
            guard let base = raw.baseAddress, memchr(base, 34, raw.count) != nil else {
                return regex.match(raw, scratch)
            }
            return regex.match(record.content(column), scratch)
        }
    }

    /// Reads what a pattern takes from texts into an event.
    static func read(
        _ record: LogRecord, _ readings: [(column: LogColumn, regex: Regex)], _ scratch: Regex.Scratch,
        into event: inout SecurityEvent
    ) {
        guard !readings.isEmpty else { return }
        for (field, value) in found(record, readings, scratch) { event.take(field, value) }
    }
}

extension SecurityEvent {
    /// Takes what an expression found.
    mutating func take(_ field: EventField, _ value: String) {
        switch field {
        case .authMethod: authMethod = value
        // A line number alone is one of the main pg_hba.conf.
        case .hbaRule: hbaRule = value.utf8.allSatisfy { (48...57).contains($0) } ? "pg_hba.conf:" + value : value
        case .tlsVersion: tlsVersion = value
        case .user: actor.user = value
        case .database: actor.database = value
        case .address: actor = EventActor(address: value, user: actor.user, database: actor.database)
        case .port: sourcePort = Int(value).flatMap { (0...65535).contains($0) ? $0 : nil }
        case .targetUser: targetUser = value
        case .object: objectName = value
        case .objectType: objectType = value
        case .operation: operation = value
        case .processID: processID = Int64(value)
        case .application: applicationName = value
        // Escaped as it was read; the secrets in it stand where they stood.
        case .query: query = String(decoding: SQLReader.redacted(Array(value.utf8)), as: UTF8.self)
        }
    }
}
