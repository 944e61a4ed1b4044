import VigilModel

/// How far a run over many lines came.
struct LineRun {
    /// Bytes of the lines that were taken.
    var taken: Int
    /// Why it ended.
    var end: End

    /// Why a run ended.
    enum End {
        /// The rows are to be handed over; the run may go on behind what was taken.
        case rowsFull
        /// What is left of the block is to be seen again with more behind it.
        case needsMore
        /// That many bytes of lines behind what was taken must be taken one by one.
        case oddLines(Int)
    }
}

/// A record that a run took, as places in its block.
struct RunMark {
    /// Its first byte.
    var start: Int
    /// Up to where a name in its prefix can reach.
    var nameEnd: Int
    /// Rows before its own.
    var rows: Int
}

/// Many lines at once. Nearly all records are beyond doubt: a severity behind a whole prefix, parts of the same process,
/// lines that start with TAB, and nothing in them that looks like another severity. Their rows are made from where they
/// stand in the block. Every other line ends the run, and those whose names could reach it are taken again, one by one:
/// what is found is the same as without.
extension StderrAssembler {
    /// Bytes of a record that may have to be made: a longer one is not for runs.
    private static let room = 64 << 10

    /// More bytes of whole lines than this do not wait for those behind them.
    private static let mostWaiting = 16 << 10

    mutating func takeLines(
        of bytes: UnsafeBufferPointer<UInt8>, at offset: Int64, into rows: inout RowBuffer
    ) -> Int {
        var at = 0
        while at < bytes.count, !rows.isFull, !rows.hasOthers {
            guard let start = startOfRun(at: offset + Int64(at), from: offset) else {
                let next = takeOneByOne(of: bytes, in: at..<at + 1, at: offset, into: &rows)
                if next == at { break }
                at = next
                continue
            }
            at = Int(start - offset)
            let run = run(bytes.from(at), offset: start, into: &rows)
            at += run.taken
            switch run.end {
            // Rows that were given back are made again with those behind them, in empty memory.
            case .rowsFull: return at
            case .oddLines(let count):
                at = takeOneByOne(of: bytes, in: at..<at + count, at: offset, into: &rows)
            case .needsMore:
                let isLong = bytes.count - at > StderrAssembler.mostWaiting
                return isLong ? takeOneByOne(of: bytes, in: at..<bytes.count, at: offset, into: &rows) : at
            }
        }
        return at
    }

    /// Where a run can begin before the line at offset `place` is taken, when the file's bytes from `base` on are at hand:
    /// lines from there on that waited are forgotten. Nil: that line must be taken by itself.
    private mutating func startOfRun(at place: Int64, from base: Int64) -> Int64? {
        guard stray == nil, learning == nil || place >= Int64(LogFormat.sniffLength) else { return nil }
        if lines.isEmpty { return place }
        for index in 0..<lines.count where !lines[index].isPlain { return nil }
        let start = lines[0].offset
        guard start >= base, start >= runFrom else { return nil }
        lines.removeLast(lines.count)
        current = nil
        return start
    }

    /// Takes many lines of a block that starts with one.
    mutating func run(_ block: UnsafeBufferPointer<UInt8>, offset: Int64, into rows: inout RowBuffer) -> LineRun {
        runMarks.removeAll(keepingCapacity: true)
        let run = LineColumns.with(room: StderrAssembler.room) { columns in
            self.run(block, offset: offset, &columns, into: &rows)
        }
        if case .oddLines(let count) = run.end { runFrom = offset + Int64(run.taken + count) }
        return run
    }

    private mutating func run(
        _ block: UnsafeBufferPointer<UInt8>, offset: Int64, _ columns: inout LineColumns, into rows: inout RowBuffer
    ) -> LineRun {
        var record = RunRecord()
        var at = 0
        while !rows.isFull {
            let end = block.first(10, in: at..<block.count)
            guard end < block.count, let base = block.baseAddress else {
                return stop(record, .needsMore, into: &rows)
            }
            let odd = LineRun.End.oddLines(end + 1)
            // A carriage return belongs to the text, unless all lines have one.
            if end > at, block[end - 1] == 13 { return stop(record, odd, into: &rows) }
            let line = UnsafeBufferPointer(start: base + at, count: end - at)
            if line.first == 9 {
                guard record.isBegun, at > record.nameEnd || !labels.isAny(in: line, from: 0, before: line.count)
                else { return stop(record, odd, into: &rows) }
                if let column = record.column { columns.extend(column, to: base + end) }
            } else {
                guard prefix.readHead(line, &reading),
                    prefix.readLabel(line, from: reading.headEnd, labels: labels, &reading),
                    prefix.span == 0 || !hasOtherLabel(line)
                else { return stop(record, odd, into: &rows) }
                if reading.label.isSeverity {
                    guard let time = self.rows.time(line, reading.fields), close(record, block, &columns, into: &rows)
                    else { return stop(record, odd, into: &rows) }
                    let nameEnd = prefix.span > 0 ? at + reading.headEnd + prefix.span : at - 1
                    record = RunRecord(
                        isBegun: true, start: at, end: end, nameEnd: nameEnd, column: .message, reading: reading)
                    self.rows.begin(&columns, line, reading, offset: offset + Int64(at), time: time)
                } else {
                    guard record.isBegun,
                        isSameProcess(line, reading, block.part(record.start..<record.end), record.reading)
                    else { return stop(record, odd, into: &rows) }
                    self.rows.add(reading.label, line.from(reading.textStart), to: &columns)
                    record.column = reading.label.column
                }
            }
            at = end + 1
        }
        return stop(record, .rowsFull, into: &rows)
    }

    /// Adds the row of a record behind which another one stands. False when the record is not beyond doubt.
    private mutating func close(
        _ record: RunRecord, _ block: UnsafeBufferPointer<UInt8>, _ columns: inout LineColumns,
        into rows: inout RowBuffer
    ) -> Bool {
        guard record.isBegun else { return true }
        columns.untab()
        let knowledge = self.rows.knowledge(of: columns, block.part(record.start..<record.end), record.reading)
        if prefix.span > 0, self.rows.isAtOdds(knowledge, record.reading) { return false }
        self.rows.finish(&columns, record.reading.label, knowledge)
        guard !columns.isOverfull else { return false }
        runMarks.append(RunMark(start: record.start, nameEnd: record.nameEnd, rows: rows.rowCount))
        rows.append(columns)
        return true
    }

    /// Ends a run: the records that what comes could still change are given back, the one that is not whole among them.
    private mutating func stop(
        _ record: RunRecord, _ end: LineRun.End, into rows: inout RowBuffer
    ) -> LineRun {
        var taken = record.start
        while let last = runMarks.popLast(), last.nameEnd >= record.start {
            taken = last.start
            rows.takeBack(to: last.rows)
        }
        guard case .oddLines(let upTo) = end else { return LineRun(taken: taken, end: end) }
        return LineRun(taken: taken, end: .oddLines(upTo - taken))
    }
}

/// The record that a run is at, as places in its block.
struct RunRecord {
    /// False before the first one.
    var isBegun = false
    /// Its first line.
    var start = 0
    var end = 0
    /// Up to where a name in its prefix can reach.
    var nameEnd = -1
    /// The column that lines starting with TAB go on.
    var column: LogColumn?
    /// How its first line is read.
    var reading = LineReading()
}
