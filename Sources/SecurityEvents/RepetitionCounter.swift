import VigilModel

/// Numbers records that say the same at the same printed time, for logs whose records carry no number of their own. The
/// number is part of an event's identity, so a reading that starts in the middle must start early enough to count alike:
/// `held` says where.
struct RepetitionCounter {
    private struct Moment {
        var time: LogTime
        var offset: Int64
        var clockBefore: LogTime
        var counts: [UInt64: Int64] = [:]
    }

    /// Milliseconds within which records of several processes are written out of order.
    private static let disorder: Int64 = 5000
    private var moments: [Moment] = []

    /// The oldest record that a reading must start with to count alike, and the source's time before it.
    func held(at now: LogTime) -> (offset: Int64, clockBefore: LogTime)? {
        moments.first { !RepetitionCounter.isOver($0, at: now) }.map { ($0.offset, $0.clockBefore) }
    }

    private static func isOver(_ moment: Moment, at now: LogTime) -> Bool {
        moment.time.milliseconds + disorder < now.milliseconds
    }

    /// The number of this record among those like it, from 1.
    mutating func count(_ record: LogRecord, clockBefore: LogTime) -> Int64 {
        let digest = EventBuilder.digest(record)
        if let index = moments.lastIndex(where: { $0.time == record.time }) {
            moments[index].counts[digest, default: 0] += 1
            return moments[index].counts[digest] ?? 1
        }
        moments.removeAll { RepetitionCounter.isOver($0, at: record.time) }
        moments.append(
            Moment(time: record.time, offset: record.offset, clockBefore: clockBefore, counts: [digest: 1]))
        return 1
    }
}
