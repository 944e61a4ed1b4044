import VigilModel

/// The formats that can be read.
public enum LogFormat: String, CaseIterable, Sendable {
    /// PostgreSQL's csvlog, 9.6 to 18.
    case csvlog
    /// PostgreSQL's jsonlog, 15 and later.
    case jsonlog
    /// PostgreSQL's stderr log with any `log_line_prefix`, 9.6 to 18.
    case stderr
    /// The same in syslog: RFC 3164, RFC 5424, rsyslog's ISO times, journalctl's short forms.
    case syslog
    /// The files of pgauditlogtofile, 1.0 to 1.8.4, csv and json.
    case pgauditlogtofile
    /// PgBouncer's log file or standard error.
    case pgbouncer
    /// Patroni's log, plain or JSON.
    case patroni
    /// pgBackRest's files and what it prints.
    case pgbackrest
    /// HAProxy's log of TCP connections, bare or behind a header of syslog.
    case haproxy

    /// Bytes of a file's start that decide.
    public static let sniffLength = 64 << 10

    /// What a file is by its first bytes: nil when it is no known format. Formats that cannot be taken for another one
    /// are looked for first.
    public static func detect(_ head: [UInt8], path: String) -> LogFormat? {
        head.withUnsafeBufferPointer { bytes in
            if isJSONLog(bytes, path: path) { return .jsonlog }
            if CSVLogReader.recognises(bytes, path: path) { return .csvlog }
            if isPGAuditFile(bytes) { return .pgauditlogtofile }
            // What a client writes into a server's log, in a name, must not make it another program's.
            if PgBouncerAssembler.recognises(bytes), !PgBouncerAssembler.isServers(bytes) { return .pgbouncer }
            if PgBackRestAssembler.recognises(bytes), !isServers(bytes, unless: PgBackRestAssembler.recognises) {
                return .pgbackrest
            }
            // Of several programs, HAProxy may be the first in a syslog.
            if SyslogHead.recognises(bytes) { return .syslog }
            if HAProxyAssembler.recognises(bytes), !isServers(bytes, unless: { _ in false }) { return .haproxy }
            if PatroniAssembler.recognises(bytes), !isServers(bytes, unless: { _ in false }, atMost: 1) {
                return .patroni
            }
            if PrefixGuess(bytes).best != nil { return .stderr }
            return nil
        }
    }

    /// True when one of the first lines has a severity as PostgreSQL writes it, two blanks behind its colon, and is no
    /// line of the other program that has the same for another reason. One line must not decide: the first may be what
    /// a child process wrote, or the rest of a name with a line feed.
    private static func isServers(
        _ head: UnsafeBufferPointer<UInt8>, unless isOther: (UnsafeBufferPointer<UInt8>) -> Bool,
        atMost count: Int = 512
    ) -> Bool {
        HeadLines(head).lazy.filter { !$0.isEmpty && $0[0] != 9 && $0[0] != 32 }.prefix(count).contains { line in
            StderrLabels.all.isAny(in: line, from: 0, before: line.count) && !isOther(line)
        }
    }

    /// A reader that starts at an offset of a file.
    public func reader(offset: Int64 = 0, _ about: ReadingFacts = ReadingFacts()) -> any RecordReader {
        switch self {
        case .csvlog: CSVLogReader(offset: offset, timezone: about.timezone)
        case .jsonlog: LineReader(offset: offset, assembler: JSONLogAssembler(timezone: about.timezone))
        case .stderr: LineReader(offset: offset, assembler: StderrAssembler(about))
        case .syslog: LineReader(offset: offset, assembler: SyslogAssembler(about))
        case .pgauditlogtofile:
            LineReader(offset: offset, assembler: PGAuditFileAssembler(timezone: about.timezone, head: about.head))
        case .pgbouncer: LineReader(offset: offset, assembler: PgBouncerAssembler(about))
        case .patroni: LineReader(offset: offset, assembler: PatroniAssembler(about))
        case .pgbackrest: LineReader(offset: offset, assembler: PgBackRestAssembler(about))
        case .haproxy: LineReader(offset: offset, assembler: HAProxyAssembler(about))
        }
    }

    /// What a log of this format does not carry, and what to do about it.
    public func gaps(_ about: ReadingFacts) -> [FormatGap] {
        var gaps: [FormatGap] = []
        if self == .stderr, let prefix = about.prefix.map({ LogLinePrefix($0) }) ?? PrefixGuess(about.head).best {
            gaps += prefix.gaps(about.head)
        }
        let reader = reader(about)
        var nobody = Nobody()
        reader.read(about.head, into: &nobody, atEnd: false)
        if !reader.unknownZones.isEmpty {
            let zones = reader.unknownZones.sorted().joined(separator: ", ")
            gaps.append(FormatGap(lacks: "times are taken for UTC: \(zones)", remedy: "set `sources.timezone`"))
        }
        return gaps
    }

    /// Reads a head for what the reader learns of it.
    private struct Nobody: RecordConsumer {
        mutating func take(_ records: RecordBatch) {}
        mutating func takeUnfinished(_ records: RecordBatch) {}
        mutating func skip(_ unread: Unread) {}
        mutating func pass(_ line: TextLine) {}
    }

    /// Words for a file that is none of these.
    public static func describe(_ head: [UInt8]) -> String {
        if head.contains(0) { return "a binary file" }
        return "no log of a known format"
    }
}

/// Something that a log does not carry.
public struct FormatGap: Sendable, Equatable {
    /// What it lacks, and what is not seen for it.
    public let lacks: String
    /// What to do.
    public let remedy: String

    /// Takes both.
    public init(lacks: String, remedy: String) {
        self.lacks = lacks
        self.remedy = remedy
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
    /// What messages of PgBouncer's level LOG, of no connection, somebody asks for: of others only the time is handed over.
    public var wanted = MessageHeads.all

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
