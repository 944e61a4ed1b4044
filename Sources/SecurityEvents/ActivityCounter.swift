import Glibc
import VigilModel

/// Counts connection lines and pgaudit's records by hour, user and database. Most of a busy log comes by here, so what was
/// seen last is found by its raw bytes, with no text made.
struct ActivityCounter {
    private struct Slot {
        var hour: Int64 = -1
        /// The command, or the fields of pgaudit's record that tell what was done, and behind it user and database as they
        /// stand in the row, in `bytes`.
        var what = 0..<0
        var names = 0..<0
        var count: Int64 = 0
    }

    private var slots = [Slot](repeating: Slot(), count: ActivityCounter.size)
    private var keys = [Activity?](repeating: nil, count: ActivityCounter.size)
    private var bytes: [UInt8] = []
    /// Places that were taken since the counts were given.
    private var taken: [Int] = []
    private var totals: [Activity: Int64] = [:]

    private static let size = 1024
    /// So many bytes are remembered before what was counted is put together.
    private static let mostBytes = 1 << 20

    /// Counts a record.
    mutating func count(_ command: String, _ record: LogRecord, at time: LogTime) {
        var command = command
        command.withUTF8 { count(command: $0, record, at: time) }
    }

    /// Counts a record under a command's text.
    mutating func count(command: UnsafeBufferPointer<UInt8>, _ record: LogRecord, at time: LogTime) {
        count(command, record, at: time) { hour in
            Activity(
                hour: hour, command: String(decoding: command, as: UTF8.self), user: record.text(.userName),
                database: record.text(.databaseName))
        }
    }

    /// Counts a record of pgaudit's by the `AuditFields.head` of its raw message.
    mutating func count(audited record: LogRecord, _ head: Range<Int>, at time: LogTime) {
        record.withContent(.message) { raw in
            count(UnsafeBufferPointer(rebasing: raw[head]), record, at: time) { hour in
                AuditRecord(record.content(.message)).map { ActivityCounter.activity($0, record, hour) }
            }
        }
    }

    /// Counts a record of pgaudit's.
    mutating func count(_ audit: AuditRecord, _ record: LogRecord, at time: LogTime) {
        totals[ActivityCounter.activity(audit, record, ActivityCounter.hour(time)), default: 0] += 1
    }

    private static func activity(_ audit: AuditRecord, _ record: LogRecord, _ hour: Int64) -> Activity {
        Activity(
            hour: hour, command: audit.command, user: record.text(.userName), database: record.text(.databaseName),
            auditClass: audit.auditClass, object: audit.objectName)
    }

    private static func hour(_ time: LogTime) -> Int64 { time.milliseconds / 3_600_000 }

    @inline(__always)
    private mutating func count(
        _ what: UnsafeBufferPointer<UInt8>, _ record: LogRecord, at time: LogTime, _ key: (Int64) -> Activity?
    ) {
        let hour = ActivityCounter.hour(time)
        record.withRow(from: .userName, through: .databaseName) { names in
            let index = ActivityCounter.place(what, names)
            if slots[index].hour == hour, isSame(slots[index].what, what), isSame(slots[index].names, names) {
                slots[index].count += 1
                return
            }
            take(index, hour, what, names, key(hour))
        }
    }

    private mutating func take(
        _ index: Int, _ hour: Int64, _ what: UnsafeBufferPointer<UInt8>, _ names: UnsafeBufferPointer<UInt8>,
        _ key: Activity?
    ) {
        if bytes.count > ActivityCounter.mostBytes { flush() }
        if keys[index] == nil { taken.append(index) } else { flush(index) }
        let start = bytes.count
        bytes += what
        bytes += names
        slots[index] = Slot(
            hour: hour, what: start..<start + what.count, names: start + what.count..<bytes.count, count: 1)
        keys[index] = key
    }

    @inline(__always)
    private func isSame(_ known: Range<Int>, _ wanted: UnsafeBufferPointer<UInt8>) -> Bool {
        guard known.count == wanted.count else { return false }
        guard let base = wanted.baseAddress, !wanted.isEmpty else { return true }
        return bytes.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return false }
            return memcmp(start + known.lowerBound, base, known.count) == 0
        }
    }

    private static func place(_ what: UnsafeBufferPointer<UInt8>, _ names: UnsafeBufferPointer<UInt8>) -> Int {
        var hash = PlaceHash()
        hash.combine(what)
        hash.combine(names)
        return Int(truncatingIfNeeded: hash.place >> 32) & (size - 1)
    }

    private mutating func flush(_ index: Int) {
        if let key = keys[index] { totals[key, default: 0] += slots[index].count }
        keys[index] = nil
        slots[index].hour = -1
    }

    /// Puts together what was counted.
    private mutating func flush() {
        for index in taken { flush(index) }
        taken.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }

    /// Gives what was counted since the last time.
    mutating func take() -> [Activity: Int64] {
        flush()
        defer { totals = [:] }
        return totals
    }
}
