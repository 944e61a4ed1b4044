import Patterns
import VigilModel

/// Finds holes in the numbers of a session's records: in `session_line_num`, which each process of the server counts up
/// with each record that it writes to csvlog, and to jsonlog by another counter (csvlog.c, jsonlog.c), and in pgaudit's
/// statement ids, which count the statements that pgaudit logged (pgaudit.c).
///
/// A hole is one between two records of a session in one unbroken reading: the first record of a session may have any
/// number, and what lies between bytes that could not be read, or a day apart, says nothing. So rotation, restarts, pids
/// that come again, files put behind each other and copies raise nothing.
public struct LineGapTracker: Sendable {
    private var lines = LineCounters(sets: 11)
    private var audits = LineCounters(sets: 9)
    private var last = LogTime.distantPast
    /// Where bytes start behind which nothing is compared with what was before; none when records came since.
    private var broken: Int64?
    /// Records before this offset were taken by an earlier run.
    private var start: Int64

    /// Milliseconds forward, and back, from one record to the next behind which nothing is compared: files of other days
    /// were put behind each other.
    private static let seam: (forward: Int64, back: Int64) = (86_400_000, 600_000)

    /// Knows of no session.
    public init(from start: Int64 = 0) { self.start = start }

    /// Takes records in file order; gives the holes before them.
    public mutating func take(_ batch: RecordBatch) -> [LineGap] {
        var gaps: [LineGap] = []
        for number in 0..<batch.count { take(batch[number], number) { gaps.append($0) } }
        return gaps
    }

    /// Takes one record that was told of before.
    public mutating func take(_ record: LogRecord) { take(record, 0) { _ in } }

    /// Takes one record, the batch's `number`th.
    @inline(__always)
    mutating func take(_ record: LogRecord, _ number: Int, _ found: (LineGap) -> Void) {
        guard record.form == .columns, record.dataset == .postgresql, record.offset >= start else { return }
        let step = record.time.milliseconds &- last.milliseconds
        if broken != nil || step >= LineGapTracker.seam.forward || step <= -LineGapTracker.seam.back { forget() }
        last = record.time
        guard let session = LineGapTracker.session(of: record), let line = record.short(.sessionLine) else { return }
        if let before = lines.take(session, line), line &- before > 1 {
            found(LineGap(record: number, counter: .lines, first: Int64(before) + 1, last: Int64(line) - 1))
            // Statements that are missing with their records are no second finding.
            _ = audits.take(session, 0)
        }
        guard record.head(.message) & LineGapTracker.auditMask == LineGapTracker.auditHead,
            let id = LineGapTracker.statement(of: record), let before = audits.take(session, id), id &- before > 1
        else { return }
        found(LineGap(record: number, counter: .audit, first: Int64(before) + 1, last: Int64(id) - 1))
    }

    /// Says that records may be missing at that offset for another reason: bytes that could not be read, or are none.
    public mutating func lose(at offset: Int64) {
        guard offset >= start else { return }
        broken = min(broken ?? .max, offset)
    }

    private mutating func forget() {
        broken = nil
        lines.forget()
        audits.forget()
    }

    /// The session's id, a start time and a pid in hex, as a number of its own: no client has a say in it.
    @inline(__always)
    private static func session(of record: LogRecord) -> UInt64? {
        let length = record.contentRange(.sessionID).count
        guard length >= 8, length <= 24 else { return nil }
        var hash = record.head(.sessionID) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 29
        hash = (hash ^ record.tail(.sessionID)) &* 0xBF58_476D_1CE4_E5B9
        hash ^= hash >> 32
        return (hash ^ UInt64(length)) &* 0x94D0_49BB_1331_11EB
    }

    /// `AUDIT: ` as `LogRecord.head` gives it.
    private static let auditHead: UInt64 = 0x20_3A54_4944_5541
    private static let auditMask: UInt64 = 0xFF_FFFF_FFFF_FFFF

    /// The statement id of a record of pgaudit's, which never has a context: what a function raises does.
    private static func statement(of record: LogRecord) -> UInt32? {
        guard record.isEmpty(.context) else { return nil }
        return record.withContent(.message) { message in
            var at = LineGapTracker.statementStart(message)
            let end = min(at + 10, message.count)
            var id: UInt32 = 0
            while at > 0, at < end {
                let digit = message[at] &- 48
                guard digit < 10 else { return message[at] == 44 ? id : nil }
                let (product, isLarge) = id.multipliedReportingOverflow(by: 10)
                guard !isLarge, product <= UInt32.max - 9 else { return nil }
                id = product + UInt32(digit)
                at += 1
            }
            return nil
        }
    }

    /// Where the statement id stands in a message of pgaudit's; 0: it is none.
    @inline(__always)
    private static func statementStart(_ message: UnsafeBufferPointer<UInt8>) -> Int {
        guard message.count > 15 else { return 0 }
        let word = UnsafeRawBufferPointer(message).loadUnaligned(fromByteOffset: 7, as: UInt64.self).littleEndian
        return word == session ? 15 : word & auditMask == object ? 14 : 0
    }

    /// `SESSION,` and `OBJECT,` as they are read there.
    private static let session: UInt64 = 0x2C4E_4F49_5353_4553
    private static let object: UInt64 = 0x2C_5443_454A_424F

    // MARK: - Going on

    /// What a reading that goes on at that offset must know.
    public func state(at offset: Int64) -> [UInt8] {
        let lines = lines.bytes
        // Torn bytes at the end may be a whole record by then.
        var bytes: [UInt8] = [broken.map { $0 < offset } == true ? 1 : 0]
        withUnsafeBytes(of: last.milliseconds.littleEndian) { bytes += $0 }
        withUnsafeBytes(of: UInt32(lines.count).littleEndian) { bytes += $0 }
        return bytes + lines + audits.bytes
    }

    /// Takes what `state` was there; knows of no session when that is damaged.
    public mutating func restore(_ state: [UInt8]) {
        guard state.count >= 13 else { return }
        let time = state[1..<9].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let length = Int(state[9..<13].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        guard length <= state.count - 13 else { return }
        last = LogTime(milliseconds: Int64(bitPattern: time))
        lines.restore(state[13..<(13 + length)])
        audits.restore(state[(13 + length)...])
        if state[0] == 1 { broken = 0 }
    }

    /// Says that records before that offset will come a second time.
    public mutating func resume(at offset: Int64) { start = offset }
}

extension LogRecord {
    /// A column of up to nine digits as a number.
    @inline(__always)
    fileprivate func short(_ column: LogColumn) -> UInt32? {
        withContent(column) { digits in
            guard !digits.isEmpty, digits.count <= 9 else { return nil }
            var value: UInt32 = 0
            for digit in digits {
                guard digit &- 48 < 10 else { return nil }
                value = value &* 10 &+ UInt32(digit &- 48)
            }
            return value
        }
    }
}
