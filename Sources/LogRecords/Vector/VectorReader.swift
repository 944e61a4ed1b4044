import VigilModel

/// Makes of the rows of one stream the records that their files would have given: a server's rows become csvlog's, those
/// of other programs the lines that they were.
public final class VectorReader {
    private let kind: VectorStream.Kind
    private let topic: String?
    private let timezone: String?
    private var fields = VectorFields()
    private var rows = RowBuffer()
    /// Puts lines together; made when the first row has shown what its lines look like.
    private var assembler: LineForm?

    private enum LineForm {
        case pgbouncer(PgBouncerAssembler)
        case patroni(PatroniAssembler)
        case pgbackrest(PgBackRestAssembler)
    }

    /// `timezone` is what the programs of the fleet print local times in.
    public init(_ stream: VectorStream, timezone: String?) {
        kind = stream.kind
        topic = stream.topic
        self.timezone = timezone
    }

    /// Reads a row as the record at that offset. What it gives may wait for the rows behind it.
    public func read(_ row: VectorRow, offset: Int64, into consumer: inout some RecordConsumer) {
        row.line.withUnsafeBufferPointer { line in
            guard fields.read(line) else { return }
            switch kind {
            case .postgres: write(row, line, offset)
            case .events, .unknown: break
            case .pgbouncer, .patroni, .pgbackrest:
                let text = fields[.text] != nil ? VectorKey.text : .message
                write(row, fields.bytes(text, of: line), level: fields.text(.level, of: line), line, offset)
            }
        }
        if rows.isFull { rows.deliver(to: &consumer) }
    }

    /// Hands over all: nothing that came so far waits for more.
    public func finish(into consumer: inout some RecordConsumer) {
        switch assembler {
        case .pgbouncer(var lines):
            assembler = nil
            lines.finish(into: &rows)
            assembler = .pgbouncer(lines)
        case .patroni(var lines):
            assembler = nil
            lines.finish(into: &rows)
            assembler = .patroni(lines)
        case .pgbackrest(var lines):
            assembler = nil
            lines.finish(into: &rows)
            assembler = .pgbackrest(lines)
        case nil: break
        }
        rows.deliver(to: &consumer)
    }

    // MARK: - The server

    private func write(_ row: VectorRow, _ line: UnsafeBufferPointer<UInt8>, _ offset: Int64) {
        rows.beginRow()
        for (column, key) in VectorKey.columns.enumerated() {
            if let key {
                if let value = fields[key] { write(value, line) }
            } else if column == LogColumn.sqlState.rawValue {
                if let state = fields[.sqlState] { write(state, line) } else { rows.bytes += VectorReader.success }
            } else if let name = fields[.application] {
                write(name, line)
            } else {
                // csvlog shows an empty name; an empty field is none here.
                rows.bytes += [34, 34]
            }
            rows.endColumn()
        }
        rows.endRow(offset: offset, time: row.time)
    }

    private static let success = Array("00000".utf8)

    private func write(_ value: JSONValue, _ line: UnsafeBufferPointer<UInt8>) {
        let text = UnsafeBufferPointer(rebasing: line[value.range])
        guard value.isEscaped else { return rows.bytes.append(contentsOf: text) }
        rows.bytes.append(34)
        JSONText.append(text, to: &rows.bytes, quotes: 2)
        rows.bytes.append(34)
    }

    // MARK: - Other programs

    /// Gives a row's lines to the assembler, behind the head that they were taken from.
    private func write(
        _ row: VectorRow, _ text: [UInt8], level: String?, _ line: UnsafeBufferPointer<UInt8>, _ offset: Int64
    ) {
        let hasHead = text.withUnsafeBufferPointer(PrintedTime.isTime)
        if assembler == nil { assembler = form(hasHead: hasHead) }
        let bytes = hasHead || kind == .pgbouncer ? text : head(row.time, level) + text
        let end = offset + Int64(bytes.count)
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        let pid = fields.bytes(.process, of: line)
        for part in lines {
            Array(part).withUnsafeBufferPointer { part in
                let whole = LogLine(bytes: part, offset: offset, end: end, isTorn: false)
                switch assembler {
                case .pgbouncer(var lines):
                    // Taken out, so that it is changed in place.
                    assembler = nil
                    // A row without a head of its own tells time and process beside it.
                    pid.withUnsafeBufferPointer { lines.take(whole, sentAt: row.time, by: $0, into: &rows) }
                    assembler = .pgbouncer(lines)
                case .patroni(var lines):
                    assembler = nil
                    lines.take(whole, into: &rows)
                    assembler = .patroni(lines)
                case .pgbackrest(var lines):
                    assembler = nil
                    lines.take(whole, into: &rows)
                    assembler = .pgbackrest(lines)
                case nil: break
                }
            }
        }
    }

    /// `_time` is in UTC, and so is the head that is made of it; one that is still there is as the program prints it.
    private func form(hasHead: Bool) -> LineForm? {
        var about = ReadingFacts(timezone: hasHead ? timezone ?? "UTC" : "UTC")
        switch kind {
        case .pgbouncer: return .pgbouncer(PgBouncerAssembler(about))
        case .patroni: return .patroni(PatroniAssembler(about))
        case .pgbackrest:
            about.head = VectorReader.fileHead(topic)
            return .pgbackrest(PgBackRestAssembler(about))
        case .postgres, .events, .unknown: return nil
        }
    }

    private func head(_ time: LogTime, _ level: String?) -> [UInt8] {
        let clock = time.formatted(separator: " ")
        return Array(
            (kind == .patroni
                ? "\(clock) +0000 \(VectorReader.patroniLevel(level)): "
                : "\(clock) P00 \(VectorReader.pgBackRestLevel(level)): ").utf8)
    }

    /// The words of syslog that Pigsty's Vector makes of the programs' own.
    private static func patroniLevel(_ level: String?) -> String {
        switch level {
        case "crit": "CRITICAL"
        case "err", "error": "ERROR"
        case "warning", "warn": "WARNING"
        case "debug": "DEBUG"
        default: "INFO"
        }
    }

    private static func pgBackRestLevel(_ level: String?) -> String {
        switch level {
        case "err", "error", "crit": " ERROR"
        case "warning", "warn": "  WARN"
        case "debug": " DEBUG"
        default: "  INFO"
        }
    }

    /// What the start of one of pgBackRest's files says, by the file's name: `STANZA-COMMAND`.
    private static func fileHead(_ topic: String?) -> [UInt8] {
        let commands = [
            "backup", "expire", "restore", "check", "archive-push", "archive-get", "archive-push-async",
            "archive-get-async", "stanza-create", "stanza-upgrade", "stanza-delete", "verify", "start", "stop", "info",
        ]
        guard let topic,
            let command = commands.filter({ topic.hasSuffix("-\($0)") }).max(by: { $0.utf8.count < $1.utf8.count })
        else { return [] }
        let stanza = topic.dropLast(command.count + 1)
        let name = command.hasSuffix("-async") ? "\(command.dropLast(6)):async" : command
        // Only names that pgBackRest itself takes for a stanza.
        guard stanza.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 34 }) else { return [] }
        return Array(
            """
            -------------------PROCESS START-------------------
            2000-01-01 00:00:00.000 P00   INFO: \(name) command begin 2: --stanza=\(stanza)

            """.utf8)
    }
}
