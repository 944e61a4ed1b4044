import Patterns
import VigilModel

/// Connections that an event was made for, and what their lines told before: PgBouncer tells of one failed login in up
/// to five lines, which are one event, the first that suffices.
struct ConnectionTracker {
    private struct Entry {
        let key: UInt64
        let time: LogTime
        let offset: Int64
        let clockBefore: LogTime
        /// The entry met before under the same place, by its number; -1: none.
        let older: Int
        /// Another one has its key, or its connection is over.
        var isVoid = false
        /// What lines that are no events told.
        var notes: [(EventField, String)] = []
        var hasEvent = false
        /// Hashes of its lines. A connection says each only once, so one that comes again is of another connection with
        /// the same pointer and port.
        var line: UInt64 = 0
        var lineCount = 0
        var otherLines: [UInt64] = []

        func has(_ wanted: UInt64) -> Bool { lineCount > 0 && line == wanted || otherLines.contains(wanted) }
    }

    /// Milliseconds of log time within which lines about one connection belong together. A connection's pointer and port
    /// are used again later.
    private static let span: Int64 = 5000
    /// Connections remembered at a time, and lines and notes of one.
    private static let most = 50_000
    private static let mostLines = 64
    private static let places = 4096
    /// Entries in the order of their times; those before `front` are over.
    private var entries: [Entry] = []
    private var front = 0
    /// The number of the first entry that is still there. An entry keeps its number.
    private var base = 0
    /// Numbers of the newest entry of each place.
    private var newest = [Int](repeating: -1, count: places)

    /// The oldest record that a reading must start with to decide alike, and the source's time before it.
    func held(at now: LogTime) -> (offset: Int64, clockBefore: LogTime)? {
        entries[front...].first { !ConnectionTracker.isOver($0.time, at: now) }.map { ($0.offset, $0.clockBefore) }
    }

    /// Keeps what a line told of its connection for the event that may come.
    mutating func note(
        _ found: [(EventField, String)], _ record: LogRecord, time: LogTime, clockBefore: LogTime
    ) {
        let line = ConnectionTracker.line(record)
        let index = entry(of: record, line, isNew: false, time, clockBefore)
        remember(line, found, index)
    }

    /// What was told of the record's connection before, when its event begins with this record; nil when an event was
    /// made of it just before.
    mutating func begin(
        _ record: LogRecord, _ part: Once.Part = .any, time: LogTime, clockBefore: LogTime
    ) -> [(EventField, String)]? {
        let line = ConnectionTracker.line(record)
        let index = entry(of: record, line, isNew: part == .first, time, clockBefore)
        remember(line, [], index)
        defer { if part == .last { entries[index].isVoid = true } }
        guard !entries[index].hasEvent else { return nil }
        entries[index].hasEvent = true
        return entries[index].notes
    }

    private mutating func remember(_ line: UInt64, _ found: [(EventField, String)], _ index: Int) {
        guard entries[index].lineCount < ConnectionTracker.mostLines else { return }
        if entries[index].lineCount == 0 { entries[index].line = line } else { entries[index].otherLines.append(line) }
        entries[index].lineCount += 1
        if entries[index].notes.isEmpty { entries[index].notes = found } else { entries[index].notes += found }
    }

    /// The index of the record's connection: one that is known, unless it said that line before, or has an event and a
    /// new one begins.
    private mutating func entry(
        of record: LogRecord, _ line: UInt64, isNew: Bool, _ time: LogTime, _ clockBefore: LogTime
    ) -> Int {
        forget(at: time)
        let key = ConnectionTracker.key(record)
        let place = Int(truncatingIfNeeded: key & UInt64(ConnectionTracker.places - 1))
        var number = newest[place]
        while number >= base + front {
            let index = number - base
            if entries[index].key == key, !entries[index].isVoid {
                if !entries[index].has(line), !(isNew && entries[index].hasEvent) { return index }
                entries[index].isVoid = true
                break
            }
            number = entries[index].older
        }
        entries.append(
            Entry(key: key, time: time, offset: record.offset, clockBefore: clockBefore, older: newest[place]))
        newest[place] = base + entries.count - 1
        return entries.count - 1
    }

    private mutating func forget(at time: LogTime) {
        while front < entries.count,
            ConnectionTracker.isOver(entries[front].time, at: time) || entries.count - front > ConnectionTracker.most
        {
            front += 1
        }
        if front > 1024, front * 2 > entries.count {
            entries.removeSubrange(..<front)
            base += front
            front = 0
        }
    }

    /// A clock that was set back ends all that it knew before.
    private static func isOver(_ start: LogTime, at now: LogTime) -> Bool {
        start.milliseconds + span < now.milliseconds || now < start
    }

    private static func key(_ record: LogRecord) -> UInt64 {
        var hash = PlaceHash()
        record.withContent(.processID) { hash.combine($0) }
        record.withContent(.sessionID) { hash.combine($0) }
        record.withContent(.connectionFrom) { hash.combine($0) }
        return hash.place
    }

    private static func line(_ record: LogRecord) -> UInt64 {
        var hash = PlaceHash()
        record.withContent(.message) { hash.combine($0) }
        return hash.place
    }
}
