import VigilModel

/// Puts the lines of PgBouncer's log file or standard error together: `2026-03-02 08:40:02.801 UTC [17219] LOG text`;
/// until 1.10 without zone and with a bare pid (`log_generic` in libusual's logging.c). A line break in a text is
/// followed by a TAB since 1.13; before, names with line breaks go on in column one.
struct PgBouncerAssembler: LineAssembler {
    /// The record that waits for more lines.
    private enum Open {
        case none
        /// One that may be anything, in `entry`.
        case entry
        /// One that is as most are, in `usual`, its bytes in `line`.
        case usual
        /// One of which nothing matters but its time, and so many bytes.
        case passed(Int)
    }

    private var heads: PgBouncerHeadReader
    private let wanted: MessageHeads
    private var open = Open.none
    /// Where the open record starts, and when it was.
    private var offset: Int64 = 0
    private var time = LogTime.distantPast
    private var entry = PgBouncerQueue.Entry()
    private var usual: PgBouncerUsualLine?
    private let line = LineMemory(longest)
    private var queue = PgBouncerQueue()

    /// PgBouncer writes at most 2048 bytes of text, some more where line breaks get a TAB.
    private static let longest = 8192

    init(_ about: ReadingFacts) {
        heads = PgBouncerHeadReader(about)
        wanted = about.wanted
    }

    var held: Int64? {
        if let held = queue.held { return held }
        if case .none = open { return nil }
        return offset
    }

    var unknownZones: Set<String> { heads.unknownZones }

    /// True when the file's first line that starts with a time is one of PgBouncer's.
    static func recognises(_ head: UnsafeBufferPointer<UInt8>) -> Bool {
        var times = PrintedTime(ReadingFacts())
        for line in HeadLines(head) where PrintedTime.isTime(line) {
            return PgBouncerHead(line, &times) != nil
        }
        return false
    }

    /// True when the first lines, of which some may be PgBouncer's, are more likely a server's. What looks like a severity
    /// of PostgreSQL's is the server's in any line but one about a connection, where it may stand in a client's name.
    static func isServers(_ head: UnsafeBufferPointer<UInt8>) -> Bool {
        var times = PrintedTime(ReadingFacts())
        var (pooler, doubtful) = (0, 0)
        for line in HeadLines(head) where !line.isEmpty && line[0] != 9 && line[0] != 32 {
            let found = PgBouncerHead(line, &times)
            guard StderrLabels.all.isAny(in: line, from: 0, before: line.count) else {
                pooler += found == nil ? 0 : 1
                continue
            }
            guard let found, line.has("C-0x", at: found.text) || line.has("S-0x", at: found.text) else { return true }
            let level = UnsafeBufferPointer(rebasing: line[found.level])
            if PgBouncerText.standing(record(line, from: found.text, in: head), level: level).isKnown {
                pooler += 1
            } else {
                doubtful += 1
            }
        }
        return doubtful > pooler
    }

    /// The text of a record with the lines that a TAB begins.
    private static func record(
        _ line: UnsafeBufferPointer<UInt8>, from start: Int, in head: UnsafeBufferPointer<UInt8>
    ) -> UnsafeBufferPointer<UInt8> {
        let first = line.startOffset(in: head) + start
        var end = first - start + line.count
        while end + 1 < head.count, end - first < longest, head[end] == 10, head[end + 1] == 9 {
            end = head[(end + 1)...].firstIndex(of: 10) ?? head.count
        }
        return UnsafeBufferPointer(rebasing: head[first..<end])
    }

    mutating func take(_ line: LogLine, into rows: inout RowBuffer) {
        if let head = heads.read(line.bytes) {
            close(into: &rows)
            return begin(line, head)
        }
        if case .passed(let length) = open, line.bytes.first == 9,
            length + line.bytes.count < PgBouncerAssembler.longest
        {
            open = .passed(length + line.bytes.count)
            return
        }
        unpack()
        guard case .entry = open, entry.bytes.count - entry.start + line.bytes.count < PgBouncerAssembler.longest,
            isContinued(by: line)
        else {
            if line.bytes.isEmpty { return rows.pass(line) }
            return rows.skip(line, reason: "no line of PgBouncer")
        }
        entry.bytes.append(10)
        entry.bytes.append(contentsOf: line.bytes.first == 9 ? line.bytes.dropFirst() : line.bytes[...])
    }

    /// Takes what stood behind a header of syslog: a whole line, or the bare text, whose time and process the header
    /// tells.
    mutating func take(
        _ line: LogLine, sentAt time: LogTime, by process: UnsafeBufferPointer<UInt8>, into rows: inout RowBuffer
    ) {
        if line.bytes.first == 9 || heads.read(line.bytes) != nil { return take(line, into: &rows) }
        close(into: &rows)
        begin(line.offset, time)
        open = .entry
        entry.bytes.append(contentsOf: process)
        entry.bytes.append(contentsOf: line.bytes)
        (entry.pid, entry.level, entry.start) = (0..<process.count, 0..<0, process.count)
    }

    mutating func finish(into rows: inout RowBuffer) {
        close(into: &rows)
        queue.finish(into: &rows)
    }

    @inline(__always)
    private mutating func begin(_ line: LogLine, _ head: PgBouncerHead) {
        (offset, time) = (line.offset, head.time)
        if line.bytes.count < PgBouncerAssembler.longest, let found = PgBouncerUsualLine(line.bytes, head) {
            self.line.take(line.bytes)
            usual = found
            open = .usual
        } else if isPassed(line.bytes, head) {
            open = .passed(line.bytes.count - head.text)
        } else {
            begin(line.offset, head.time)
            open = .entry
            entry.bytes.append(contentsOf: line.bytes)
            (entry.pid, entry.level, entry.start) = (head.pid, head.level, min(head.text, line.bytes.count))
        }
    }

    /// True when nobody asks for a text as this, of no connection.
    @inline(__always)
    private func isPassed(_ line: UnsafeBufferPointer<UInt8>, _ head: PgBouncerHead) -> Bool {
        guard line.count >= head.text + 8, line.count < PgBouncerAssembler.longest, head.level.count == 3,
            let base = line.baseAddress, line.has("LOG", at: head.level.lowerBound)
        else { return false }
        let word = UnsafeRawPointer(base + head.text).loadUnaligned(as: UInt64.self)
        let first = UInt8(truncatingIfNeeded: word)
        // A quote would be doubled.
        return first != 67 && first != 83 && !wanted.contains(word) && !line[head.text..<head.text + 4].contains(34)
    }

    private mutating func begin(_ offset: Int64, _ time: LogTime) {
        (self.offset, self.time) = (offset, time)
        (entry.offset, entry.time) = (offset, time)
        entry.bytes.removeAll(keepingCapacity: true)
    }

    /// Makes an entry of a usual line, which more may be added to.
    private mutating func unpack() {
        guard case .usual = open, let usual else { return }
        begin(offset, time)
        open = .entry
        entry.bytes.append(contentsOf: line.bytes)
        (entry.pid, entry.level, entry.start) = (usual.pid, usual.level, usual.text)
    }

    @inline(__always)
    private mutating func close(into rows: inout RowBuffer) {
        switch open {
        case .none: return
        case .usual where queue.isEmpty:
            if let usual {
                queue.remember(usual, line.bytes)
                usual.append(to: &rows, line.bytes, offset: offset)
            }
        case .usual:
            unpack()
            queue.take(entry, into: &rows)
        case .entry: queue.take(entry, into: &rows)
        case .passed: queue.pass(offset: offset, time: time, into: &rows)
        }
        open = .none
    }

    private func isContinued(by line: LogLine) -> Bool {
        if line.bytes.first == 9 { return true }
        return entry.with { text, level, _ in !PgBouncerText.standing(text, level: level).isFixed }
    }

    /// A copy of one line, with bytes behind it that may be read.
    private final class LineMemory {
        private let memory: UnsafeMutablePointer<UInt8>
        // Unchecked: nobody but the assembler has it, and no access lasts longer than a method.
        @exclusivity(unchecked) private var count = 0

        init(_ capacity: Int) {
            memory = .allocate(capacity: capacity + 64)
            memory.initialize(repeating: 0, count: capacity + 64)
        }

        deinit { memory.deallocate() }

        var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: memory, count: count) }

        /// Takes a line that is not longer than the memory.
        @inline(__always)
        func take(_ line: UnsafeBufferPointer<UInt8>) {
            guard let source = line.baseAddress else { return }
            memory.update(from: source, count: line.count)
            count = line.count
        }
    }
}
