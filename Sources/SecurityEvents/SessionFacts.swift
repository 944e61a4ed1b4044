import Patterns
import VigilModel

/// What earlier records of a session told that later ones leave out: the usual prefix of a stderr log carries no address,
/// and the server's default one not even a user. A class, so that records without any cost nothing.
final class SessionFacts: Codable, Sendable {
    let address: String?
    let port: Int?
    let user: String?
    let database: String?

    init(address: String? = nil, port: Int? = nil, user: String? = nil, database: String? = nil) {
        self.address = address
        self.port = port
        self.user = user
        self.database = database
    }
}

/// A record, and what is known of it beside its columns.
struct RecordContext {
    let record: LogRecord
    /// Its source's time.
    let time: LogTime
    /// The source's time before it.
    let before: LogTime
    /// Tells it from records like it that have no number of their own.
    let repeated: Int64?
    /// What earlier records of its session told.
    let facts: SessionFacts?

    /// The session, or where a log has none the process.
    var key: SessionKey { SessionKey(record) }
}

/// Remembers what records of open sessions told, for logs whose records do not carry it all.
struct SessionFactsReader {
    private var table: SpanTable<SessionFacts>
    private let scratch = Regex.Scratch()

    /// Sessions remembered for one source.
    private static let limit = 20_000

    init(_ spans: [SpanTable<SessionFacts>.Span]) { table = SpanTable(limit: SessionFactsReader.limit, spans) }

    /// What changed of what a reading that goes on at that offset must know.
    mutating func changes(from offset: Int64) -> (void: [SessionKey], rows: [SpanTable<SessionFacts>.Span]) {
        table.changes(from: offset)
    }

    /// What is known of a record's session.
    func facts(of record: LogRecord) -> SessionFacts? {
        guard record.form == .prefixed, !table.isEmpty else { return nil }
        return table[SessionKey(record), at: record.offset]
    }

    /// A session begins or ends, or tells who it is.
    mutating func read(_ record: LogRecord, _ pattern: EventPattern) {
        guard record.form == .prefixed, let step = pattern.session else { return }
        let key = SessionKey(record)
        guard key.count > 0 else { return }
        switch step {
        case .received:
            var endpoint: (address: String?, port: Int?) = (nil, nil)
            for (field, value) in EventBuilder.found(record, pattern.readings, scratch) {
                if field == .address { endpoint.address = value }
                if field == .port { endpoint.port = Int(value) }
            }
            table.open(
                key, at: record.offset, SessionFacts(address: endpoint.address, port: endpoint.port))
        case .authorized:
            // Columns are better; where there are none, the message names both, written by the client.
            guard record.isEmpty(.userName), record.isEmpty(.databaseName) else { return }
            let named = SessionFactsReader.named(record)
            if table[key, at: record.offset] == nil { table.open(key, at: record.offset, SessionFacts()) }
            table.update(key, at: record.offset) {
                $0 = SessionFacts(address: $0.address, port: $0.port, user: named.user, database: named.database)
            }
        case .ended: table.close(key, at: record.offset)
        }
    }

    /// `connection authorized: user=NAME database=NAME …` in any language, when the names leave no doubt.
    private static func named(_ record: LogRecord) -> (user: String?, database: String?) {
        let words = (record.text(.message) ?? "").split(separator: " ")
        let pairs = words.compactMap { word -> (String, String)? in
            let parts = word.split(separator: "=", maxSplits: 1)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
        guard let first = pairs.first else { return (nil, nil) }
        let second = pairs.dropFirst().first
        // A name with blanks and equals signs would show another pair of the same word.
        let isPlain = pairs.filter { $0.0 == first.0 }.count == 1 && pairs.filter { $0.0 == second?.0 }.count <= 1
        return isPlain ? (first.1, second?.1) : (nil, nil)
    }
}
