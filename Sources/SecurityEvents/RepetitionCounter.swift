import VigilModel

/// Numbers records that say the same at the same printed time, for logs whose records carry no number of their own. The
/// number is part of an event's identity, so a reading that starts in the middle must start early enough to count alike:
/// `held` says where.
struct RepetitionCounter {
    /// What was said at one printed time: mostly one thing.
    private struct Moment {
        let offset: Int64
        let first: UInt64
        var count: Int64 = 1
        var others: [UInt64: Int64] = [:]

        /// The number of one more record; 0 when there is no room for its text.
        mutating func number(_ digest: UInt64) -> Int64 {
            if digest == first {
                count += 1
                return count
            }
            guard others.count < RepetitionCounter.mostTexts - 1 || others[digest] != nil else { return 0 }
            others[digest, default: 0] += 1
            return others[digest] ?? 0
        }
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
        let digest = RepetitionCounter.digest(record)
        guard let number = moments[record.time]?.number(digest) else {
            begin(record, digest, clockBefore)
            return 1
        }
        return number > 0 ? number : RepetitionCounter.places + record.offset
    }

    /// Tells what a record says from what others of its time say. One that is made to look like another is counted as
    /// one more, which is a number of its own, too.
    private static func digest(_ record: LogRecord) -> UInt64 {
        var hash = PlaceHash()
        withUnsafeBytes(of: record.dataset.rawValue) { hash.combine($0.bindMemory(to: UInt8.self)) }
        for column in EventBuilder.tellingColumns {
            record.withContent(column) { hash.combine($0) }
        }
        return hash.place
    }

    private mutating func begin(_ record: LogRecord, _ digest: UInt64, _ clockBefore: LogTime) {
        while front < queue.count, RepetitionCounter.isOver(queue[front].time, at: record.time) {
            let (time, offset, _) = queue[front]
            // The same time may have come again since.
            if let index = moments.index(forKey: time), moments[index].value.offset == offset {
                moments.remove(at: index)
            }
            front += 1
        }
        if front > 1024, front * 2 > queue.count {
            queue.removeSubrange(..<front)
            front = 0
        }
        moments[record.time] = Moment(offset: record.offset, first: digest)
        queue.append((record.time, record.offset, clockBefore))
    }
}
