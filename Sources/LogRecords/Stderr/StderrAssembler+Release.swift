import VigilModel

/// How lines leave: as records, as text, or as what should have been a record.
extension StderrAssembler {
    /// A line that cannot be a piece of a prefix.
    mutating func passOver(_ line: LogLine, _ kind: HeldLine.Kind, into rows: inout RowBuffer) {
        if kind == .loose, let row = StrayRow(line) {
            stray = row
            return endRow(ifWhole: true, into: &rows)
        }
        tell(line.bytes, kind, offset: line.offset, end: line.end, into: &rows)
    }

    func tell(
        _ bytes: UnsafeBufferPointer<UInt8>, _ kind: HeldLine.Kind, offset: Int64, end: Int64,
        into rows: inout RowBuffer
    ) {
        if kind == .unfinished {
            rows.skip(offset: offset, end: end, reason: "no severity behind the log_line_prefix")
        } else if bytes.count > 20, bytes[4] == 45, bytes[7] == 45, bytes[13] == 58,
            labels.isAny(in: bytes, from: 20, before: min(bytes.count, 400))
        {
            rows.skip(offset: offset, end: end, reason: "a line that does not fit the log_line_prefix")
        } else {
            rows.pass(offset: offset, end: end)
        }
    }

    /// Hands over what no line from that offset on can change. Parts may still come for the last record, and, over more
    /// lines, for one with names that look like something else.
    mutating func release(before offset: Int64, withLastRecord: Bool, into rows: inout RowBuffer) {
        while !lines.isEmpty {
            let line = lines[0]
            guard offset > line.nameEnd else { return }
            if line.kind == .record {
                if !withLastRecord, lines.lastRecord(before: lines.count) == 0 { return }
                let isOdd = line.isHostile || !line.readings.isEmpty
                if isOdd, lines.count == 1 || offset <= lines[1].nameEnd { return }
            }
            release(into: &rows)
        }
    }

    /// Hands over the oldest line.
    mutating func release(into rows: inout RowBuffer) {
        let line = lines[0]
        let (offset, end) = (line.offset, line.end)
        if line === current { current = nil }
        if line.isForged || !line.readings.isEmpty {
            rows.skip(offset: offset, end: end, reason: StderrAssembler.forged)
        } else if line.kind == .record {
            self.rows.finish(&line.draft, line.reading.label, line.knowledge)
            rows.append(&line.draft)
        } else {
            line.raw.withUnsafeBufferPointer {
                tell($0, line.isPart ? .loose : line.kind, offset: offset, end: end, into: &rows)
            }
        }
        lines.removeFirst()
    }

    static let forged = "text of a client makes this readable in two ways"

    // MARK: - Rows of csvlog

    mutating func endRow(ifWhole: Bool = false, into rows: inout RowBuffer) {
        guard let row = stray, !ifWhole || row.isOver else { return }
        stray = nil
        if let draft = row.draft(&self.rows) {
            rows.append(draft)
        } else {
            rows.skip(offset: row.offset, end: row.end, reason: "a row of csvlog that is damaged")
        }
    }
}
