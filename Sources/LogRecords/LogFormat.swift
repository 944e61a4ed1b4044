import VigilModel

/// The formats that can be read.
public enum LogFormat: String, CaseIterable, Sendable {
    /// PostgreSQL's csvlog, 9.6 to 18.
    case csvlog
    /// PostgreSQL's stderr log with any `log_line_prefix`, 9.6 to 18.
    case stderr
    /// The same in syslog: RFC 3164, RFC 5424, rsyslog's ISO times, journalctl's short forms.
    case syslog

    /// Bytes of a file's start that decide.
    public static let sniffLength = 64 << 10

    /// What a file is by its first bytes: nil when it is no known format. Formats that cannot be taken for another one
    /// are looked for first.
    public static func detect(_ head: [UInt8], path: String) -> LogFormat? {
        head.withUnsafeBufferPointer { bytes in
            if CSVLogReader.recognises(bytes, path: path) { return .csvlog }
            if SyslogHead.recognises(bytes) { return .syslog }
            if PrefixGuess(bytes).best != nil { return .stderr }
            return nil
        }
    }

    /// A reader that starts at an offset of a file.
    public func reader(offset: Int64 = 0, _ about: ReadingFacts = ReadingFacts()) -> any RecordReader {
        switch self {
        case .csvlog: CSVLogReader(offset: offset, timezone: about.timezone)
        case .stderr: LineReader(offset: offset, assembler: StderrAssembler(about))
        case .syslog: LineReader(offset: offset, assembler: SyslogAssembler(about))
        }
    }

    /// Words for a file that is none of these.
    public static func describe(_ head: [UInt8]) -> String {
        if head.contains(0) { return "a binary file" }
        return "no log of a known format"
    }
}

/// What is known of a file before it is read.
public struct ReadingFacts: Sendable {
    /// IANA zone of times that carry none, or an abbreviation that the log does not explain.
    public var timezone: String?
    /// `log_line_prefix` of a stderr log; nil: recognised.
    public var prefix: String?
    /// The file's first bytes, up to `LogFormat.sniffLength`: what a reader learns of the format must not depend on
    /// where it starts to read.
    public var head: [UInt8] = []
    /// The source's time where reading starts: an hour that happens twice is read as its second time behind it.
    public var clock = LogTime.distantPast
    /// No line is later: when the file was last written to. Times without a year get their year by it; where nobody
    /// knows, they are of 2000.
    public var newest = LogTime(milliseconds: 978_307_199_000)

    /// Nothing.
    public init() {}

    /// Takes what is known.
    public init(
        timezone: String?, prefix: String? = nil, head: [UInt8] = [], clock: LogTime = .distantPast
    ) {
        self.timezone = timezone
        self.prefix = prefix
        self.head = head
        self.clock = clock
    }
}
