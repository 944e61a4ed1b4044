import VigilModel

/// Connections that an event was made for: PgBouncer tells of one failed login in up to five lines, which are one event.
struct ConnectionTracker {
    private struct Entry {
        var key: UInt64
        var time: LogTime
        var offset: Int64
        var clockBefore: LogTime
    }

    /// Milliseconds of log time within which lines about one connection belong together. A connection's pointer and port
    /// are used again later.
    private static let span: Int64 = 5000
    private var known: [UInt64: LogTime] = [:]
    private var queue: [Entry] = []
    private var front = 0

    /// The oldest record that a reading must start with to decide alike, and the source's time before it.
    func held(at now: LogTime) -> (offset: Int64, clockBefore: LogTime)? {
        queue[front...].first { $0.time.milliseconds + ConnectionTracker.span >= now.milliseconds }
            .map { ($0.offset, $0.clockBefore) }
    }

    /// True when no event was made of the record's connection just before; from now on one was.
    mutating func isFirst(_ record: LogRecord, time: LogTime, clockBefore: LogTime) -> Bool {
        while front < queue.count, queue[front].time.milliseconds + ConnectionTracker.span < time.milliseconds {
            if known[queue[front].key] == queue[front].time { known[queue[front].key] = nil }
            front += 1
        }
        if front > 1024, front * 2 > queue.count {
            queue.removeSubrange(..<front)
            front = 0
        }
        var digest = Digest64()
        for column in [LogColumn.processID, .sessionID, .connectionFrom] {
            record.withContent(column) { digest.combine($0) }
            digest.separate()
        }
        guard known[digest.value] == nil else { return false }
        known[digest.value] = time
        queue.append(Entry(key: digest.value, time: time, offset: record.offset, clockBefore: clockBefore))
        return true
    }
}
