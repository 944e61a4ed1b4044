import Glibc

/// One log entry as a view into bytes that its reader owns, in the form of a csvlog row: valid only inside the call
/// that hands it over. A reader of another format lays its records out in this form.
///
/// The only unsafe memory here: reads stay inside the row, whose bounds the reader checked, but for `head`, which may
/// read up to eight bytes past it (readers keep 64 spare bytes behind their buffers).
public struct LogRecord {
    @usableFromInline let bytes: UnsafePointer<UInt8>
    @usableFromInline let separators: UnsafePointer<UInt32>
    @usableFromInline let start: Int
    /// Number of columns: 23 (PostgreSQL 9.0–12), 24 (13) or 26 (14–18).
    public let columnCount: Int
    /// Byte offset of the record in its (decompressed) file.
    public let offset: Int64
    /// When, as printed, in UTC; `distantPast` when no time was printed: that of the record before counts.
    public let time: LogTime
    /// Whose record it is.
    public let dataset: LogDataset
    /// How it was written.
    public let form: RecordForm

    /// Longest text kept of one column, in bytes; what is longer is cut and marked.
    public static let textLimit = 1 << 20

    /// Takes a row: `separators` has the offset of the separator behind each column, relative to `bytes`.
    @inlinable
    public init(
        bytes: UnsafePointer<UInt8>, separators: UnsafePointer<UInt32>, start: Int, columnCount: Int,
        offset: Int64, time: LogTime, dataset: LogDataset = .postgresql, form: RecordForm = .columns
    ) {
        self.bytes = bytes
        self.separators = separators
        self.start = start
        self.columnCount = columnCount
        self.offset = offset
        self.time = time
        self.dataset = dataset
        self.form = form
    }

    /// The same record at another time.
    public func dated(_ time: LogTime) -> LogRecord {
        LogRecord(
            bytes: bytes, separators: separators, start: start, columnCount: columnCount, offset: offset, time: time,
            dataset: dataset, form: form)
    }

    /// Where a column stands, quotes included; empty for a column that this version does not have.
    @inlinable
    @inline(__always)
    public func range(_ column: LogColumn) -> Range<Int> {
        let index = column.rawValue
        guard index < columnCount else { return start..<start }
        let from = index == 0 ? start : Int(separators[index - 1]) + 1
        return from..<Int(separators[index])
    }

    /// True for NULL (nothing between the separators) and for the empty string.
    @inlinable
    @inline(__always)
    public func isEmpty(_ column: LogColumn) -> Bool { contentRange(column).isEmpty }

    /// True for NULL: nothing between the separators. `""` is the empty string, which is something else.
    @inlinable
    public func isNull(_ column: LogColumn) -> Bool { range(column).isEmpty }

    /// Where a column's content stands, outer quotes excluded, inner ones still doubled.
    @inlinable
    @inline(__always)
    public func contentRange(_ column: LogColumn) -> Range<Int> {
        var range = range(column)
        // A file written on Windows ends its rows with CR LF.
        if column.rawValue == columnCount - 1, !range.isEmpty, bytes[range.upperBound - 1] == 13 {
            range = range.lowerBound..<range.upperBound - 1
        }
        if range.count >= 2, bytes[range.lowerBound] == 34, bytes[range.upperBound - 1] == 34 {
            return range.lowerBound + 1..<range.upperBound - 1
        }
        return range
    }

    /// The first eight bytes of a column's content as a little-endian number, zeroes behind a shorter one.
    @inlinable
    @inline(__always)
    public func head(_ column: LogColumn) -> UInt64 {
        let range = contentRange(column)
        let word = UnsafeRawPointer(bytes + range.lowerBound).loadUnaligned(as: UInt64.self)
        return range.count >= 8 ? word : word & ((1 << UInt64(range.count * 8)) &- 1)
    }

    /// The last eight bytes of a column's content that has at least eight.
    @inlinable
    @inline(__always)
    public func tail(_ column: LogColumn) -> UInt64 {
        let range = contentRange(column)
        guard range.count >= 8 else { return 0 }
        return UnsafeRawPointer(bytes + range.upperBound - 8).loadUnaligned(as: UInt64.self)
    }

    /// The eight bytes behind the number that starts that many bytes into a column's content, as `head` gives them.
    @inlinable
    public func wordBehindNumber(_ column: LogColumn, at offset: Int) -> UInt64 {
        let range = contentRange(column)
        var at = range.lowerBound + offset
        while at < range.upperBound, bytes[at] == 46 || (bytes[at] &- 48) < 10 { at += 1 }
        guard at < range.upperBound else { return 0 }
        let word = UnsafeRawPointer(bytes + at).loadUnaligned(as: UInt64.self)
        let count = range.upperBound - at
        return count >= 8 ? word : word & ((1 << UInt64(count * 8)) &- 1)
    }

    /// True when the column's content is exactly that (which must hold no quote).
    @inlinable
    public func equals(_ column: LogColumn, _ other: [UInt8]) -> Bool {
        let range = contentRange(column)
        return range.count == other.count && starts(range, with: other)
    }

    /// True when the column's content starts with that (inner quotes doubled on both sides).
    @inlinable
    public func starts(_ column: LogColumn, with other: [UInt8]) -> Bool {
        let range = contentRange(column)
        return range.count >= other.count && starts(range, with: other)
    }

    /// True when the column's content ends with that (inner quotes doubled on both sides).
    @inlinable
    public func ends(_ column: LogColumn, with other: [UInt8]) -> Bool {
        let range = contentRange(column)
        return range.count >= other.count && starts(range.upperBound - other.count..<range.upperBound, with: other)
    }

    @inlinable
    func starts(_ range: Range<Int>, with other: [UInt8]) -> Bool {
        other.withUnsafeBufferPointer { wanted in
            guard let base = wanted.baseAddress else { return true }
            return memcmp(bytes + range.lowerBound, base, wanted.count) == 0
        }
    }

    /// A column's raw content (inner quotes still doubled) for the length of a call.
    @inlinable
    public func withContent<Result>(
        _ column: LogColumn, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result {
        let range = contentRange(column)
        return try body(UnsafeBufferPointer(start: bytes + range.lowerBound, count: range.count))
    }

    /// Neighbouring columns as they stand in the row, quotes and the separators between included, for the length of a
    /// call.
    @inlinable
    @inline(__always)
    public func withRow<Result>(
        from first: LogColumn, through last: LogColumn, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result {
        let start = range(first).lowerBound
        return try body(UnsafeBufferPointer(start: bytes + start, count: range(last).upperBound - start))
    }

    /// A copy of a column's content with doubled quotes made single. Longer than `textLimit`, it is cut, and length
    /// and SHA-256 of the whole stand at its end.
    public func content(_ column: LogColumn) -> [UInt8] {
        let copy = uncut(column)
        return copy.count > LogRecord.textLimit ? LongText.cut(copy) : copy
    }

    /// The same, never cut: at most as long as a reader's buffer.
    public func uncut(_ column: LogColumn) -> [UInt8] {
        withContent(column) { raw in
            guard let base = raw.baseAddress else { return [] }
            guard memchr(base, 34, raw.count) != nil else { return Array(raw) }
            var copy = [UInt8]()
            copy.reserveCapacity(raw.count)
            var index = 0
            while index < raw.count {
                copy.append(raw[index])
                index += raw[index] == 34 && index + 1 < raw.count && raw[index + 1] == 34 ? 2 : 1
            }
            return copy
        }
    }

    /// The column as text, bytes that are not UTF-8 as `\xNN`; nil when NULL or empty.
    public func text(_ column: LogColumn) -> String? {
        // The usual column is short ASCII without a quote to undo.
        let plain: String? = withContent(column) { raw in
            guard !raw.isEmpty, raw.count <= 4096 else { return nil }
            for index in 0..<raw.count where raw[index] >= 0x80 || raw[index] == 34 { return nil }
            return String(decoding: raw, as: UTF8.self)
        }
        if let plain { return plain }
        return isEmpty(column) ? nil : String(escaping: content(column))
    }

    /// The column as a number; nil when it is none.
    public func number(_ column: LogColumn) -> Int64? {
        withContent(column) { digits in
            guard !digits.isEmpty, digits.count <= 18 else { return nil }
            var value: Int64 = 0
            for digit in digits {
                guard digit >= 48, digit <= 57 else { return nil }
                value = value * 10 + Int64(digit - 48)
            }
            return value
        }
    }
}

/// The columns of csvlog in order (PostgreSQL manual, 19.8.4 "Using CSV-Format Log Output").
public enum LogColumn: Int, Sendable, CaseIterable {
    case logTime, userName, databaseName, processID, connectionFrom, sessionID, sessionLine, commandTag
    case sessionStart, virtualTransaction, transaction, severity, sqlState, message, detail, hint
    case internalQuery, internalPosition, context, query, queryPosition, location, applicationName
    case backendType, leaderPID, queryID

    /// The name of the manual: `log_time`, `user_name`, …
    public var name: String { LogColumn.names[rawValue] }

    /// The column of that name.
    public init?(name: String) {
        guard let index = LogColumn.names.firstIndex(of: name) else { return nil }
        self.init(rawValue: index)
    }

    private static let names = [
        "log_time", "user_name", "database_name", "process_id", "connection_from", "session_id", "session_line_num",
        "command_tag", "session_start_time", "virtual_transaction_id", "transaction_id", "error_severity",
        "sql_state_code", "message", "detail", "hint", "internal_query", "internal_query_pos", "context", "query",
        "query_pos", "location", "application_name", "backend_type", "leader_pid", "query_id",
    ]
}

extension String {
    /// Bytes as text: what is not UTF-8 shows as `\xNN`.
    @inlinable
    public init(escaping bytes: some Collection<UInt8>) {
        if bytes.allSatisfy({ $0 < 0x80 }) {
            self = String(decoding: bytes, as: UTF8.self)
            return
        }
        if let text = String(validating: bytes, as: UTF8.self) {
            self = text
            return
        }
        var result = ""
        var rest = Array(bytes)[...]
        while let first = rest.first {
            let length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0
            if length > 0, rest.count >= length, let text = String(validating: rest.prefix(length), as: UTF8.self) {
                result += text
                rest = rest.dropFirst(length)
            } else {
                let digits = String(first, radix: 16)
                result += "\\x" + (digits.count == 1 ? "0" : "") + digits
                rest = rest.dropFirst()
            }
        }
        self = result
    }
}
