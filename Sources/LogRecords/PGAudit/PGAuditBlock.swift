import VigilModel

/// The lines of one raw row (1.0 to 1.7.0), gathered until its end is known. A row may go on over lines: statements are
/// quoted, but names, details and contexts are not.
///
/// Whoever connects chooses 63 bytes of user and 63 of database, line feeds included, and can write the start of a row
/// of his own there. But the server's own columns follow within those 127 bytes, so the last place there that reads like
/// them is the true one.
struct PGAuditBlock {
    /// What a line did to the row.
    enum Outcome {
        case open
        /// The row may end here.
        case complete
        /// Not a row that goes on like that.
        case damaged
    }

    struct Line {
        let start: Int
        let offset: Int64
        let end: Int64
        let isTorn: Bool
    }

    /// The file is one of 1.0 or 1.1, which quote as csvlog does.
    let mayBeQuoted: Bool
    private(set) var bytes: [UInt8] = []
    private(set) var lines: [Line] = []
    private var timeEnd = 0
    private var row: PGAuditRow?
    /// The row was long enough to be cut; its bytes are only looked at for its end.
    private var isCut = false
    /// Only the last anchor is believed.
    private var trustsLast = false

    /// Most bytes kept of a row.
    private static let longest = 4 << 20
    /// Behind the time, an anchor begins within the names' reach, and goes on over a line feed only in a client's own
    /// socket path.
    private var anchorReach: Int { (mayBeQuoted ? PGAuditNames.quotedReach : PGAuditNames.reach) + RawPort.reach }

    init(mayBeQuoted: Bool) { self.mayBeQuoted = mayBeQuoted }

    var isEmpty: Bool { lines.isEmpty }
    var offset: Int64? { lines.first?.offset }
    /// The row may end here.
    var isComplete: Bool { row?.scan.isComplete ?? false }

    /// The row has all its columns, and none that could go on in another line.
    var isSettled: Bool { isComplete && bytes.withUnsafeBufferPointer { row?.isSettled($0) ?? false } }

    /// Forgets the row.
    mutating func clear() {
        bytes.removeAll(keepingCapacity: bytes.capacity < 1 << 20)
        lines.removeAll(keepingCapacity: true)
        row = nil
        isCut = false
        trustsLast = false
    }

    /// Adds a line. A row that is longer than `limit` is damaged.
    mutating func add(_ line: LogLine, limit: Int) -> Outcome {
        let outcome = add(line)
        return outcome == .open && bytes.count > limit && lines.count > 1 ? .damaged : outcome
    }

    private mutating func add(_ line: LogLine) -> Outcome {
        if let last = lines.last {
            if isCut {
                // Nothing but the place of quotes and commas counts any more.
                let kept = bytes.count
                bytes.append(10)
                bytes += line.bytes
                lines[lines.count - 1] = Line(
                    start: last.start, offset: last.offset, end: line.end, isTorn: line.isTorn)
                let outcome = scan()
                bytes.removeSubrange(kept...)
                row?.scan.rewind(to: kept)
                return outcome
            }
            // The line reader took a carriage return with the line feed.
            if last.end - last.offset == Int64(bytes.count - last.start) + 2 { bytes.append(13) }
            bytes.append(10)
        }
        let mayBeAnother = hasOpenReach || row?.names.isOpen ?? false
        lines.append(Line(start: bytes.count, offset: line.offset, end: line.end, isTorn: line.isTorn))
        bytes += line.bytes
        let outcome = row == nil || mayBeAnother ? find() : scan()
        if bytes.count > PGAuditBlock.longest { isCut = true }
        return outcome
    }

    /// The line that was cut by the line reader ends in the middle of a text: nothing more of it will come.
    var isEndless: Bool { row?.scan.isQuoted ?? true }

    /// The next line may still hold the anchor: its place depends on the length of the names.
    private var hasOpenReach: Bool { bytes.count <= timeEnd + 1 + PGAuditNames.reach }

    /// Looks for the row's anchor.
    private mutating func find() -> Outcome {
        trustsLast = false
        guard let parts = PGAuditTime.parts(bytes[...]), parts.end < bytes.count, bytes[parts.end] == 44 else {
            return .damaged
        }
        timeEnd = parts.end
        row = choose(bytes.count)
        if row != nil { return scan() }
        return bytes.count > timeEnd + anchorReach ? .damaged : .open
    }

    /// The row as one of the anchors has it: the first when it is a plain row of pgaudit, whose statement may hold
    /// anything, else the last one.
    private func choose(_ count: Int) -> PGAuditRow? {
        bytes.withUnsafeBufferPointer { all in
            let bytes = UnsafeBufferPointer(rebasing: all[..<count])
            var best: PGAuditRow?
            let first = timeEnd + 1
            for at in first..<max(first, min(bytes.count, first + PGAuditNames.quotedReach))
            where PGAuditAnchor.mayStart(bytes, at: at) {
                guard let anchor = PGAuditAnchor(bytes, at: at), isOfFile(anchor, bytes[first]),
                    let names = PGAuditNames(bytes, from: first, anchor)
                else { continue }
                let found = PGAuditRow(bytes, timeEnd: timeEnd, anchor: anchor, names: names)
                guard let previous = best else {
                    best = found
                    continue
                }
                let isStatement = previous.scan.kind == .audit && previous.names.isPlain(bytes) && !trustsLast
                if !isStatement, names.isConfirmed || found.scan.kind != .message { best = found }
            }
            return best
        }
    }

    /// Texts that are quoted, or not, as the file has them.
    private func isOfFile(_ anchor: PGAuditAnchor, _ first: UInt8) -> Bool {
        mayBeQuoted ? anchor.isQuoted || first != 34 : !anchor.isQuoted
    }

    /// Reads on to the end of what is there.
    private mutating func scan() -> Outcome {
        let count = bytes.count
        bytes.withUnsafeBufferPointer { row?.scan.advance($0, to: count) }
        guard let row else { return .open }
        guard row.scan.isMalformed || row.scan.isComplete, !trustsLast, !isExact else {
            return row.scan.isMalformed ? .damaged : row.scan.isComplete ? .complete : .open
        }
        // It is no plain row of pgaudit: another anchor may be the true one.
        trustsLast = true
        if let other = choose(count), other.anchor != row.anchor {
            self.row = other
            return rescan()
        }
        return row.scan.isMalformed ? .damaged : .complete
    }

    private mutating func rescan() -> Outcome {
        let count = bytes.count
        bytes.withUnsafeBufferPointer { row?.scan.advance($0, to: count) }
        guard let row else { return .open }
        return row.scan.isMalformed ? .damaged : row.scan.isComplete ? .complete : .open
    }

    private var isExact: Bool { bytes.withUnsafeBufferPointer { row?.isExact($0) ?? false } }

    /// True when a line belongs to this row although the row could end before it: with the line, another anchor comes
    /// within the names' reach.
    func takesOver(_ line: LogLine) -> Bool {
        guard let row, hasOpenReach, !isExact else { return false }
        var longer = self
        _ = longer.add(line)
        guard let other = longer.row else { return false }
        return other.anchor != row.anchor && other.names.isConfirmed
    }

    /// Gives the row to `rows`; words for why it is none.
    func deliver(_ times: inout PGAuditTime, _ draft: inout DraftRecord, into rows: inout RowBuffer) -> String? {
        guard let row, let first = lines.first else { return "no row of pgauditlogtofile" }
        return bytes.withUnsafeBufferPointer { bytes in
            let stamp = bytes[..<timeEnd]
            var start = bytes[row.anchor.sessionStart]
            if start.isEmpty, stamp[19] == 32 { start = stamp }
            guard let time = times.read(stamp, start: start, id: bytes[row.anchor.session]) else {
                return "no log time"
            }
            PGAuditRecord.begin(&draft, offset: first.offset, time: time)
            row.fill(&draft, bytes)
            PGAuditRecord.finish(&draft, to: &rows)
            return nil
        }
    }
}
