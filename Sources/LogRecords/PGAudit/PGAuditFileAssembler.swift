import VigilModel

/// Reads the files of pgauditlogtofile, 1.0 to 1.8.4, csv and json. Each line shows which form it has, since a file goes
/// on through upgrades and changes of `pgaudit.log_format`.
///
/// Entries of pgaudit come out as the server would have logged them, `AUDIT: …`; connections, disconnections and failed
/// logins likewise. Rows have no line number that could be told from those of the server's own log.
public struct PGAuditFileAssembler: LineAssembler {
    private var times: PGAuditTime
    private var draft = DraftRecord()
    private var json = PGAuditJSON()
    private var escaped = PGAuditEscaped()
    private var block: PGAuditBlock
    /// Lines to read again after damage, the first one last.
    private var again: [KeptLine] = []
    /// Most bytes that a row may go on for. After damage it is less until a row is whole, so that a file full of
    /// damage is not read over and over.
    private var limit = Int.max

    private static let limitAfterDamage = 16 << 10

    /// `timezone` is the source's configured zone, `head` the start of the file.
    public init(timezone: String?, head: [UInt8]) {
        times = head.withUnsafeBufferPointer { PGAuditTime(timezone: timezone, head: $0) }
        let anchor = head.withUnsafeBufferPointer { PGAuditStart.firstAnchor($0) }
        block = PGAuditBlock(mayBeQuoted: anchor?.isQuoted ?? false)
    }

    /// Where the row that waits for lines starts.
    public var held: Int64? { block.offset }

    /// Zone abbreviations that nothing explains.
    public var unknownZones: Set<String> { times.unknownZones }

    private static let tornEnd = "the last record is torn: its end is missing"
    private static let none = "no row of pgauditlogtofile"

    /// Takes a line.
    public mutating func take(_ line: LogLine, into rows: inout RowBuffer) {
        takeOne(line, into: &rows)
        while let again = again.popLast() { again.with { takeOne($0, into: &rows) } }
    }

    private mutating func takeOne(_ line: LogLine, into rows: inout RowBuffer) {
        if !block.isEmpty {
            let isStart = PGAuditStart.isAny(line.bytes)
            let mayEnd = isStart ? block.isComplete : block.isSettled
            if !mayEnd || block.takesOver(line) { return add(line, into: &rows) }
            deliver(into: &rows)
        }
        takeStart(line, into: &rows)
    }

    /// No more lines will come.
    public mutating func finish(into rows: inout RowBuffer) {
        if block.isComplete { return deliver(into: &rows) }
        guard let offset = block.offset, let last = block.lines.last else { return }
        skip(offset: offset, end: last.end, PGAuditFileAssembler.tornEnd, into: &rows)
        // A torn line is read again with what follows; else the lines stay here.
        if last.isTorn { block.clear() }
    }

    /// No lines have come for a while.
    public mutating func settle(into rows: inout RowBuffer) {
        if block.isComplete { deliver(into: &rows) }
    }

    /// Takes a line that begins a record, if it is one.
    private mutating func takeStart(_ line: LogLine, into rows: inout RowBuffer) {
        var rest: LogLine? = line
        while let line = rest {
            switch line.bytes.first {
            case 123: rest = takeJSON(line, into: &rows)
            case 34: rest = takeEscaped(line, into: &rows)
            case _ where PGAuditStart.isTime(line.bytes, before: 44): return add(line, into: &rows)
            case _ where line.bytes.allSatisfy({ $0 <= 32 && $0 > 0 }): return rows.pass(line)
            default: rest = resume(line, PGAuditFileAssembler.none, after: 0, into: &rows)
            }
        }
    }

    // MARK: - json and escaped csv

    private mutating func takeJSON(_ line: LogLine, into rows: inout RowBuffer) -> LogLine? {
        switch json.read(line.bytes, from: 0) {
        case .whole(let end):
            if let reason = json.deliver(line, &times, &draft, into: &rows) { rows.skip(line, reason: reason) }
            if line.bytes[end...].allSatisfy({ $0 <= 32 && $0 > 0 }) { return nil }
            return resume(line.part(from: end), "bytes behind a record", after: 0, into: &rows)
        case .open where line.isCut:
            if let reason = json.deliver(line, &times, &draft, into: &rows) { rows.skip(line, reason: reason) }
            return nil
        case .open, .openPath:
            let reason = line.isTorn ? PGAuditFileAssembler.tornEnd : "a torn record: its end is missing"
            return resume(line, reason, after: 1, into: &rows)
        case .broken: return resume(line, "a damaged JSON object", after: 1, into: &rows)
        }
    }

    private mutating func takeEscaped(_ line: LogLine, into rows: inout RowBuffer) -> LogLine? {
        guard let reason = escaped.take(line, &times, &draft, into: &rows) else { return nil }
        return resume(line, line.isTorn ? PGAuditFileAssembler.tornEnd : reason, after: 1, into: &rows)
    }

    /// Goes on at the next place in a damaged line where a record starts: two processes may have written into each
    /// other, or one died in the middle of a row.
    private func resume(
        _ line: LogLine, _ reason: String, after: Int, into rows: inout RowBuffer
    ) -> LogLine? {
        var at = after
        while at + 24 < line.bytes.count {
            // No text can show that: quotes within it are escaped in those forms, and damage is proven.
            let rest = UnsafeBufferPointer(rebasing: line.bytes[at...])
            let isRecord =
                switch rest[0] {
                case 123: rest.starts(with: PGAuditJSON.opening)
                case 34: PGAuditStart.isEscapedRow(rest)
                case 48...57: PGAuditStart.isRawRow(rest)
                default: false
                }
            if isRecord {
                if at > 0 { rows.skip(line.part(to: at), reason: reason) }
                return line.part(from: at)
            }
            at += 1
        }
        rows.skip(line, reason: reason)
        return nil
    }

    // MARK: - Raw csv

    private mutating func add(_ line: LogLine, into rows: inout RowBuffer) {
        switch block.add(line, limit: limit) {
        case .damaged: giveUp(into: &rows)
        case .open, .complete:
            // A line cut by the line reader has lost the row's end.
            if line.isCut, block.isEndless { deliver(into: &rows) }
        }
    }

    /// The row that waits is whole.
    private mutating func deliver(into rows: inout RowBuffer) {
        guard let offset = block.offset, let last = block.lines.last else { return }
        if let reason = block.deliver(&times, &draft, into: &rows) {
            skip(offset: offset, end: last.end, reason, into: &rows)
        }
        block.clear()
        limit = .max
    }

    /// The first line of the row that waits is damaged: it is read again for a row within it, and so are the lines
    /// behind it.
    private mutating func giveUp(into rows: inout RowBuffer) {
        let damaged = block
        block.clear()
        limit = PGAuditFileAssembler.limitAfterDamage
        damaged.bytes.withUnsafeBufferPointer { bytes in
            for (index, line) in damaged.lines.enumerated().reversed() {
                let next = index + 1 < damaged.lines.count ? damaged.lines[index + 1].start - 1 : bytes.count
                let text = UnsafeBufferPointer(rebasing: bytes[line.start..<next])
                let whole = LogLine(bytes: text, offset: line.offset, end: line.end, isTorn: line.isTorn)
                if index > 0 {
                    again.append(KeptLine(whole))
                } else if let rest = resume(whole, "a damaged row", after: 1, into: &rows) {
                    again.append(KeptLine(rest))
                }
            }
        }
    }

    private func skip(offset: Int64, end: Int64, _ reason: String, into rows: inout RowBuffer) {
        let none = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        rows.skip(LogLine(bytes: none, offset: offset, end: end, isTorn: false), reason: reason)
    }
}
