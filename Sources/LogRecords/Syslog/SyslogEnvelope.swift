import VigilModel

/// What syslog puts before a text: when, where, by which program and process. Read are the forms of RFC 3164
/// (`Nov  2 00:30:36 host postgres[123]: …`), RFC 5424, rsyslog's ISO times, and `journalctl -o short`, `short-iso`,
/// `short-precise`, `short-full`, `short-unix`, each with or without `<PRI>`.
public struct SyslogEnvelope: Equatable, Sendable {
    /// A printed time.
    public enum Stamp: Equatable, Sendable {
        /// With its zone.
        case utc(LogTime)
        /// Local time of the machine that wrote the file, given as if it were UTC.
        case local(LogTime)
        /// Local time without its year: month 1…12, day 1…31, milliseconds since midnight.
        case yearless(month: Int, day: Int, milliseconds: Int64)
    }

    /// When.
    public let stamp: Stamp
    /// Where host, program and process id stand in the line; empty for what is not there.
    public let host, program, process: Range<Int>
    /// Where the text starts.
    public let text: Int

    /// Reads the header of a line; nil when it has none.
    public init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        var scan = SyslogScan(bytes)
        if scan.skip(60) {
            guard scan.number(3) != nil, scan.skip(62) else { return nil }
        }
        if scan.rest.starts(with: [49, 32]), let found = SyslogEnvelope.structured(scan) {
            self = found
            return
        }
        guard let stamp = scan.stamp(), scan.skip(32) else { return nil }
        let host = scan.word()
        guard !host.isEmpty, scan.skip(32) else { return nil }
        let program = scan.run { $0 != 91 && $0 != 58 && $0 > 32 }
        var process = scan.at..<scan.at
        if scan.skip(91) {
            process = scan.run { $0 != 93 && $0 > 32 }
            guard scan.skip(93) else { return nil }
        }
        guard !program.isEmpty, scan.skip(58) else { return nil }
        _ = scan.skip(32)
        self.init(stamp: stamp, host: host, program: program, process: process, text: scan.at)
    }

    private init(stamp: Stamp, host: Range<Int>, program: Range<Int>, process: Range<Int>, text: Int) {
        self.stamp = stamp
        self.host = host
        self.program = program
        self.process = process
        self.text = text
    }

    /// RFC 5424: `1 2026-11-22T00:30:36.123+01:00 host app pid msgid [data] text`.
    private static func structured(_ start: SyslogScan) -> SyslogEnvelope? {
        var scan = start
        guard scan.skip(49), scan.skip(32), let stamp = scan.stamp(), scan.skip(32) else { return nil }
        let host = scan.word()
        guard scan.skip(32) else { return nil }
        let program = scan.word()
        guard scan.skip(32) else { return nil }
        let process = scan.word()
        guard scan.skip(32) else { return nil }
        _ = scan.word()
        guard scan.skip(32) else { return nil }
        if !scan.skip(45) {
            while scan.skip(91) {
                var (isQuoted, isEscaped) = (false, false)
                _ = scan.run { byte in
                    if byte == 34, !isEscaped { isQuoted.toggle() }
                    isEscaped = byte == 92 && !isEscaped
                    return byte != 93 || isQuoted
                }
                guard scan.skip(93) else { return nil }
            }
        }
        _ = scan.skip(32)
        if scan.rest.starts(with: [0xEF, 0xBB, 0xBF]) { scan.at += 3 }
        func some(_ range: Range<Int>) -> Range<Int> {
            range.count == 1 && scan.bytes[range.lowerBound] == 45 ? range.lowerBound..<range.lowerBound : range
        }
        return SyslogEnvelope(
            stamp: stamp, host: some(host), program: some(program), process: some(process), text: scan.at)
    }
}
