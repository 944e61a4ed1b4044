/// A moment of a log: milliseconds since 1970-01-01 00:00:00 UTC, leap seconds not counted, as PostgreSQL prints them
/// (`log_time`, truncated to milliseconds).
public struct LogTime: Hashable, Comparable, Sendable {
    /// Milliseconds since the Unix epoch; negative before it.
    public var milliseconds: Int64

    /// Takes milliseconds since the Unix epoch.
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Earlier than any log.
    public static let distantPast = LogTime(milliseconds: .min / 4)
    /// Later than any log.
    public static let distantFuture = LogTime(milliseconds: .max / 4)

    /// Orders by time.
    public static func < (left: LogTime, right: LogTime) -> Bool { left.milliseconds < right.milliseconds }

    /// The moment that many milliseconds later (earlier when negative).
    public func adding(milliseconds more: Int64) -> LogTime { LogTime(milliseconds: milliseconds &+ more) }

    /// Days since 1970-01-01 of a date of the proleptic Gregorian calendar. `month` 1…12, `day` 1…31.
    @inlinable
    public static func days(year: Int, month: Int, day: Int) -> Int {
        // Years start in March here, so that the leap day comes last.
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// Year, month and day of a count of days since 1970-01-01.
    public static func date(days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

extension LogTime: CustomStringConvertible {
    /// RFC 3339 in UTC with milliseconds: `2026-03-02T09:49:01.374Z`.
    public var description: String { formatted(separator: "T") + "Z" }

    /// `2026-03-02T09:49:01.374`, with the given text between date and time and no zone.
    public func formatted(separator: String, milliseconds withMilliseconds: Bool = true) -> String {
        let dayLength: Int64 = 86_400_000
        var days = milliseconds / dayLength
        var rest = milliseconds % dayLength
        if rest < 0 {
            days -= 1
            rest += dayLength
        }
        let date = LogTime.date(days: Int(days))
        let seconds = Int(rest / 1000)
        let clock = "\(pad(seconds / 3600, 2)):\(pad(seconds / 60 % 60, 2)):\(pad(seconds % 60, 2))"
        let text = "\(pad(date.year, 4))-\(pad(date.month, 2))-\(pad(date.day, 2))\(separator)\(clock)"
        return withMilliseconds ? text + "." + pad(Int(rest % 1000), 3) : text
    }

    private func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Reads RFC 3339 or PostgreSQL's form: `2026-03-02T09:49:01.374Z`, `2026-03-02 09:49:01+02:00`, `2026-03-02`.
    /// Without a zone the time is UTC. Nil when the text is no such time.
    public init?(parsing text: String) {
        let characters = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= characters.count else { return nil }
            var value = 0
            for byte in characters[range] {
                guard byte >= 48, byte <= 57 else { return nil }
                value = value * 10 + Int(byte - 48)
            }
            return value
        }
        guard characters.count >= 10, characters[4] == 45, characters[7] == 45,
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            (1...12).contains(month), (1...31).contains(day),
            LogTime.date(days: LogTime.days(year: year, month: month, day: day)).day == day
        else { return nil }
        var total = Int64(LogTime.days(year: year, month: month, day: day)) * 86_400_000
        var at = 10
        if at < characters.count {
            guard characters[at] == 84 || characters[at] == 32, characters.count >= 16, characters[13] == 58,
                let hour = number(11..<13), let minute = number(14..<16), hour < 24, minute < 60
            else { return nil }
            total += Int64(hour * 60 + minute) * 60_000
            at = 16
            if at < characters.count, characters[at] == 58 {
                guard let second = number(17..<19), second < 61 else { return nil }
                total += Int64(second) * 1000
                at = 19
            }
            if at < characters.count, characters[at] == 46 {
                var scale: Int64 = 100
                at += 1
                while at < characters.count, let digit = number(at..<at + 1) {
                    total += Int64(digit) * scale
                    scale /= 10
                    at += 1
                }
            }
            guard let offset = LogTime.zoneOffset(characters[at...]) else { return nil }
            total -= offset
        }
        self.init(milliseconds: total)
    }

    /// `Z`, `+02`, `+0200`, `+02:00`, ` UTC` or nothing, in milliseconds east of UTC.
    private static func zoneOffset(_ zone: ArraySlice<UInt8>) -> Int64? {
        let text = String(decoding: zone, as: UTF8.self).filter { $0 != " " && $0 != ":" }
        if text.isEmpty || text == "Z" || text == "UTC" { return 0 }
        guard let sign = text.first, sign == "+" || sign == "-", let digits = Int(text.dropFirst()), text.count <= 5
        else { return nil }
        let minutes = text.count > 3 ? digits / 100 * 60 + digits % 100 : digits * 60
        return Int64(sign == "-" ? -minutes : minutes) * 60_000
    }
}
