import VigilModel

/// The formats that can be read.
public enum LogFormat: String, CaseIterable, Sendable {
    /// PostgreSQL's csvlog, 9.6 to 18.
    case csvlog
    /// PostgreSQL's jsonlog, 15 and later.
    case jsonlog
    /// The files of pgauditlogtofile, 1.0 to 1.8.4, csv and json.
    case pgauditlogtofile

    /// Bytes of a file's start that decide.
    public static let sniffLength = 64 << 10

    /// What a file is by its first bytes: nil when it is no known format. Formats that cannot be taken for another one
    /// are looked for first.
    public static func detect(_ head: [UInt8], path: String) -> LogFormat? {
        head.withUnsafeBufferPointer { bytes in
            if isJSONLog(bytes, path: path) { return .jsonlog }
            if CSVLogReader.recognises(bytes, path: path) { return .csvlog }
            if isPGAuditFile(bytes) { return .pgauditlogtofile }
            return nil
        }
    }

    /// A reader that starts at an offset of a file.
    public func reader(offset: Int64 = 0, _ about: ReadingFacts = ReadingFacts()) -> any RecordReader {
        switch self {
        case .csvlog: CSVLogReader(offset: offset, timezone: about.timezone)
        case .jsonlog: LineReader(offset: offset, assembler: JSONLogAssembler(timezone: about.timezone))
        case .pgauditlogtofile:
            LineReader(offset: offset, assembler: PGAuditFileAssembler(timezone: about.timezone, head: about.head))
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

    /// Nothing.
    public init() {}

    /// Takes what is known.
    public init(timezone: String?, prefix: String? = nil, head: [UInt8] = []) {
        self.timezone = timezone
        self.prefix = prefix
        self.head = head
    }
}
