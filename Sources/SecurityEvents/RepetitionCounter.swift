import VigilModel

/// Numbers records that say the same at the same printed time, for logs whose records carry no number of their own. The
/// number is part of an event's identity, so a reading that starts in the middle must start early enough to count alike:
/// `held` says where.
struct RepetitionCounter {
    private struct Moment {
        var offset: Int64
        var counts: [UInt64: Int64]
    }

    /// So many texts of one printed time are counted; each further one is told apart by where it stands.
    private static let mostTexts = 1 << 16
    private static let places: Int64 = 1 << 40
    /// Milliseconds within which records of several processes are written out of order.
    private static let disorder: Int64 = 5000
    /// A log that is this much behind a moment runs backwards, as `journalctl --reverse` prints it: the moment is past.
    private static let reversal: Int64 = 60_000
    private var moments: [LogTime: Moment] = [:]
    /// Moments in the order they began in.
    private var queue: [(time: LogTime, offset: Int64, clockBefore: LogTime)] = []
    private var front = 0

    /// The oldest record that a reading must start with to count alike, and the source's time before it.
    func held(at now: LogTime) -> (offset: Int64, clockBefore: LogTime)? {
        queue[front...].first { !RepetitionCounter.isOver($0.time, at: now) }.map { ($0.offset, $0.clockBefore) }
    }

    private static func isOver(_ moment: LogTime, at now: LogTime) -> Bool {
        moment.milliseconds + disorder < now.milliseconds || now.milliseconds + reversal < moment.milliseconds
    }

    /// The number of this record among those like it, from 1.
    mutating func count(_ record: LogRecord, clockBefore: LogTime) -> Int64 {
        let digest = EventBuilder.digest(record)
        if moments[record.time] == nil { begin(record, clockBefore) }
        return moments[record.time]?.counts.increment(digest, most: RepetitionCounter.mostTexts)
            ?? RepetitionCounter.places + record.offset
    }

    private mutating func begin(_ record: LogRecord, _ clockBefore: LogTime) {
        while front < queue.count, RepetitionCounter.isOver(queue[front].time, at: record.time) {
            let (time, offset, _) = queue[front]
            // The same time may have come again since.
            if moments[time]?.offset == offset { moments[time] = nil }
            front += 1
        }
        if front > 1024, front * 2 > queue.count {
            queue.removeSubrange(..<front)
            front = 0
        }
        moments[record.time] = Moment(offset: record.offset, counts: [:])
        queue.append((record.time, record.offset, clockBefore))
    }
}

extension [UInt64: Int64] {
    /// Adds one, and gives the new number; nil when there is no room for the key.
    fileprivate mutating func increment(_ key: UInt64, most: Int) -> Int64? {
        if let number = self[key] {
            self[key] = number + 1
            return number + 1
        }
        guard count < most else { return nil }
        self[key] = 1
        return 1
    }
}
