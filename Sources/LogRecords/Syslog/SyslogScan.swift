import VigilModel

/// Walks over the header of a syslog line; what does not fit leaves it where it is.
struct SyslogScan {
    let bytes: UnsafeBufferPointer<UInt8>
    var at = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var rest: Slice<UnsafeBufferPointer<UInt8>> { bytes[min(at, bytes.count)...] }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    mutating func run(_ isWanted: (UInt8) -> Bool) -> Range<Int> {
        let start = at
        while at < bytes.count, isWanted(bytes[at]) { at += 1 }
        return start..<at
    }

    mutating func word() -> Range<Int> { run { $0 > 32 } }

    /// A number of at most that many digits.
    mutating func number(_ digits: Int) -> Int? {
        var value = 0
        var count = 0
        while count < digits, at < bytes.count, bytes[at] &- 48 < 10 {
            value = value * 10 + Int(bytes[at] &- 48)
            at += 1
            count += 1
        }
        return count > 0 ? value : nil
    }

    /// A time in one of syslog's forms.
    mutating func stamp() -> SyslogEnvelope.Stamp? {
        guard at < bytes.count else { return nil }
        if bytes[at] &- 48 < 10 {
            var other = self
            // A blank between date and clock is PostgreSQL's, not syslog's.
            if let time = other.dated(separator: 84) {
                self = other
                return time
            }
            return epoch()
        }
        var other = self
        // The name of a weekday before the date: journalctl -o short-full.
        if other.run({ $0 >= 65 }).count == 3, other.skip(32), let time = other.dated(separator: 32) {
            self = other
            return time
        }
        return yearless()
    }

    /// `2026-11-22T00:30:36.123456+01:00`, `2026-11-22 00:30:36 CET`.
    private mutating func dated(separator: UInt8) -> SyslogEnvelope.Stamp? {
        guard let year = number(4), skip(45), let month = number(2), skip(45), let day = number(2),
            skip(separator), (1...12).contains(month), (1...31).contains(day), let clock = clock()
        else { return nil }
        let time = LogTime(
            milliseconds: Int64(LogTime.days(year: year, month: month, day: day)) * 86_400_000 + clock)
        if skip(90) { return .utc(time) }
        let sign = at
        if skip(43) || skip(45) {
            guard let hours = number(2) else { return nil }
            _ = skip(58)
            let offset = Int64(hours * 60 + (number(2) ?? 0)) * 60_000
            return .utc(time.adding(milliseconds: bytes[sign] == 45 ? offset : -offset))
        }
        var other = self
        if other.skip(32) {
            let zone = other.run { (65...90).contains($0) }
            if zone.count >= 3, other.at < bytes.count, bytes[other.at] == 32,
                let minutes = TimeZoneTable.usual[String(decoding: bytes[zone], as: UTF8.self)]
            {
                self = other
                return .utc(time.adding(milliseconds: -Int64(minutes) * 60_000))
            }
        }
        return .local(time)
    }

    /// `00:30:36.123456`, in milliseconds since midnight.
    private mutating func clock() -> Int64? {
        guard let hour = number(2), skip(58), let minute = number(2), skip(58), let second = number(2),
            hour < 24, minute < 60, second < 61
        else { return nil }
        var fraction: Int64 = 0
        if skip(46) || skip(44) {
            var scale: Int64 = 100
            while at < bytes.count, bytes[at] &- 48 < 10 {
                fraction += Int64(bytes[at] &- 48) * scale
                scale /= 10
                at += 1
            }
        }
        return Int64(hour * 3600 + minute * 60 + second) * 1000 + fraction
    }

    /// `1772444941.374123`
    private mutating func epoch() -> SyslogEnvelope.Stamp? {
        guard let seconds = number(11), skip(46), let micros = number(6) else { return nil }
        return .utc(LogTime(milliseconds: Int64(seconds) * 1000 + Int64(micros / 1000)))
    }

    private static let months: [[UInt8]] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ].map { Array($0.utf8) }

    /// `Nov  2 00:30:36`, which may carry a fraction.
    private mutating func yearless() -> SyslogEnvelope.Stamp? {
        guard at + 3 < bytes.count, let month = SyslogScan.months.firstIndex(where: { rest.starts(with: $0) }) else {
            return nil
        }
        at += 3
        guard skip(32) else { return nil }
        _ = skip(32)
        guard let day = number(2), (1...31).contains(day), skip(32), let clock = clock() else { return nil }
        return .yearless(month: month + 1, day: day, milliseconds: clock)
    }
}
