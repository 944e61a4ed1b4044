import Glibc
import VigilModel

/// One line of a log, valid only inside the call that hands it over.
public struct LogLine {
    /// Its bytes without the line feed (and without the carriage return before it).
    public let bytes: UnsafeBufferPointer<UInt8>
    /// File offset of its first byte.
    public let offset: Int64
    /// File offset behind its line feed.
    public let end: Int64
    /// Its line feed is missing: it is the last of the input and may be torn.
    public let isTorn: Bool
}

/// Puts the lines of one format together into records.
public protocol LineAssembler {
    /// File offset of the first line of the oldest record that waits for more lines; nil when none does.
    var held: Int64? { get }
    /// Zone abbreviations that nothing explains.
    var unknownZones: Set<String> { get }
    /// Takes the next line. A record goes to `rows` as soon as it is known to be whole.
    mutating func take(_ line: LogLine, into rows: inout RowBuffer)
    /// Takes the whole lines that bytes of the file begin with, until there is something to hand over at once; gives how
    /// many bytes they were. `offset` is that of the first byte in the file. The last ones may be left: they are offered
    /// again with more behind them, or taken one by one when no more come.
    mutating func takeLines(of bytes: UnsafeBufferPointer<UInt8>, at offset: Int64, into rows: inout RowBuffer) -> Int
    /// No more lines will come: what waits is whole.
    mutating func finish(into rows: inout RowBuffer)
    /// No lines have come for a while: what may be whole is. By default all that waits.
    mutating func settle(into rows: inout RowBuffer)
}

extension LineAssembler {
    /// Takes them one by one.
    public mutating func takeLines(
        of bytes: UnsafeBufferPointer<UInt8>, at offset: Int64, into rows: inout RowBuffer
    ) -> Int { takeOneByOne(of: bytes, in: 0..<bytes.count, at: offset, into: &rows) }

    /// Takes the whole lines that start in a range one by one, until there is something to hand over at once. Gives the
    /// place behind them.
    mutating func takeOneByOne(
        of bytes: UnsafeBufferPointer<UInt8>, in range: Range<Int>, at offset: Int64, into rows: inout RowBuffer
    ) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        var next = range.lowerBound
        // Who looks for missing records must hear of lines that were none where they stand.
        while next < range.upperBound, !rows.isFull, !rows.hasOthers,
            let feed = memchr(base + next, 10, bytes.count - next)
        {
            let end = UnsafePointer(feed.assumingMemoryBound(to: UInt8.self)) - base
            let count = end > next && base[end - 1] == 13 ? end - 1 - next : end - next
            let line = UnsafeBufferPointer(start: base + next, count: count)
            take(
                LogLine(bytes: line, offset: offset + Int64(next), end: offset + Int64(end) + 1, isTorn: false),
                into: &rows)
            next = end + 1
        }
        return next
    }

    /// Takes all that waits for whole.
    public mutating func settle(into rows: inout RowBuffer) { finish(into: &rows) }
}

/// Cuts a file into lines for an assembler. A line too long for the buffer is handed over by its head, length and hash.
public final class LineReader<Assembler: LineAssembler>: RecordReader {
    /// Lines are put together, and rows made of them.
    public let isQuick = false
    private let firstCapacity = 256 << 10
    private let lastCapacity = 4 << 20

    private var buffer: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private var length = 0
    /// Everything before this offset of the buffer went to the assembler.
    private var consumed = 0
    /// File offset of the buffer's first byte.
    private var base: Int64
    /// A line too long for the buffer, and where it starts.
    private var long: (offset: Int64, text: LongText)?
    // Unchecked: each line would have its access to both noted and looked up again. They are touched by the reader's own
    // methods alone, none of which calls another that touches the same while it does.
    @exclusivity(unchecked) private var assembler: Assembler
    @exclusivity(unchecked) private var rows = RowBuffer()

    /// Starts at the first byte of a line.
    public init(offset: Int64 = 0, assembler: Assembler) {
        capacity = firstCapacity
        buffer = .allocate(capacity: capacity)
        base = offset
        self.assembler = assembler
    }

    deinit { buffer.deallocate() }

    /// Where reading can go on.
    public var position: Int64 { min(assembler.held ?? .max, long?.offset ?? place) }

    /// File offset of the next byte to look at.
    private var place: Int64 { base + Int64(consumed) }

    /// Zone abbreviations that nothing explains.
    public var unknownZones: Set<String> { assembler.unknownZones }

    /// Lets `read` put bytes into the buffer.
    public func fill(_ read: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows -> Int {
        if consumed > 0 {
            buffer.update(from: buffer + consumed, count: length - consumed)
            base += Int64(consumed)
            length -= consumed
            consumed = 0
        }
        if length == capacity { grow() }
        let count = try read(UnsafeMutableRawBufferPointer(start: buffer + length, count: capacity - length))
        length += count
        return count
    }

    /// Hands over every record that is whole.
    public func drain(into consumer: inout some RecordConsumer, atEnd: Bool) {
        if base == 0, consumed == 0, length >= 3, buffer[0] == 0xEF, buffer[1] == 0xBB, buffer[2] == 0xBF {
            consumed = 3
        }
        if long != nil {
            takeLong()
            rows.deliver(to: &consumer)
        }
        take(into: &consumer) { $0.takeLines(of: $1, at: $2, into: &$3) }
        if consumed == 0, length == capacity, capacity >= lastCapacity { prolong() }
        if atEnd {
            takeRest(into: &consumer)
            end(&consumer)
        }
    }

    /// Takes the whole lines that were left.
    private func takeRest(into consumer: inout some RecordConsumer) {
        take(into: &consumer) { $0.takeOneByOne(of: $1, in: 0..<$1.count, at: $2, into: &$3) }
    }

    /// Hands over what `body` makes of what is in the buffer, as long as it takes some.
    @inline(__always)
    private func take(
        into consumer: inout some RecordConsumer,
        _ body: (inout Assembler, UnsafeBufferPointer<UInt8>, Int64, inout RowBuffer) -> Int
    ) {
        var count = 1
        while consumed < length, count > 0 {
            let bytes = UnsafeBufferPointer(start: buffer + consumed, count: length - consumed)
            count = body(&assembler, bytes, place, &rows)
            consumed += count
            rows.deliver(to: &consumer)
        }
    }

    /// Hands over what waits for more lines, unless a line is just coming in.
    public func settle(into consumer: inout some RecordConsumer) {
        guard long == nil, consumed == length || buffer[length - 1] == 10 else { return }
        takeRest(into: &consumer)
        assembler.settle(into: &rows)
        rows.deliver(to: &consumer)
    }

    /// Takes the end of a line that is too long for the buffer, if it is there.
    private func takeLong() {
        guard consumed < length, let feed = memchr(buffer + consumed, 10, length - consumed) else { return }
        let end = feed.assumingMemoryBound(to: UInt8.self) - buffer
        take(consumed..<end, isTorn: false)
        consumed = end + 1
    }

    private func take(_ range: Range<Int>, isTorn: Bool) {
        let next = base + Int64(range.upperBound) + (isTorn ? 0 : 1)
        if let start = long?.offset, var text = long?.text {
            text.append(Array(UnsafeBufferPointer(start: buffer + range.lowerBound, count: range.count)))
            long = nil
            text.kept.withUnsafeBufferPointer {
                assembler.take(LogLine(bytes: $0, offset: start, end: next, isTorn: isTorn), into: &rows)
            }
            return
        }
        var count = range.count
        if count > 0, buffer[range.lowerBound + count - 1] == 13, !isTorn { count -= 1 }
        let bytes = UnsafeBufferPointer(start: buffer + range.lowerBound, count: count)
        assembler.take(
            LogLine(bytes: bytes, offset: base + Int64(range.lowerBound), end: next, isTorn: isTorn), into: &rows)
    }

    /// The buffer is full of one line: only what is kept of it in the end stays.
    private func prolong() {
        if long == nil { long = (place, LongText()) }
        long?.text.append(Array(UnsafeBufferPointer(start: buffer, count: length)))
        consumed = length
    }

    /// The last bytes have no line feed: they are read, while `position` stays before their record.
    private func end(_ consumer: inout some RecordConsumer) {
        guard consumed < length || long != nil else {
            assembler.finish(into: &rows)
            rows.deliver(to: &consumer)
            return
        }
        let stays = position
        let last = consumed..<length
        take(last, isTorn: true)
        assembler.finish(into: &rows)
        rows.deliver(to: &consumer, isUnfinished: true)
        base = stays
        length = 0
        consumed = 0
    }

    private func grow() {
        let larger = min(capacity * 2, lastCapacity)
        guard larger > capacity else { return }
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        bytes.update(from: buffer, count: length)
        buffer.deallocate()
        buffer = bytes
        capacity = larger
    }
}
