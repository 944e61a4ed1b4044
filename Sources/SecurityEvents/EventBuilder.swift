import Patterns
import VigilModel

/// Turns the columns of a record into the fields of an event.
enum EventBuilder {
    /// An event with what every PostgreSQL record has. `ordinal` numbers the statements within a record. Messages are
    /// kept but for statements, whose text is redacted first, and for logins.
    static func event(_ record: LogRecord, kind: EventKind, time: LogTime, ordinal: Int = 0, keepsMessage: Bool = true)
        -> SecurityEvent
    {
        let (host, port) = address(record)
        let session = record.text(.sessionID) ?? ""
        let line = record.number(.sessionLine) ?? 0
        var event = SecurityEvent(
            identity: EventIdentity(origin: session, line: line, hash: mark(record), ordinal: ordinal), time: time,
            kind: kind,
            actor: EventActor(address: host, user: record.text(.userName), database: record.text(.databaseName)))
        event.sourcePort = port
        event.processID = record.number(.processID)
        event.sqlState = record.text(.sqlState)
        event.sessionID = session
        event.sessionLine = line
        event.applicationName = record.text(.applicationName)
        event.offset = record.offset
        event.content = content(record, takesMessage: keepsMessage)
        if keepsMessage { event.message = record.text(.message) }
        return event
    }

    /// The short hash of SQLSTATE, command tag and client address that belongs to an event's identity.
    private static func mark(_ record: LogRecord) -> UInt32 {
        var digest = Digest64()
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

    /// Host and port of csvlog column 5: `host:port` with an IPv6 host unbracketed, `[local]`, or nothing.
    static func address(_ record: LogRecord) -> (host: String?, port: Int?) {
        record.withContent(.connectionFrom) { bytes in
            if bytes.isEmpty { return (nil, nil) }
            if bytes.starts(with: Array("[local]".utf8)) { return ("[local]", nil) }
            guard let colon = bytes.lastIndex(of: 58),
                let port = Int(String(decoding: bytes[(colon + 1)...], as: UTF8.self)),
                (0...65535).contains(port)
            else { return (String(escaping: bytes), nil) }
            return (String(escaping: bytes[..<colon]), port)
        }
    }

    /// What a pattern takes from texts.
    struct Found {
        var authMethod: String?
        var hbaRule: String?
        var tlsVersion: String?
    }

    /// Reads what a pattern takes from texts. A line number alone is one of the main pg_hba.conf.
    static func found(
        _ record: LogRecord, _ readings: [(column: LogColumn, regex: Regex)], _ scratch: Regex.Scratch
    ) -> Found {
        var found = Found()
        for (column, regex) in readings where !record.isEmpty(column) {
            let text = record.content(column)
            regex.match(text, scratch) { group, range in
                let value = String(escaping: text[range])
                switch group {
                case "auth_method": found.authMethod = value
                case "tls_version": found.tlsVersion = value
                default:
                    found.hbaRule = value.utf8.allSatisfy { (48...57).contains($0) } ? "pg_hba.conf:" + value : value
                }
            }
        }
        return found
    }

    /// Reads what a pattern takes from texts into an event.
    static func read(
        _ record: LogRecord, _ readings: [(column: LogColumn, regex: Regex)], _ scratch: Regex.Scratch,
        into event: inout SecurityEvent
    ) {
        guard !readings.isEmpty else { return }
        let found = found(record, readings, scratch)
        event.authMethod = found.authMethod
        event.tlsVersion = found.tlsVersion
        event.hbaRule = found.hbaRule
    }
}
