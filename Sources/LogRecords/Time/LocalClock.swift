import Foundation
import VigilModel

/// Turns local times that are printed without a zone into UTC, by the source's configured zone.
///
/// When clocks are set back an hour happens twice: of the two readings that is taken which does not make the log run
/// backwards. An hour that clocks skip is read as if they had not been set forward yet.
struct LocalClock {
    private let zone: TimeZone?
    /// The log's time so far, in UTC.
    private var last: LogTime
    /// The quarter of an hour that was asked for last, and the offsets that may hold in it, in milliseconds.
    private var quarter = Int64.min
    private var offsets: (first: Int64, second: Int64) = (0, 0)
    /// True when a time had to be read as UTC because no zone is configured.
    private(set) var isGuessing = false

    /// Milliseconds by which the records of several processes are written out of order.
    private static let disorder: Int64 = 10_000
    private static let quarterLength: Int64 = 900_000
    private static let day: Int64 = 86_400_000

    /// Takes the source's zone (`Europe/Berlin`) and the source's time where reading starts.
    init(timezone: String?, after last: LogTime = .distantPast) {
        zone = timezone.flatMap { TimeZone(identifier: $0) }
        self.last = last
    }

    /// UTC of a local time that is given as if it were UTC.
    mutating func utc(ofLocal local: LogTime) -> LogTime {
        guard zone != nil else {
            isGuessing = true
            return local
        }
        let quarter = local.milliseconds.quotientDown(LocalClock.quarterLength)
        if quarter != self.quarter {
            self.quarter = quarter
            offsets = possible(at: local.milliseconds)
        }
        var time = local.adding(milliseconds: -offsets.first)
        if offsets.first != offsets.second, time.adding(milliseconds: LocalClock.disorder) < last {
            time = local.adding(milliseconds: -offsets.second)
        }
        last = max(last, time)
        return time
    }

    /// The offsets by which a local time can be read, the one with the earlier result first. They are the same for a
    /// whole quarter of an hour: no zone of today changes at another minute.
    private func possible(at local: Int64) -> (first: Int64, second: Int64) {
        let start = local.quotientDown(LocalClock.quarterLength) * LocalClock.quarterLength
        let before = offset(at: start - LocalClock.day)
        let after = offset(at: start + LocalClock.day)
        guard before != after else { return (before, before) }
        let fits = [before, after].filter { offset(at: start - $0) == $0 }
        switch fits.count {
        case 2: return (max(before, after), min(before, after))
        case 1: return (fits[0], fits[0])
        default: return (before, before)
        }
    }

    private func offset(at utc: Int64) -> Int64 {
        let date = Date(timeIntervalSince1970: Double(utc.quotientDown(1000)))
        return Int64(zone?.secondsFromGMT(for: date) ?? 0) * 1000
    }
}

extension Int64 {
    /// The quotient rounded down, for negative numbers too.
    func quotientDown(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
