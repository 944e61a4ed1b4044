import VigilModel

/// One row as Vector writes it into VictoriaLogs, and as that gives it back: a line of JSON, with what it is sorted,
/// and told from others, by.
public struct VectorRow: Sendable {
    /// The row.
    public let line: [UInt8]
    /// Whose it is.
    public let stream: VectorStream
    /// `_time` in nanoseconds since the Unix epoch.
    public let nanoseconds: Int64
    /// Session id of a server's row, the id of an event; empty for others.
    public let session: String
    /// Session line number, from 1; of other rows what decides their order in one moment, at most 0.
    public let number: Int64
    /// Hash of what it says and when, for rows without session and line.
    public let digest: UInt64
    /// Why it is no record, though it should be one; nil: it is.
    public let fault: String?

    /// `_time`, milliseconds whole.
    public var time: LogTime {
        LogTime(milliseconds: nanoseconds / 1_000_000 - (nanoseconds % 1_000_000 < 0 ? 1 : 0))
    }

    /// Why a line is no row.
    public enum Problem: Error, Equatable {
        /// It is one of another program.
        case foreign
        /// No JSON, or without a time.
        case broken
    }

    /// Reads a line without its line feed.
    public init(_ line: [UInt8]) throws(Problem) {
        self = try VectorRow.read(line)
    }

    /// A line that is none, received at that time.
    public init(unreadable line: [UInt8], at time: LogTime) {
        var digest = Digest64()
        digest.combine(line)
        self.init(
            line: line, stream: VectorStream(kind: .unknown), nanoseconds: time.milliseconds * 1_000_000, session: "",
            number: 0, digest: digest.value, fault: "no row of JSON with a time")
    }

    private init(
        line: [UInt8], stream: VectorStream, nanoseconds: Int64, session: String, number: Int64, digest: UInt64,
        fault: String?
    ) {
        self.fault = fault
        self.line = line
        self.stream = stream
        self.nanoseconds = nanoseconds
        self.session = session
        self.number = number
        self.digest = digest
    }

    private static func read(_ line: [UInt8]) throws(Problem) -> VectorRow {
        var fields = VectorFields()
        guard line.withUnsafeBufferPointer({ fields.read($0) }) else { throw .broken }
        let result = line.withUnsafeBufferPointer { bytes in
            Result { () throws(Problem) in
                try make(line, bytes, fields)
            }
        }
        return try result.get()
    }

    private static func make(
        _ line: [UInt8], _ bytes: UnsafeBufferPointer<UInt8>, _ fields: VectorFields
    ) throws(Problem) -> VectorRow {
        func text(_ key: VectorKey) -> String? { fields.text(key, of: bytes) }
        guard let kind = kind(text(.job), program: text(.application)) else { throw .foreign }
        // Alerts are found anew from the events.
        if kind == .events, let what = text(.eventKind), what != "event" { throw .foreign }
        guard let nanoseconds = (text(.time) ?? text(.timestamp)).flatMap(nanoseconds) else {
            throw .broken
        }
        var stream = VectorStream(kind: kind, cluster: text(.cluster), instance: text(.instance))
        if kind == .pgbackrest { stream.topic = text(.topic) }
        let (session, number, fault) = place(kind, fields, bytes)
        return VectorRow(
            line: line, stream: stream, nanoseconds: nanoseconds, session: session, number: number,
            digest: session.isEmpty || kind == .events ? digest(bytes, fields, nanoseconds) : 0, fault: fault)
    }

    /// Session and line of a server's row, the id of an event, or why it has none.
    private static func place(
        _ kind: VectorStream.Kind, _ fields: VectorFields, _ bytes: UnsafeBufferPointer<UInt8>
    ) -> (session: String, number: Int64, fault: String?) {
        func text(_ key: VectorKey) -> String? { fields.text(key, of: bytes) }
        switch kind {
        case .postgres:
            guard let id = text(.session), id.utf8.count <= 64 else { return ("", 0, "no session id") }
            guard let line = text(.sessionLine).flatMap({ Int64($0) }), line > 0 else {
                return ("", 0, "no session line number")
            }
            return fields[.severity] == nil ? ("", 0, "no severity") : (id, line, nil)
        case .events:
            guard let id = text(.eventID), id.utf8.count <= 256 else { return ("", 0, "no event id") }
            return (id, 0, nil)
        case .pgbackrest:
            // The error that ends a command is of the same millisecond as that end.
            let said = fields.text(.text, of: bytes) ?? text(.message) ?? ""
            return ("", said.contains(" command end: ") ? 0 : said.contains(" command begin ") ? -2 : -1, nil)
        case .pgbouncer, .patroni, .unknown: return ("", 0, nil)
        }
    }

    private static func kind(_ job: String?, program: String?) -> VectorStream.Kind? {
        switch job {
        case "postgres": .postgres
        case "patroni": .patroni
        case "pgbackrest": .pgbackrest
        case "pgbouncer": .pgbouncer
        // PgBouncer writes the lines of its file to the journal, too.
        case "syslog" where program == "pgbouncer": .pgbouncer
        case "pgvigil": .events
        default: nil
        }
    }

    /// Of an event, what may be told of it later counts as well.
    private static func digest(
        _ bytes: UnsafeBufferPointer<UInt8>, _ fields: VectorFields, _ nanoseconds: Int64
    ) -> UInt64 {
        var digest = Digest64()
        digest.combine(String(nanoseconds))
        for key in [
            VectorKey.level, .text, .message, .eventID, .eventOutcome, .tags, .sourceAddress, .object, .auditClass,
        ] {
            digest.combine(fields.bytes(key, of: bytes))
            digest.separate()
        }
        return digest.value
    }

    /// RFC 3339 with any number of digits: servers cut zeros, or write all nine.
    private static func nanoseconds(_ text: String) -> Int64? {
        let characters = Array(text.utf8)
        guard let time = LogTime(parsing: text), abs(time.milliseconds) < 9_000_000_000_000 else { return nil }
        var fraction: Int64 = 0
        if characters.count > 20, characters[19] == 46 {
            var scale: Int64 = 100_000_000
            for digit in characters[20...] {
                guard let value = digit.digit else { break }
                fraction += Int64(value) * scale
                scale /= 10
            }
        }
        return time.milliseconds * 1_000_000 + fraction % 1_000_000
    }

    /// As rows are read: by time, by session, by line as a number. Other rows of one moment stay as they came, which is
    /// most often how they were written.
    public static func isBefore(_ one: VectorRow, _ other: VectorRow) -> Bool {
        if one.nanoseconds != other.nanoseconds { return one.nanoseconds < other.nanoseconds }
        if one.session != other.session { return one.session < other.session }
        return one.number < other.number
    }
}
