import VigilModel

/// What stands before the text of a line: `2026-03-02 08:40:02.801 UTC [17219] LOG `.
struct PgBouncerHead {
    var time: LogTime
    /// Where the number of the process, the level and the text stand in the line.
    var pid: Range<Int>
    var level: Range<Int>
    var text: Int

    /// Reads the start of a line; nil for one that starts no record.
    init?(_ line: UnsafeBufferPointer<UInt8>, _ times: inout PrintedTime) {
        guard line.count > 24, let first = line.first, first.digit != nil else { return nil }
        var cursor = LineCursor(line)
        guard let time = times.read(&cursor, takesNames: true), cursor.skip(32) else { return nil }
        let isBracketed = cursor.skip(91)
        let pid = cursor.run { $0.digit != nil }
        guard (1...10).contains(pid.count), !isBracketed || cursor.skip(93), cursor.skip(32) else { return nil }
        let level = cursor.run { $0.isCapital }
        guard PgBouncerHead.isLevel(UnsafeBufferPointer(rebasing: line[level])), cursor.skip(32) || cursor.isAtEnd
        else { return nil }
        self.init(time: time, pid: pid, level: level, text: cursor.at)
    }

    fileprivate init(time: LogTime, pid: Range<Int>, level: Range<Int>, text: Int) {
        (self.time, self.pid, self.level, self.text) = (time, pid, level, text)
    }

    private static func isLevel(_ word: UnsafeBufferPointer<UInt8>) -> Bool {
        for level in [StaticString("LOG"), "WARNING", "ERROR", "FATAL", "DEBUG", "NOISE"]
        where word.count == level.utf8CodeUnitCount && word.has(level) {
            return true
        }
        return false
    }
}

/// Reads the starts of lines. Those of one minute, process and level differ in nothing but seconds, and are read so.
struct PgBouncerHeadReader {
    private var times: PrintedTime
    /// The last line's minute as sixteen bytes, when that began in UTC, and what stood behind the milliseconds.
    private var minute: (head: UInt64, tail: UInt64) = (0, 0)
    private var start: Int64 = 0
    private var rest = Words()
    private var mask = Words()
    /// The last line's.
    private var last: PgBouncerHead?

    /// Twenty-four bytes.
    private struct Words {
        var parts: (UInt64, UInt64, UInt64) = (0, 0, 0)
    }

    /// Bytes of a time with milliseconds, and of what is remembered behind it.
    private static let timeLength = 23
    private static let restLength = 24

    init(_ about: ReadingFacts) { times = PrintedTime(about) }

    var unknownZones: Set<String> { times.unknownZones }

    /// Reads the start of a line; nil for one that starts no record.
    @inline(__always)
    mutating func read(_ line: UnsafeBufferPointer<UInt8>) -> PgBouncerHead? {
        if let last, let time = time(line) {
            return PgBouncerHead(time: time, pid: last.pid, level: last.level, text: last.text)
        }
        return learn(line)
    }

    /// The time of a line that starts as the last one did, but for the seconds.
    @inline(__always)
    private func time(_ line: UnsafeBufferPointer<UInt8>) -> LogTime? {
        guard line.count >= PgBouncerHeadReader.timeLength + PgBouncerHeadReader.restLength,
            let base = line.baseAddress
        else { return nil }
        let at = UnsafeRawPointer(base)
        guard at.loadUnaligned(as: UInt64.self) == minute.head,
            at.loadUnaligned(fromByteOffset: 8, as: UInt64.self) == minute.tail
        else { return nil }
        let behind = at + PgBouncerHeadReader.timeLength
        let (first, second, third) = (
            behind.loadUnaligned(as: UInt64.self), behind.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            behind.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        )
        let differing =
            ((first ^ rest.parts.0) & mask.parts.0) | ((second ^ rest.parts.1) & mask.parts.1)
            | ((third ^ rest.parts.2) & mask.parts.2)
        guard differing == 0, let fraction = PgBouncerHeadReader.fraction(base + 16) else { return nil }
        return LogTime(milliseconds: start &+ fraction)
    }

    /// Milliseconds of `:07.041`; nil when it is anything else.
    @inline(__always)
    private static func fraction(_ digits: UnsafePointer<UInt8>) -> Int64? {
        let (s1, s0) = (digits[1] &- 48, digits[2] &- 48)
        let (m2, m1, m0) = (digits[4] &- 48, digits[5] &- 48, digits[6] &- 48)
        guard digits[0] == 58, digits[3] == 46, s1 < 6, s0 < 10, m2 < 10, m1 < 10, m0 < 10 else { return nil }
        let seconds = Int64(s1) &* 10 &+ Int64(s0)
        return seconds &* 1000 &+ Int64(m2) &* 100 &+ Int64(m1) &* 10 &+ Int64(m0)
    }

    /// Reads a line's start as it is, and remembers it if it is a usual one: with milliseconds, and with a zone, so that
    /// no hour comes twice.
    private mutating func learn(_ line: UnsafeBufferPointer<UInt8>) -> PgBouncerHead? {
        guard let head = PgBouncerHead(line, &times) else { return nil }
        let length = head.text - PgBouncerHeadReader.timeLength
        guard let base = line.baseAddress, length > 2, length <= PgBouncerHeadReader.restLength,
            base[PgBouncerHeadReader.timeLength] == 32,
            base[PgBouncerHeadReader.timeLength + 1].isCapital || [43, 45].contains(base[24]),
            let fraction = PgBouncerHeadReader.fraction(base + 16)
        else { return head }
        let at = UnsafeRawPointer(base)
        minute = (at.loadUnaligned(as: UInt64.self), at.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        start = head.time.milliseconds - fraction
        (rest, mask) = (Words(), Words())
        withUnsafeMutableBytes(of: &rest.parts) {
            $0.copyBytes(from: UnsafeRawBufferPointer(start: at + PgBouncerHeadReader.timeLength, count: length))
        }
        withUnsafeMutableBytes(of: &mask.parts) { for index in 0..<length { $0[index] = 0xFF } }
        last = head
        return head
    }
}
