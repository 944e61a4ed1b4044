/// Records that lie one behind the other in a reader's buffer, valid only inside the call that hands them over, unless
/// they are kept.
public struct RecordBatch {
    /// Where a record stands in the buffer.
    public struct Row {
        /// Its first byte.
        public var start: UInt32
        /// Index of its first separator.
        public var first: UInt32
        /// Number of its columns.
        public var columns: UInt32
        /// Whose record it is.
        public var dataset: LogDataset
        /// How it was written.
        public var form: RecordForm
        /// Its printed time in UTC.
        public var time: LogTime

        /// Takes the parts.
        @inlinable
        public init(
            start: UInt32, first: UInt32, columns: UInt32, time: LogTime, dataset: LogDataset = .postgresql,
            form: RecordForm = .columns
        ) {
            self.start = start
            self.first = first
            self.columns = columns
            self.dataset = dataset
            self.form = form
            self.time = time
        }
    }

    @usableFromInline let bytes: UnsafePointer<UInt8>
    @usableFromInline let separators: UnsafePointer<UInt32>
    @usableFromInline let rows: UnsafeBufferPointer<Row>
    @usableFromInline let baseOffset: Int64
    /// File offset of each row, where rows are laid out apart from the file's bytes.
    @usableFromInline let offsets: UnsafeBufferPointer<Int64>?
    /// What the memory belongs to: who keeps the batch keeps it. Nil: valid only inside the call.
    private let owner: AnyObject?

    /// Takes a reader's buffers; `baseOffset` is the file offset of the first byte. With an owner of the memory the batch
    /// may be kept.
    public init(
        bytes: UnsafePointer<UInt8>, separators: UnsafePointer<UInt32>, rows: UnsafeBufferPointer<Row>,
        baseOffset: Int64, owner: AnyObject? = nil
    ) {
        self.owner = owner
        self.bytes = bytes
        self.separators = separators
        self.rows = rows
        self.baseOffset = baseOffset
        offsets = nil
    }

    /// Takes rows that a reader laid out apart from the file's bytes, each with its file offset. With an owner of the
    /// memory the batch may be kept.
    public init(
        bytes: UnsafePointer<UInt8>, separators: UnsafePointer<UInt32>, rows: UnsafeBufferPointer<Row>,
        offsets: UnsafeBufferPointer<Int64>, owner: AnyObject? = nil
    ) {
        self.bytes = bytes
        self.separators = separators
        self.rows = rows
        self.offsets = offsets
        baseOffset = 0
        self.owner = owner
    }

    /// The same records in memory that belongs to the batch.
    public var kept: RecordBatch { owner == nil ? RecordBatch(copying: self) : self }

    private init(copying batch: RecordBatch) {
        let copy = RowMemory(batch)
        bytes = UnsafePointer(copy.bytes)
        separators = UnsafePointer(copy.separators)
        rows = UnsafeBufferPointer(copy.rows)
        offsets = UnsafeBufferPointer(copy.offsets)
        baseOffset = 0
        owner = copy
    }

    /// Memory of records that were copied, each with its own offset.
    private final class RowMemory {
        let bytes: UnsafeMutablePointer<UInt8>
        let separators: UnsafeMutablePointer<UInt32>
        let rows: UnsafeMutableBufferPointer<Row>
        let offsets: UnsafeMutableBufferPointer<Int64>

        init(_ batch: RecordBatch) {
            let first = batch.rows.first.map { Int($0.start) } ?? 0
            // A record of which only the time matters has no column.
            let ends = batch.rows.lazy.filter { $0.columns > 0 }.map { Int($0.first) + Int($0.columns) }
            let end = (ends.last.map { Int(batch.separators[$0 - 1]) } ?? first) + 1
            // `LogRecord.head` may read behind the last column.
            bytes = .allocate(capacity: end - first + 64)
            bytes.initialize(from: batch.bytes + first, count: end - first)
            (bytes + (end - first)).initialize(repeating: 0, count: 64)
            let firstSeparator = batch.rows.first.map { Int($0.first) } ?? 0
            let count = (ends.last ?? firstSeparator) - firstSeparator
            separators = .allocate(capacity: count + 1)
            for index in 0..<count {
                (separators + index).initialize(to: batch.separators[firstSeparator + index] - UInt32(first))
            }
            rows = .allocate(capacity: batch.rows.count)
            offsets = .allocate(capacity: batch.rows.count)
            for (index, row) in batch.rows.enumerated() {
                var moved = row
                moved.start -= UInt32(first)
                moved.first -= UInt32(firstSeparator)
                rows.initializeElement(at: index, to: moved)
                offsets.initializeElement(at: index, to: batch[index].offset)
            }
        }

        deinit {
            bytes.deallocate()
            separators.deallocate()
            rows.deallocate()
            offsets.deallocate()
        }
    }

    /// Number of records.
    @inlinable
    public var count: Int { rows.count }

    /// The printed time of the record of that index.
    @inlinable
    @inline(__always)
    public func time(of index: Int) -> LogTime { rows[index].time }

    /// The file offset of the record of that index.
    @inlinable
    @inline(__always)
    public func offset(of index: Int) -> Int64 { offsets?[index] ?? baseOffset + Int64(rows[index].start) }

    /// The record of that index, 0 ..< count.
    @inlinable
    public subscript(index: Int) -> LogRecord {
        let row = rows[index]
        return LogRecord(
            bytes: bytes, separators: separators + Int(row.first), start: Int(row.start),
            columnCount: Int(row.columns), offset: offset(of: index), time: row.time,
            dataset: row.dataset, form: row.form)
    }
}
