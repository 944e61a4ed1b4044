import CScan
import VigilModel

/// Cuts csvlog (PostgreSQL manual, 19.8.4) into records: 23, 24 or 26 columns, quotes doubled, line feeds inside
/// fields. The caller fills the buffer, then drains it; what is no whole record yet stays for the next filling.
///
/// A wide-instruction scan marks separators and row ends; every row is then looked at where the server's own columns
/// show damage (`isPlausible`). A row that fails is read again strictly, mended if it is the known server fault, or
/// reported as unread, and reading goes on at the next sound record.
public final class CSVLogReader: RecordReader {
    /// Separators are found with wide instructions, and nothing is copied.
    public let isQuick = true
    private static let firstCapacity = 256 << 10
    private static let lastCapacity = 4 << 20

    private var pool = CSVBufferPool(capacity: CSVLogReader.firstCapacity)
    /// The memory of the buffer in use.
    private var bytes: UnsafeMutablePointer<UInt8>
    private var separators: UnsafeMutablePointer<UInt32>
    private var scanned: UnsafeMutablePointer<cscan_record>
    private var rows: UnsafeMutablePointer<RecordBatch.Row>
    private var capacity = CSVLogReader.firstCapacity
    private var length = 0
    /// Everything before this offset of the buffer has been handed over.
    private var consumed = 0
    /// File offset of the buffer's first byte.
    private var base: Int64
    private var times: TimestampReader
    /// A record too long for the buffer.
    private var long: LongRecord?
    /// Scan less after damage, so that a file full of it costs no more than its size.
    private var scanLimit = CSVLogReader.lastCapacity
    /// The row at `consumed` is damaged, and mending it needs bytes that are not there yet.
    private var waits = false
    /// Length of the waiting bytes when they were last read strictly.
    private var checked = 0
    /// Damage that goes on over several fillings is reported as one.
    private var damage: Unread?

    /// Starts at a record's first byte (or anywhere: what is no record is reported). `timezone` is the source's
    /// configured zone.
    public init(offset: Int64 = 0, timezone: String? = nil) {
        let buffer = pool.buffer
        (bytes, separators, scanned, rows) = (buffer.bytes, buffer.separators, buffer.scanned, buffer.rows)
        base = offset
        times = TimestampReader(zones: TimeZoneTable(timezone: timezone))
    }

    /// File offset behind the last byte that was handed over; reading can go on there. Damage is handed over when its
    /// end is known, and until then this is its start.
    public var position: Int64 { damage?.offset ?? long?.offset ?? place }

    /// File offset of the next byte to look at.
    private var place: Int64 { base + Int64(consumed) }

    /// Zone abbreviations that neither the log, the configuration nor the table explains.
    public var unknownZones: Set<String> { times.unknownZones }

    /// Lets `read` put bytes into the buffer; gives how many it put there (0 at the end of input).
    public func fill(_ read: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows -> Int {
        leaveKeptBuffer()
        if consumed > 0 {
            bytes.update(from: bytes + consumed, count: length - consumed)
            base += Int64(consumed)
            length -= consumed
            consumed = 0
        }
        if length == capacity { grow() }
        let count = try read(UnsafeMutableRawBufferPointer(start: bytes + length, count: capacity - length))
        length += count
        return count
    }

    /// Hands over every whole record in the buffer. `atEnd` says that no more bytes will come: a last record without
    /// its line feed is then taken when it is sound, and reported as unread otherwise (`position` stays before it).
    public func drain(into consumer: inout some RecordConsumer, atEnd: Bool) {
        if base == 0, consumed == 0, length >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { consumed = 3 }
        waits = false
        while consumed < length {
            if long != nil {
                continueLong(&consumer)
                continue
            }
            leaveKeptBuffer()
            let span = min(length - consumed, scanLimit)
            let found = cscan_csv(
                bytes + consumed, UInt32(span), separators, scanned, UInt32(pool.buffer.rowCapacity), CSCAN_BEST)
            if found.records == 0 {
                if span < length - consumed {
                    scanLimit = min(scanLimit * 2, CSVLogReader.lastCapacity)
                } else if !resolvePartial(&consumer, atEnd: atEnd) {
                    break
                }
                continue
            }
            handOver(found, to: &consumer, atEnd: atEnd)
            if waits { break }
        }
        guard atEnd else { return }
        endDamage(&consumer)
        if let long {
            consumer.skip(Unread(offset: long.offset, length: place - long.offset, reason: CSVLogReader.tornEnd))
        }
    }

    /// A row is whole by itself: nothing waits.
    public func settle(into consumer: inout some RecordConsumer) {}

    private static let tornEnd = "the last record is torn: its end is missing"

    /// Hands over scanned rows up to the first one that shows damage, and deals with that one.
    private func handOver(_ found: cscan_result, to consumer: inout some RecordConsumer, atEnd: Bool) {
        let start = bytes + consumed
        // After damage a row must prove itself: it may lie inside a text.
        if damage != nil, case .unsound = SoundRecord.read(view, from: consumed) {
            waits = !recover(&consumer, atEnd: atEnd)
            return
        }
        var good = 0
        while good < Int(found.records), let row = plausibleRow(scanned[good], in: start) {
            rows[good] = row
            good += 1
        }
        if good > 0 {
            endDamage(&consumer)
            // With most of the buffer still to be read, going on in another would mean to copy it.
            let isMostly = length - consumed - Int(found.consumed) < length / 8
            consumer.take(
                RecordBatch(
                    bytes: start, separators: separators, rows: UnsafeBufferPointer(start: rows, count: good),
                    baseOffset: base + Int64(consumed),
                    owner: isMostly && good == Int(found.records) ? pool.buffer : nil))
            scanLimit = min(scanLimit * 2, CSVLogReader.lastCapacity)
            checked = 0
        }
        if good == Int(found.records) {
            consumed += Int(found.consumed)
        } else {
            consumed += Int(scanned[good].start)
            waits = !recover(&consumer, atEnd: atEnd)
        }
    }

    /// The row, when the columns that the server writes look as they must.
    @inline(__always)
    private func plausibleRow(_ record: cscan_record, in start: UnsafeMutablePointer<UInt8>) -> RecordBatch.Row? {
        guard record.odd == 0, record.columns == 26 || record.columns == 23 || record.columns == 24 else { return nil }
        let ends = separators + Int(record.first)
        guard ends[12] - ends[11] == 6, start[Int(ends[10]) + 1] != 34, start[Int(ends[4]) + 1] != 34
        else { return nil }
        let first = Int(record.start)
        let time = times.read(start, first..<Int(ends[0])) { column in
            Int(ends[column.rawValue - 1]) + 1..<Int(ends[column.rawValue])
        }
        guard let time else { return nil }
        return RecordBatch.Row(start: record.start, first: record.first, columns: record.columns, time: time)
    }

    // MARK: - Damage

    private var view: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: bytes, count: length) }

    /// No row ends in the buffer. True when something was decided; false when more bytes are needed.
    private func resolvePartial(_ consumer: inout some RecordConsumer, atEnd: Bool) -> Bool {
        let full = consumed == 0 && length == capacity
        let waiting = length - consumed
        // A torn record would swallow what follows until its quotes happen to match, so look early; but a long sound
        // one must not be read again with each small filling.
        guard atEnd || full || waiting < 64 << 10 || waiting > checked + checked / 4 else { return false }
        checked = waiting
        if atEnd { return resolveEnd(&consumer) }
        let isDamaged: Bool
        if damage != nil, case .unsound = SoundRecord.read(view, from: consumed) {
            isDamaged = true
        } else {
            isDamaged = SoundRecord.damage(view, from: consumed) != nil
        }
        if isDamaged { return recover(&consumer, atEnd: false) }
        guard full else { return false }
        if capacity < CSVLogReader.lastCapacity { grow() } else { long = LongRecord(offset: place) }
        return long != nil
    }

    /// The last bytes of the input, which end no row.
    private func resolveEnd(_ consumer: inout some RecordConsumer) -> Bool {
        switch SoundRecord.read(view, from: consumed, atEnd: true, strict: damage != nil) {
        case .sound: return handOverLast(&consumer)
        case .incomplete:
            endDamage(&consumer)
            consumer.skip(
                Unread(
                    offset: place, length: Int64(length - consumed), reason: CSVLogReader.tornEnd))
            return false
        case .unsound: return recover(&consumer, atEnd: true) && consumed < length
        }
    }

    /// A sound last row without its line feed: read, while `position` stays before it.
    private func handOverLast(_ consumer: inout some RecordConsumer) -> Bool {
        endDamage(&consumer)
        let row = Array(view[consumed...]) + [10]
        deliver(row, at: place, isUnfinished: true, to: &consumer)
        return false
    }

    /// The row at `consumed` is damaged: mends it, or goes on at the next sound one. False when that needs more bytes.
    private func recover(_ consumer: inout some RecordConsumer, atEnd: Bool) -> Bool {
        if SocketPathRepair.applies(view, from: consumed) {
            if let mended = SocketPathRepair.mend(view, from: consumed) {
                endDamage(&consumer)
                deliver(mended.row, at: place, to: &consumer)
                consumed = mended.end
                return true
            }
            if !atEnd, length - consumed < SocketPathRepair.longestRow, length < capacity || consumed > 0 {
                return false
            }
        }
        let reason: String
        switch SoundRecord.read(view, from: consumed, atEnd: atEnd) {
        case .unsound(_, let found): reason = found
        case .sound, .incomplete: reason = SoundRecord.damage(view, from: consumed) ?? "no record"
        }
        skipToNextRecord(&consumer, reason: reason, atEnd: atEnd)
        return true
    }

    /// Goes to the next place in the buffer where a sound record starts; what lies before it is unread.
    private func skipToNextRecord(_ consumer: inout some RecordConsumer, reason: String, atEnd: Bool) {
        let from = consumed
        var next = length
        var at = from + 1
        while at + 25 <= length {
            if SoundRecord.isTimeStart(view, at), mayBeRecord(at, atEnd: atEnd) {
                next = at
                break
            }
            at += 1
        }
        // A time may have begun in the last bytes.
        if next == length && !atEnd { next = min(length, max(from + 1, length - 24)) }
        let skipped = Int64(next - from)
        if damage == nil { damage = Unread(offset: place, length: 0, reason: reason) }
        damage?.length += skipped
        consumed = next
        scanLimit = 16 << 10
    }

    /// True when a sound row starts there, or one that can be mended, or one that more bytes must decide about.
    private func mayBeRecord(_ at: Int, atEnd: Bool) -> Bool {
        switch SoundRecord.read(view, from: at, atEnd: atEnd) {
        case .sound: return true
        case .incomplete: return !atEnd
        case .unsound:
            guard SocketPathRepair.applies(view, from: at) else { return false }
            return SocketPathRepair.mend(view, from: at) != nil
                || (!atEnd && length - at < SocketPathRepair.longestRow)
        }
    }

    private func endDamage(_ consumer: inout some RecordConsumer) {
        if let damage { consumer.skip(damage) }
        damage = nil
    }

    /// Hands over one row that was put together elsewhere.
    private func deliver(
        _ row: [UInt8], at offset: Int64, isUnfinished: Bool = false, to consumer: inout some RecordConsumer
    ) {
        let size = row.count + CSVBuffer.slack
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
        let ends = UnsafeMutablePointer<UInt32>.allocate(capacity: size)
        defer {
            copy.deallocate()
            ends.deallocate()
        }
        copy.initialize(repeating: 0, count: size)
        row.withUnsafeBufferPointer { copy.update(from: $0.baseAddress ?? UnsafePointer(copy), count: row.count) }
        var record = cscan_record()
        let found = cscan_csv(copy, UInt32(row.count), ends, &record, 1, CSCAN_BEST)
        let savedSeparators = separators
        separators = ends
        let plausible = found.records == 1 ? plausibleRow(record, in: copy) : nil
        separators = savedSeparators
        guard let plausible else {
            consumer.skip(Unread(offset: offset, length: Int64(row.count), reason: "no record"))
            return
        }
        withUnsafePointer(to: plausible) { pointer in
            let batch = RecordBatch(
                bytes: copy, separators: ends, rows: UnsafeBufferPointer(start: pointer, count: 1), baseOffset: offset)
            if isUnfinished { consumer.takeUnfinished(batch) } else { consumer.take(batch) }
        }
    }

    // MARK: - Long records

    private func continueLong(_ consumer: inout some RecordConsumer) {
        guard var record = long else { return }
        let outcome = record.take(UnsafeBufferPointer(rebasing: view[consumed...]))
        consumed += outcome.taken
        switch outcome.state {
        case .open: long = record
        case .whole:
            long = nil
            deliver(record.row, at: record.offset, to: &consumer)
        case .broken:
            long = nil
            let taken = base + Int64(consumed) - record.offset
            damage = Unread(offset: record.offset, length: taken, reason: "a quote out of place in a long record")
        }
    }

    private func grow() {
        let old = pool.buffer
        pool.grow()
        use(pool.buffer, from: old, 0)
    }

    /// Goes on in other memory when somebody keeps rows of the one in use.
    private func leaveKeptBuffer() {
        guard pool.isKept() else { return }
        let old = pool.buffer
        pool.takeSpare()
        use(pool.buffer, from: old, consumed)
        base += Int64(consumed)
        length -= consumed
        consumed = 0
    }

    /// Takes over what stands in another buffer from a place on.
    private func use(_ buffer: CSVBuffer, from old: CSVBuffer, _ first: Int) {
        buffer.bytes.update(from: old.bytes + first, count: length - first)
        (bytes, separators, scanned, rows) = (buffer.bytes, buffer.separators, buffer.scanned, buffer.rows)
        capacity = buffer.capacity
    }
}

extension CSVLogReader {
    /// True when a file with that start is a csvlog.
    ///
    /// A csvlog starts with a sound record. A sound row further on proves nothing by itself: in a stderr log quotes are
    /// not doubled, and a client can write a whole row there. So only a file that calls itself csv may start with
    /// something else (the torn end of a record).
    static func recognises(_ head: UnsafeBufferPointer<UInt8>, path: String) -> Bool {
        let first = head.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let last = path.hasSuffix(".csv") || path.hasSuffix(".csv.1") ? head.count : first + 1
        var at = first
        while at < last, at + 25 <= head.count {
            if SoundRecord.isTimeStart(head, at) {
                switch SoundRecord.read(head, from: at, strict: at != first) {
                case .sound: return true
                // A first record longer than what was looked at.
                case .incomplete where at == first: return true
                default: break
                }
            }
            at += 1
        }
        return false
    }
}

extension SoundRecord {
    /// True when a log time starts there: the cheap test before a strict reading.
    static func isTimeStart(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int) -> Bool {
        guard bytes[at + 4] == 45, bytes[at + 10] == 32, bytes[at + 19] == 46, at + 25 <= bytes.count else {
            return false
        }
        return isTime(UnsafeBufferPointer(rebasing: bytes[at..<at + 25]))
    }
}
