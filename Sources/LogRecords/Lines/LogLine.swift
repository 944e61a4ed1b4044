/// A line that is kept beyond the call that handed it over.
struct KeptLine {
    let bytes: [UInt8]
    let offset: Int64
    let end: Int64
    let isTorn: Bool

    init(_ line: LogLine) {
        (bytes, offset, end, isTorn) = (Array(line.bytes), line.offset, line.end, line.isTorn)
    }

    init(bytes: [UInt8], offset: Int64, end: Int64, isTorn: Bool) {
        (self.bytes, self.offset, self.end, self.isTorn) = (bytes, offset, end, isTorn)
    }

    func with<Result>(_ body: (LogLine) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { body(LogLine(bytes: $0, offset: offset, end: end, isTorn: isTorn)) }
    }
}

extension LogLine {
    /// The line was too long to be kept whole: `LongText` has its head.
    var isCut: Bool { end - offset > Int64(bytes.count) + 2 }

    /// Its bytes from there on.
    func part(from start: Int) -> LogLine {
        LogLine(
            bytes: UnsafeBufferPointer(rebasing: bytes[start...]), offset: offset + Int64(start), end: end,
            isTorn: isTorn)
    }

    /// Its bytes up to there.
    func part(to place: Int) -> LogLine {
        LogLine(
            bytes: UnsafeBufferPointer(rebasing: bytes[..<place]), offset: offset, end: offset + Int64(place),
            isTorn: false)
    }
}
