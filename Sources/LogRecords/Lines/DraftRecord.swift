import VigilModel

/// A record that is being put together from lines, column by column in any order. One draft is used again and again, so
/// that no memory is taken per record.
struct DraftRecord: RecordColumns {
    /// Byte offset of its first line in the (decompressed) file.
    var offset: Int64 = 0
    /// When, in UTC.
    var time = LogTime.distantPast
    /// Whose record it is.
    var dataset = LogDataset.postgresql
    /// How it was written.
    var form = RecordForm.columns

    private var storage: [UInt8] = []
    private var ranges = [Range<Int>](repeating: 0..<0, count: LogColumn.allCases.count)
    private var present: UInt32 = 0
    /// Columns that outgrew what is kept whole, by column number.
    private var long: [Int: LongText] = [:]

    /// A column longer than this is kept by its head, length and hash.
    private static let longest = 4 << 20

    /// Begins another record; all columns are NULL.
    mutating func begin(offset: Int64, time: LogTime, dataset: LogDataset, form: RecordForm = .columns) {
        self.offset = offset
        self.time = time
        self.dataset = dataset
        self.form = form
        storage.removeAll(keepingCapacity: storage.capacity < 1 << 20)
        present = 0
        if !long.isEmpty { long = [:] }
    }

    /// True when the column was given, were it empty.
    func has(_ column: LogColumn) -> Bool { present & 1 << UInt32(column.rawValue) != 0 }

    /// Gives a column its content, in place of what it had.
    mutating func set(_ column: LogColumn, _ bytes: some Collection<UInt8>) { set(column, copy: bytes) }

    mutating func set(_ column: LogColumn, copy bytes: some Collection<UInt8>) {
        let start = storage.count
        storage.append(contentsOf: bytes)
        ranges[column.rawValue] = start..<storage.count
        present |= 1 << UInt32(column.rawValue)
        if !long.isEmpty { long[column.rawValue] = nil }
        if bytes.count > DraftRecord.longest { outgrow(column) }
    }

    /// Gives a column its content, in place of what it had.
    mutating func set(_ column: LogColumn, _ text: String) { set(column, copy: text.utf8) }

    mutating func append(_ column: LogColumn, _ byte: UInt8) { append(column, CollectionOfOne(byte)) }

    /// Adds to a column's content.
    mutating func append(_ column: LogColumn, _ bytes: some Collection<UInt8>) {
        guard has(column) else { return set(column, copy: bytes) }
        if !long.isEmpty, long[column.rawValue] != nil {
            long[column.rawValue]?.append(Array(bytes))
            return
        }
        var range = ranges[column.rawValue]
        if range.upperBound != storage.count {
            // Another column was written meanwhile: the content moves behind it.
            let start = storage.count
            storage.append(contentsOf: storage[range])
            range = start..<storage.count
        }
        storage.append(contentsOf: bytes)
        ranges[column.rawValue] = range.lowerBound..<storage.count
        if ranges[column.rawValue].count > DraftRecord.longest { outgrow(column) }
    }

    /// Takes bytes from a column's start.
    mutating func dropFirst(_ count: Int, of column: LogColumn) {
        guard has(column), long[column.rawValue] == nil else { return }
        let range = ranges[column.rawValue]
        ranges[column.rawValue] = min(range.lowerBound + count, range.upperBound)..<range.upperBound
    }

    /// Takes bytes from a column's end.
    mutating func dropLast(_ count: Int, of column: LogColumn) {
        guard has(column), long[column.rawValue] == nil else { return }
        let range = ranges[column.rawValue]
        ranges[column.rawValue] = range.lowerBound..<max(range.upperBound - count, range.lowerBound)
    }

    /// Takes a column's content from the draft into a `LongText`, which keeps only what is kept in the end.
    private mutating func outgrow(_ column: LogColumn) {
        let range = ranges[column.rawValue]
        var text = LongText()
        text.append(Array(storage[range]))
        long[column.rawValue] = text
        if range.upperBound == storage.count { storage.removeLast(range.count) }
        ranges[column.rawValue] = storage.count..<storage.count
    }

    /// Where all columns stand, for the length of a call: bytes, a range for each column number, and a bit for each that
    /// was given. Nil when a column outgrew its place.
    func withColumns<Result>(
        _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<Range<Int>>, UInt32) -> Result
    ) -> Result? {
        guard long.isEmpty else { return nil }
        return storage.withUnsafeBufferPointer { bytes in
            ranges.withUnsafeBufferPointer { body(bytes, $0, present) }
        }
    }

    /// The content of a column for the length of a call; empty when it was not given.
    func withContent<Result>(_ column: LogColumn, _ body: (Bytes) -> Result) -> Result {
        if !long.isEmpty, let text = long[column.rawValue] { return text.kept.withUnsafeBufferPointer(body) }
        guard has(column) else { return body(Bytes(start: nil, count: 0)) }
        return storage.withUnsafeBufferPointer { body($0.part(ranges[column.rawValue])) }
    }
}
