import VigilModel

/// Reads HAProxy's dates, `26/Nov/2026:06:06:24.742`. Of those of one minute only the seconds are looked at.
struct HAProxyDates {
    /// The last minute that was printed, as seventeen bytes, and what it is as if it were UTC.
    private var minute: (head: UInt64, tail: UInt64, last: UInt8) = (0, 0, 0)
    private var start: Int64 = 0

    /// Bytes of a date with milliseconds.
    private static let length = 24

    /// Reads a date and steps over it; nil when there is none.
    mutating func read(_ cursor: inout LineCursor) -> (time: LogTime, isLocal: Bool)? {
        guard let base = cursor.bytes.baseAddress, cursor.at + HAProxyDates.length < cursor.bytes.count,
            let fraction = HAProxyDates.fraction(base + cursor.at + 17)
        else { return HAProxyDates.date(&cursor) }
        let at = UnsafeRawPointer(base + cursor.at)
        let (head, tail) = (
            at.loadUnaligned(as: UInt64.self), at.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        )
        let last = base[cursor.at + 16]
        if head == minute.head, tail == minute.tail, last == minute.last {
            cursor.at += HAProxyDates.length
            return (LogTime(milliseconds: start + fraction), true)
        }
        let from = cursor.at
        guard let found = HAProxyDates.date(&cursor) else { return nil }
        if cursor.at == from + HAProxyDates.length, found.isLocal {
            minute = (head, tail, last)
            start = found.time.milliseconds - fraction
        }
        return found
    }

    /// Milliseconds of `:24.742]`; nil when it is anything else.
    private static func fraction(_ digits: UnsafePointer<UInt8>) -> Int64? {
        let (s1, s0) = (digits[1] &- 48, digits[2] &- 48)
        let (m2, m1, m0) = (digits[4] &- 48, digits[5] &- 48, digits[6] &- 48)
        guard digits[0] == 58, digits[3] == 46, digits[7] == 93, s1 < 6, s0 < 10, m2 < 10, m1 < 10, m0 < 10 else {
            return nil
        }
        let seconds = Int64(s1) * 10 + Int64(s0)
        return seconds * 1000 + Int64(m2) * 100 + Int64(m1) * 10 + Int64(m0)
    }

    /// `26/Nov/2026:06:06:24.742`, or with a zone and without milliseconds.
    private static func date(_ cursor: inout LineCursor) -> (time: LogTime, isLocal: Bool)? {
        guard let day = cursor.number(digits: 2), cursor.skip(47), let month = month(&cursor), cursor.skip(47),
            let year = cursor.number(digits: 4), cursor.skip(58), let hour = cursor.number(digits: 2), cursor.skip(58),
            let minute = cursor.number(digits: 2), cursor.skip(58), let second = cursor.number(digits: 2),
            (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var total = Int64(LogTime.days(year: year, month: month, day: day)) * 86_400_000
        total += Int64((hour * 60 + minute) * 60 + second) * 1000
        if cursor.skip(46) {
            guard let fraction = cursor.number(digits: 3) else { return nil }
            return (LogTime(milliseconds: total + Int64(fraction)), true)
        }
        guard cursor.skip(32) else { return (LogTime(milliseconds: total), true) }
        let isWest = cursor.next == 45
        guard cursor.skip(43) || cursor.skip(45), let zone = cursor.number(digits: 4) else { return nil }
        let offset = Int64(zone / 100 * 60 + zone % 100) * 60_000
        return (LogTime(milliseconds: total - (isWest ? -offset : offset)), false)
    }

    private static func month(_ cursor: inout LineCursor) -> Int? {
        for (index, name) in [
            StaticString("Jan"), "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ].enumerated() where cursor.skip(name) {
            return index + 1
        }
        return nil
    }
}
