import VigilModel

/// Counts connection lines by hour, user and database. A quarter of a busy log comes by here, so the last users seen
/// are found by their raw bytes, with no text made.
struct ActivityCounter {
    private struct Slot {
        var hour: Int64 = -1
        var command = ""
        var user: [UInt8] = []
        var database: [UInt8] = []
        var count: Int64 = 0
        var key: Activity?
    }

    private var slots = [Slot](repeating: Slot(), count: 256)
    private var totals: [Activity: Int64] = [:]

    /// Counts a record.
    mutating func count(_ command: String, _ record: LogRecord, at time: LogTime) {
        let hour = time.milliseconds / 3_600_000
        let index = record.withContent(.userName) { user in
            record.withContent(.databaseName) { database in
                (ActivityCounter.mix(user) &* 31 &+ ActivityCounter.mix(database) &+ command.utf8.count) & 255
            }
        }
        if slots[index].hour == hour, slots[index].command == command, isSame(slots[index], record) {
            slots[index].count += 1
            return
        }
        flush(index)
        slots[index] = Slot(
            hour: hour, command: command, user: record.withContent(.userName) { Array($0) },
            database: record.withContent(.databaseName) { Array($0) }, count: 1,
            key: Activity(
                hour: hour, command: command, user: record.text(.userName), database: record.text(.databaseName)))
    }

    /// Counts a record of pgaudit's.
    mutating func count(_ audit: AuditRecord, _ record: LogRecord, at time: LogTime) {
        let key = Activity(
            hour: time.milliseconds / 3_600_000, command: audit.command, user: record.text(.userName),
            database: record.text(.databaseName), auditClass: audit.auditClass, object: audit.objectName)
        totals[key, default: 0] += 1
    }

    private static func mix(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        guard let first = bytes.first, let last = bytes.last else { return 0 }
        return Int(first) &* 7 &+ Int(last) &* 13 &+ bytes.count &* 101
    }

    private func isSame(_ slot: Slot, _ record: LogRecord) -> Bool {
        record.equals(.userName, slot.user) && record.equals(.databaseName, slot.database)
    }

    private mutating func flush(_ index: Int) {
        if let key = slots[index].key { totals[key, default: 0] += slots[index].count }
        slots[index].key = nil
        slots[index].hour = -1
    }

    /// Gives what was counted since the last time.
    mutating func take() -> [Activity: Int64] {
        for index in slots.indices { flush(index) }
        defer { totals = [:] }
        return totals
    }
}
