import Patterns
import VigilModel

/// Logins told of in a file of pgauditlogtofile. The refusals that may follow "connection authorized" can stand in the
/// server's own log, so silence proves nothing here: a session is in when the same file shows what it did next, were it
/// only its end, which a refused session does not log.
struct DivertedLogins {
    /// A login that waits for its session's next record.
    struct Pending: Codable, Sendable {
        /// Of the authorized record; nil before it.
        var identity: EventIdentity?
        var content: Int64 = 0
        /// The pattern that says what it is.
        var pattern = ""
        /// Milliseconds since the epoch, and the record's offset.
        var time: Int64 = 0
        var offset: Int64 = 0
        /// What texts told, by the names of `EventField`.
        var found: [String: String] = [:]

        fileprivate mutating func take(_ fields: [(EventField, String)]) {
            for (field, value) in fields { found[field.rawValue] = value }
        }
    }

    private var table: SpanTable<Pending>

    /// Sessions remembered for one source.
    private static let limit = 20_000

    init(_ spans: [SpanTable<Pending>.Span]) { table = SpanTable(limit: DivertedLogins.limit, spans) }

    /// What changed of what a reading that goes on at that offset must know.
    mutating func changes(from offset: Int64) -> (void: [SessionKey], rows: [SpanTable<Pending>.Span]) {
        table.changes(from: offset)
    }

    /// The session tells more of who it is.
    mutating func note(_ record: LogRecord, _ fields: [(EventField, String)]) {
        let key = SessionKey(record)
        if table[key, at: record.offset] == nil { table.open(key, at: record.offset, Pending()) }
        table.update(key, at: record.offset) { $0.take(fields) }
    }

    /// The session passed authorization; `event` is what it will be.
    mutating func authorized(
        _ record: LogRecord, _ event: SecurityEvent, _ fields: [(EventField, String)], by pattern: String
    ) {
        note(record, fields)
        table.update(SessionKey(record), at: record.offset) {
            $0.identity = event.identity
            $0.content = event.content
            $0.pattern = pattern
            $0.time = event.time.milliseconds
            $0.offset = record.offset
        }
    }

    /// What waits for a session's next record, which this is.
    mutating func next(_ record: LogRecord) -> Pending? {
        let key = SessionKey(record)
        guard table.mayHold(key), let pending = table[key, at: record.offset], pending.identity != nil,
            pending.offset < record.offset
        else { return nil }
        table.close(key, at: record.offset)
        return pending
    }
}

extension SecurityEvent {
    /// Becomes the login that waited: of this record only who and from where stays.
    mutating func become(_ login: DivertedLogins.Pending) {
        if let identity = login.identity { self.identity = identity }
        content = login.content
        time = LogTime(milliseconds: login.time)
        offset = login.offset
        for (name, value) in login.found { if let field = EventField(rawValue: name) { take(field, value) } }
    }
}
