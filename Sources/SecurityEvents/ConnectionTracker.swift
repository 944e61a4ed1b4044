import Patterns
import VigilModel

/// Connections that an event was made for, and what their lines told before: PgBouncer tells of one failed login in up
/// to five lines, which are one event, the first that suffices.
struct ConnectionTracker {
    private struct Entry {
        var time: LogTime
        var offset: Int64
        var clockBefore: LogTime
        /// What lines that are no events told.
        var notes: [(EventField, String)] = []
        var hasEvent = false
        /// Hashes of its lines. A connection says each only once, so one that comes again is of another connection with
        /// the same pointer and port.
        var lines: [UInt64] = []
    }

    /// Milliseconds of log time within which lines about one connection belong together. A connection's pointer and port
    /// are used again later.
    private static let span: Int64 = 5000
    /// Connections remembered at a time, and lines and notes of one.
    private static let most = 50_000
    private static let mostLines = 64
    private var known: [UInt64: Entry] = [:]
    /// Keys in the order of their entries' times.
    private var queue: [(key: UInt64, time: LogTime, offset: Int64, clockBefore: LogTime)] = []
    private var front = 0

    /// The oldest record that a reading must start with to decide alike, and the source's time before it.
    func held(at now: LogTime) -> (offset: Int64, clockBefore: LogTime)? {
        queue[front...].first { !ConnectionTracker.isOver($0.time, at: now) }.map { ($0.offset, $0.clockBefore) }
    }

    /// Keeps what a line told of its connection for the event that may come.
    mutating func note(
        _ found: [(EventField, String)], _ record: LogRecord, time: LogTime, clockBefore: LogTime
    ) {
        forget(at: time)
        let key = ConnectionTracker.key(record)
        let line = ConnectionTracker.line(record)
        if known[key]?.lines.contains(line) != false { add(key, record, time, clockBefore) }
        remember(line, found, of: key)
    }

    /// What was told of the record's connection before, when its event begins with this record; nil when an event was
    /// made of it just before.
    mutating func begin(
        _ record: LogRecord, _ part: Once.Part = .any, time: LogTime, clockBefore: LogTime
    ) -> [(EventField, String)]? {
        forget(at: time)
        let key = ConnectionTracker.key(record)
        let line = ConnectionTracker.line(record)
        let isNew = part == .first && known[key]?.hasEvent == true
        if isNew || known[key]?.lines.contains(line) != false { add(key, record, time, clockBefore) }
        remember(line, [], of: key)
        defer { if part == .last { known[key] = nil } }
        guard known[key]?.hasEvent == false else { return nil }
        known[key]?.hasEvent = true
        return known[key]?.notes ?? []
    }

    private mutating func remember(_ line: UInt64, _ found: [(EventField, String)], of key: UInt64) {
        guard known[key].map({ $0.lines.count < ConnectionTracker.mostLines }) ?? false else { return }
        known[key]?.lines.append(line)
        known[key]?.notes += found
    }

    private mutating func add(_ key: UInt64, _ record: LogRecord, _ time: LogTime, _ clockBefore: LogTime) {
        known[key] = Entry(time: time, offset: record.offset, clockBefore: clockBefore)
        queue.append((key, time, record.offset, clockBefore))
    }

    private mutating func forget(at time: LogTime) {
        while front < queue.count,
            ConnectionTracker.isOver(queue[front].time, at: time) || queue.count - front > ConnectionTracker.most
        {
            // The key may stand for a later connection by now.
            if known[queue[front].key]?.offset == queue[front].offset { known[queue[front].key] = nil }
            front += 1
        }
        if front > 1024, front * 2 > queue.count {
            queue.removeSubrange(..<front)
            front = 0
        }
    }

    /// A clock that was set back ends all that it knew before.
    private static func isOver(_ start: LogTime, at now: LogTime) -> Bool {
        start.milliseconds + span < now.milliseconds || now < start
    }

    private static func key(_ record: LogRecord) -> UInt64 {
        var digest = Digest64()
        for column in [LogColumn.processID, .sessionID, .connectionFrom] {
            record.withContent(column) { digest.combine($0) }
            digest.separate()
        }
        return digest.value
    }

    private static func line(_ record: LogRecord) -> UInt64 {
        var digest = Digest64()
        record.withContent(.message) { digest.combine($0) }
        return digest.value
    }
}
