import CScan
import Glibc
import VigilModel

/// What an assembler has found: rows laid out in the form of csvlog, lines that are no records, and bytes that should
/// have been one.
public struct RowBuffer {
    /// The columns of the row that was begun; a reader adds to it.
    var bytes: [UInt8] = []
    /// Where the columns of that row end.
    private var ends: [UInt32] = []
    private var pool = RowMemoryPool()
    private var memory = RowMemory()
    /// What of the memory is used.
    private var used = (bytes: 0, separators: 0, rows: 0)
    private var unread: [Unread] = []
    private var text: [TextLine] = []

    /// True when there is nothing to hand over.
    var isEmpty: Bool { used.rows == 0 && unread.isEmpty && text.isEmpty }

    /// True when it is time to hand over.
    var isFull: Bool { used.bytes >= 256 << 10 || used.rows >= 2048 || unread.count + text.count >= 1024 }

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
        beginRow()
        for column in LogColumn.allCases {
            if draft.has(column) { draft.withContent(column) { append($0) } }
            endColumn()
        }
        endRow(offset: draft.offset, time: draft.time, dataset: draft.dataset, form: draft.form)
    }

    /// Adds a record.
    mutating func append(_ columns: LineColumns) {
        var (left, length) = (columns.present, 0)
        while left != 0 {
            length += columns.all[left.trailingZeroBitCount].length
            left &= left &- 1
        }
        makeRoom(bytes: RowWriter.room(for: length), separators: RowWriter.columnCount)
        let written = cscan_row(
            columns.all.baseAddress, columns.present, UInt32(RowWriter.columnCount), memory.bytes + used.bytes,
            memory.separators + used.separators, UInt32(truncatingIfNeeded: used.bytes), CSCAN_BEST)
        add(
            bytes: written, separators: RowWriter.columnCount, columns.offset, columns.time, columns.dataset,
            columns.form)
    }

    /// Takes back the rows behind that number of them.
    mutating func takeBack(to count: Int) {
        guard count < used.rows else { return }
        used = (Int(memory.rows[count].start), Int(memory.rows[count].first), count)
    }

    /// Number of rows.
    var rowCount: Int { used.rows }

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
        makeRoom(bytes: RowWriter.room(for: length), separators: RowWriter.columnCount)
        var writer = RowWriter(
            bytes: memory.bytes + used.bytes, separators: memory.separators + used.separators, base: used.bytes)
        body(&writer)
        writer.finish()
        add(bytes: writer.count, separators: RowWriter.columnCount, offset, time, dataset, form)
    }

    /// Adds a record of which nothing but its time matters to anybody: none of its columns is laid out.
    @inline(__always)
    mutating func append(passedAt offset: Int64, time: LogTime, dataset: LogDataset) {
        makeRoom(bytes: 0, separators: 0)
        add(bytes: 0, separators: 0, offset, time, dataset, .columns)
    }

    /// Makes room for one more row.
    @inline(__always)
    private mutating func makeRoom(bytes: Int, separators: Int) {
        let wanted = (bytes: used.bytes + bytes, separators: used.separators + separators, rows: used.rows + 1)
        let room = memory.room
        if wanted.bytes > room.bytes || wanted.separators > room.separators || wanted.rows > room.rows {
            memory.grow(to: wanted, used: used)
        }
    }

    /// Takes over a row that was written into the memory.
    @inline(__always)
    private mutating func add(
        bytes: Int, separators: Int, _ offset: Int64, _ time: LogTime, _ dataset: LogDataset, _ form: RecordForm
    ) {
        (memory.rows + used.rows).initialize(
            to: RecordBatch.Row(
                start: UInt32(truncatingIfNeeded: used.bytes), first: UInt32(truncatingIfNeeded: used.separators),
                columns: UInt32(truncatingIfNeeded: separators), time: time, dataset: dataset, form: form))
        (memory.offsets + used.rows).initialize(to: offset)
        used = (used.bytes &+ bytes, used.separators &+ separators, used.rows &+ 1)
    }

    /// Begins a row that a reader lays out itself: its columns into `bytes`, in order, `endColumn` behind each, then
    /// `endRow`.
    @inline(__always)
    mutating func beginRow() {
        bytes.removeAll(keepingCapacity: bytes.capacity < 1 << 20)
        ends.removeAll(keepingCapacity: true)
    }

    /// Ends a column.
    @inline(__always)
    mutating func endColumn() {
        ends.append(UInt32(truncatingIfNeeded: bytes.count))
        bytes.append(44)
    }

    /// Ends the row that was begun.
    mutating func endRow(
        offset: Int64, time: LogTime, dataset: LogDataset = .postgresql, form: RecordForm = .columns
    ) {
        bytes[bytes.count - 1] = 10
        makeRoom(bytes: bytes.count, separators: ends.count)
        let base = UInt32(truncatingIfNeeded: used.bytes)
        bytes.withUnsafeBufferPointer { bytes in
            guard let source = bytes.baseAddress else { return }
            (memory.bytes + used.bytes).initialize(from: source, count: bytes.count)
        }
        for (number, end) in ends.enumerated() {
            (memory.separators + used.separators + number).initialize(to: base + end)
        }
        add(bytes: bytes.count, separators: ends.count, offset, time, dataset, form)
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
    var mark: (rows: Int, unread: Int, text: Int) { (used.rows, unread.count, text.count) }

    /// Accounts for lines that were put together under other offsets: when they gave no record since the mark, each is
    /// unread or text as they were said to be.
    mutating func account(for lines: [TextLine], since mark: (rows: Int, unread: Int, text: Int)) {
        let reason = unread.count > mark.unread ? unread[mark.unread].reason : nil
        unread.removeSubrange(mark.unread...)
        text.removeSubrange(mark.text...)
        guard used.rows == mark.rows else { return }
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
        if used.rows > 0 {
            hand(to: &consumer, isUnfinished)
            pool.renew(&memory)
            used = (0, 0, 0)
        }
        for span in unread { consumer.skip(span) }
        unread.removeAll(keepingCapacity: true)
        for line in text { consumer.pass(line) }
        text.removeAll(keepingCapacity: true)
    }

    private func hand(to consumer: inout some RecordConsumer, _ isUnfinished: Bool) {
        (memory.bytes + used.bytes).initialize(repeating: 0, count: RowMemory.slack)
        let batch = RecordBatch(
            bytes: memory.bytes, separators: memory.separators,
            rows: UnsafeBufferPointer(start: memory.rows, count: used.rows),
            offsets: UnsafeBufferPointer(start: memory.offsets, count: used.rows), owner: memory)
        if isUnfinished { consumer.takeUnfinished(batch) } else { consumer.take(batch) }
    }
}
