import CScan
import Glibc
import VigilModel

/// What an assembler has found: rows laid out in the form of csvlog, lines that are no records, and bytes that should
/// have been one.
public struct RowBuffer {
    /// The rows laid out so far; a reader may add to the row it has begun.
    var bytes: [UInt8] = []
    private var separators: [UInt32] = []
    private var rows: [RecordBatch.Row] = []
    private var offsets: [Int64] = []
    private var unread: [Unread] = []
    private var text: [TextLine] = []

    /// `LogRecord.head` may read that far behind a column.
    private static let slack = [UInt8](repeating: 0, count: 64)

    /// True when there is nothing to hand over.
    var isEmpty: Bool { rows.isEmpty && unread.isEmpty && text.isEmpty }

    /// True when it is time to hand over.
    var isFull: Bool { bytes.count >= 256 << 10 || rows.count >= 2048 || unread.count + text.count >= 1024 }

    /// Adds a record, which is not copied.
    mutating func append(_ draft: inout DraftRecord) { append(draft) }

    /// Adds a record.
    mutating func append(_ draft: borrowing DraftRecord) {
        let isDone: Void? = draft.withColumns { storage, ranges, present in
            append(
                offset: draft.offset, time: draft.time, dataset: draft.dataset, form: draft.form,
                length: RowBuffer.length(ranges, present)
            ) { row in
                var left = present
                while left != 0 {
                    let column = left.trailingZeroBitCount
                    left &= left &- 1
                    row.put(number: column, UnsafeBufferPointer(rebasing: storage[ranges[column]]))
                }
            }
        }
        if isDone != nil { return }
        let row = beginRow()
        for column in LogColumn.allCases {
            if draft.has(column) { draft.withContent(column) { append($0) } }
            endColumn()
        }
        endRow(row, offset: draft.offset, time: draft.time, dataset: draft.dataset, form: draft.form)
    }

    /// Adds a record.
    mutating func append(_ columns: LineColumns) {
        var (left, length) = (columns.present, 0)
        while left != 0 {
            length += columns.all[left.trailingZeroBitCount].length
            left &= left &- 1
        }
        addRow(offset: columns.offset, time: columns.time, dataset: columns.dataset, form: columns.form)
        RowBuffer.lay(&bytes, &separators, RowWriter.room(for: length)) { memory, places, base in
            cscan_row(
                columns.all.baseAddress, columns.present, UInt32(RowWriter.columnCount), memory, places, UInt32(base),
                CSCAN_BEST)
        }
    }

    /// Takes back the rows behind that number of them.
    mutating func takeBack(to count: Int) {
        guard count < rows.count else { return }
        bytes.removeSubrange(Int(rows[count].start)...)
        separators.removeSubrange(Int(rows[count].first)...)
        offsets.removeSubrange(count...)
        rows.removeSubrange(count...)
    }

    /// Number of rows.
    var rowCount: Int { rows.count }

    /// Bytes of all columns that are present.
    private static func length(_ ranges: UnsafeBufferPointer<Range<Int>>, _ present: UInt32) -> Int {
        var (left, sum) = (present, 0)
        while left != 0 {
            sum += ranges[left.trailingZeroBitCount].count
            left &= left &- 1
        }
        return sum
    }

    /// Adds a record whose columns `body` writes, in order; `length` is at least what they have together.
    @inline(__always)
    mutating func append(
        offset: Int64, time: LogTime, dataset: LogDataset, form: RecordForm, length: Int,
        _ body: (inout RowWriter) -> Void
    ) {
        addRow(offset: offset, time: time, dataset: dataset, form: form)
        RowBuffer.lay(&bytes, &separators, RowWriter.room(for: length)) { memory, places, base in
            var writer = RowWriter(bytes: memory, separators: places, base: base)
            body(&writer)
            writer.finish()
            return writer.count
        }
    }

    @inline(__always)
    private mutating func addRow(offset: Int64, time: LogTime, dataset: LogDataset, form: RecordForm) {
        rows.append(
            RecordBatch.Row(
                start: UInt32(bytes.count), first: UInt32(separators.count), columns: UInt32(RowWriter.columnCount),
                time: time, dataset: dataset, form: form))
        offsets.append(offset)
    }

    /// Makes room for a row, which `body` writes; it gives the row's length.
    @inline(__always)
    private static func lay(
        _ bytes: inout [UInt8], _ separators: inout [UInt32], _ room: Int,
        _ body: (UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt32>, Int) -> Int
    ) {
        let base = bytes.count
        bytes.append(addingCapacity: room) { output in
            output.withUnsafeMutableBufferPointer { memory, written in
                separators.append(addingCapacity: RowWriter.columnCount) { output in
                    output.withUnsafeMutableBufferPointer { places, placed in
                        guard let memory = memory.baseAddress, let places = places.baseAddress else { return }
                        written = body(memory, places, base)
                        placed = RowWriter.columnCount
                    }
                }
            }
        }
    }

    /// Begins a row that a reader lays out itself: 26 columns into `bytes`, in order, `endColumn` behind each, then
    /// `endRow`.
    @inline(__always)
    func beginRow() -> (start: Int, first: Int) { (bytes.count, separators.count) }

    /// Ends a column.
    @inline(__always)
    mutating func endColumn() {
        separators.append(UInt32(truncatingIfNeeded: bytes.count))
        bytes.append(44)
    }

    /// Ends the row that began there.
    @inline(__always)
    mutating func endRow(
        _ row: (start: Int, first: Int), offset: Int64, time: LogTime, dataset: LogDataset = .postgresql,
        form: RecordForm = .columns
    ) {
        bytes[bytes.count - 1] = 10
        rows.append(
            RecordBatch.Row(
                start: UInt32(row.start), first: UInt32(row.first), columns: UInt32(separators.count - row.first),
                time: time, dataset: dataset, form: form))
        offsets.append(offset)
    }

    @inline(__always)
    private mutating func append(_ content: UnsafeBufferPointer<UInt8>) {
        guard let base = content.baseAddress, !content.isEmpty, memchr(base, 34, content.count) == nil else {
            return quote(content)
        }
        bytes.append(contentsOf: content)
    }

    /// Quotes a text as csvlog does.
    private mutating func quote(_ content: UnsafeBufferPointer<UInt8>) {
        bytes.append(34)
        var rest = content[...]
        while let base = rest.base.baseAddress, !rest.isEmpty,
            let found = memchr(base + rest.startIndex, 34, rest.count)
        {
            let next = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - base + 1
            bytes.append(contentsOf: rest[..<next])
            bytes.append(34)
            rest = rest[next...]
        }
        bytes.append(contentsOf: rest)
        bytes.append(34)
    }

    /// Counts a line that is no record and need not be one.
    mutating func pass(_ line: LogLine) {
        text.append(TextLine(offset: line.offset, length: line.end - line.offset))
    }

    /// Tells of a line that should have been a record, or part of one.
    mutating func skip(_ line: LogLine, reason: String) {
        unread.append(Unread(offset: line.offset, length: line.end - line.offset, reason: reason))
    }

    /// Counts bytes that are no record and need not be one.
    mutating func pass(offset: Int64, end: Int64) {
        text.append(TextLine(offset: offset, length: end - offset))
    }

    /// Tells of bytes that should have been a record, or part of one.
    mutating func skip(offset: Int64, end: Int64, reason: String) {
        unread.append(Unread(offset: offset, length: end - offset, reason: reason))
    }

    /// True when there is something beside records.
    var hasOthers: Bool { !unread.isEmpty || !text.isEmpty }

    /// How much there is, for `account`.
    var mark: (rows: Int, unread: Int, text: Int) { (rows.count, unread.count, text.count) }

    /// Accounts for lines that were put together under other offsets: when they gave no record since the mark, each is
    /// unread or text as they were said to be.
    mutating func account(for lines: [TextLine], since mark: (rows: Int, unread: Int, text: Int)) {
        let reason = unread.count > mark.unread ? unread[mark.unread].reason : nil
        unread.removeSubrange(mark.unread...)
        text.removeSubrange(mark.text...)
        guard rows.count == mark.rows else { return }
        for line in lines {
            if let reason {
                unread.append(Unread(offset: line.offset, length: line.length, reason: reason))
            } else {
                text.append(line)
            }
        }
    }

    /// Hands everything over and is empty again.
    mutating func deliver(to consumer: inout some RecordConsumer, isUnfinished: Bool = false) {
        if !rows.isEmpty {
            bytes += RowBuffer.slack
            bytes.withUnsafeBufferPointer { bytes in
                separators.withUnsafeBufferPointer { separators in
                    offsets.withUnsafeBufferPointer { offsets in
                        rows.withUnsafeBufferPointer { rows in
                            guard let first = bytes.baseAddress, let separator = separators.baseAddress else { return }
                            let batch = RecordBatch(bytes: first, separators: separator, rows: rows, offsets: offsets)
                            if isUnfinished { consumer.takeUnfinished(batch) } else { consumer.take(batch) }
                        }
                    }
                }
            }
            let isLarge = bytes.capacity > 4 << 20
            bytes.removeAll(keepingCapacity: !isLarge)
            separators.removeAll(keepingCapacity: true)
            rows.removeAll(keepingCapacity: true)
            offsets.removeAll(keepingCapacity: true)
        }
        for span in unread { consumer.skip(span) }
        unread.removeAll(keepingCapacity: true)
        for line in text { consumer.pass(line) }
        text.removeAll(keepingCapacity: true)
    }
}
