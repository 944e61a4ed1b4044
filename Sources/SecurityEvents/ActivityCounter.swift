import Glibc
import VigilModel

/// Counts connection lines and pgaudit's records by hour, user and database. Most of a busy log comes by here, so what was
/// seen last is found by its raw bytes, with no text made.
struct ActivityCounter {
    private struct Slot {
        var hour: Int64 = -1
        /// The command, or the fields of pgaudit's record that tell what was done.
        var what: [UInt8] = []
        var user: [UInt8] = []
        var database: [UInt8] = []
        var count: Int64 = 0
        var key: Activity?
    }

    private var slots = [Slot](repeating: Slot(), count: ActivityCounter.size)
    /// Places that were taken since the counts were given.
    private var taken: [Int] = []
    private var totals: [Activity: Int64] = [:]

    private static let size = 1024

    /// Counts a record.
    mutating func count(_ command: String, _ record: LogRecord, at time: LogTime) {
        var command = command
        command.withUTF8 { what in
            count(what, record, at: time) { hour in
                Activity(
                    hour: hour, command: String(decoding: what, as: UTF8.self), user: record.text(.userName),
                    database: record.text(.databaseName))
            }
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
        let index = ActivityCounter.place(what, record)
        if slots[index].hour == hour, ActivityCounter.isSame(slots[index].what, what),
            record.equals(.userName, slots[index].user), record.equals(.databaseName, slots[index].database)
        {
            slots[index].count += 1
            return
        }
        if slots[index].key == nil { taken.append(index) } else { flush(index) }
        slots[index] = Slot(
            hour: hour, what: Array(what), user: record.withContent(.userName) { Array($0) },
            database: record.withContent(.databaseName) { Array($0) }, count: 1, key: key(hour))
    }

    private static func isSame(_ known: [UInt8], _ what: UnsafeBufferPointer<UInt8>) -> Bool {
        guard known.count == what.count, let base = what.baseAddress else { return known.isEmpty && what.isEmpty }
        return memcmp(known, base, what.count) == 0
    }

    private static func place(_ what: UnsafeBufferPointer<UInt8>, _ record: LogRecord) -> Int {
        var hash = PlaceHash()
        hash.combine(UnsafeRawBufferPointer(what))
        record.withContent(.userName) { hash.combine(UnsafeRawBufferPointer($0)) }
        record.withContent(.databaseName) { hash.combine(UnsafeRawBufferPointer($0)) }
        return Int(truncatingIfNeeded: hash.place >> 32) & (size - 1)
    }

    private mutating func flush(_ index: Int) {
        if let key = slots[index].key { totals[key, default: 0] += slots[index].count }
        slots[index].key = nil
        slots[index].hour = -1
    }

    /// Gives what was counted since the last time.
    mutating func take() -> [Activity: Int64] {
        for index in taken { flush(index) }
        taken.removeAll(keepingCapacity: true)
        defer { totals = [:] }
        return totals
    }
}
