import VigilModel

/// Reads times as programs other than PostgreSQL print them: `2026-03-02 09:49:01.374 UTC`, `2026-03-02 09:49:01,374`,
/// `2026-03-02T09:49:01+08:00`, and so on. A time without a zone is local time.
struct PrintedTime {
    private var zones: TimeZoneTable
    private var local: LocalClock
    /// The last zone that was printed, and its offset.
    private var zone: (text: [UInt8], offset: Int64) = ([], 0)

    /// Takes what is known of the source.
    init(_ about: ReadingFacts) {
        zones = TimeZoneTable(timezone: about.timezone)
        local = LocalClock(timezone: about.timezone, after: about.clock)
    }

    /// Abbreviations that nothing told the meaning of, and `local time` where a zone would have to be configured.
    var unknownZones: Set<String> {
        local.isGuessing ? zones.unknown.union(["local time"]) : zones.unknown
    }

    /// Reads a time and steps over it; nil, and no step, when there is none. A zone stands behind the time at once or
    /// behind one blank: an offset, or an abbreviation of capitals when `takesNames` says so.
    mutating func read(_ cursor: inout LineCursor, takesNames: Bool) -> LogTime? {
        guard let (clock, end) = PrintedTime.parse(cursor) else { return nil }
        cursor.at = end
        if let offset = readZone(&cursor, takesNames: takesNames) { return clock.adding(milliseconds: -offset) }
        return local.utc(ofLocal: clock)
    }

    /// UTC of a local time that was read elsewhere.
    mutating func utc(ofLocal time: LogTime) -> LogTime { local.utc(ofLocal: time) }

    /// True when a time stands there.
    static func isTime(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool { parse(LineCursor(bytes)) != nil }

    /// Date and clock as if they were UTC, and where they end.
    private static func parse(_ start: LineCursor) -> (LogTime, Int)? {
        let bytes = start.bytes
        let at = start.at
        func two(_ place: Int) -> Int? {
            guard let tens = bytes[at + place].digit, let ones = bytes[at + place + 1].digit else { return nil }
            return tens * 10 + ones
        }
        guard bytes.count >= at + 19, bytes[at + 4] == 45, bytes[at + 7] == 45,
            bytes[at + 10] == 32 || bytes[at + 10] == 84, bytes[at + 13] == 58, bytes[at + 16] == 58,
            let century = two(0), let year = two(2), let month = two(5), let day = two(8), let hour = two(11),
            let minute = two(14), let second = two(17), (1...12).contains(month), (1...31).contains(day), hour < 24,
            minute < 60, second < 61
        else { return nil }
        var total = Int64(LogTime.days(year: century * 100 + year, month: month, day: day)) * 86_400_000
        total += Int64((hour * 60 + minute) * 60 + second) * 1000
        var end = at + 19
        if end + 1 < bytes.count, bytes[end] == 46 || bytes[end] == 44, bytes[end + 1].digit != nil {
            end += 1
            var scale: Int64 = 100
            while end < bytes.count, let digit = bytes[end].digit {
                total += Int64(digit) * scale
                scale /= 10
                end += 1
            }
        }
        return (LogTime(milliseconds: total), end)
    }

    /// True for words that follow a time without being its zone.
    private static func isLevel(_ word: UnsafeBufferPointer<UInt8>) -> Bool {
        for level in [StaticString("INFO"), "ERROR", "DEBUG", "WARN", "LOG", "FATAL", "NOTICE", "P"]
        where word.count == level.utf8CodeUnitCount && word.has(level) {
            return true
        }
        return false
    }

    private mutating func readZone(_ cursor: inout LineCursor, takesNames: Bool) -> Int64? {
        var ahead = cursor
        let isApart = ahead.skip(32)
        let range: Range<Int>
        if ahead.next == 43 || ahead.next == 45 {
            let start = ahead.at
            ahead.at += 1
            guard ahead.run({ $0.digit != nil || $0 == 58 }).count >= 2 else { return nil }
            range = start..<ahead.at
        } else if ahead.next == 90, !isApart {
            range = ahead.run { $0 == 90 }
        } else {
            guard takesNames, isApart else { return nil }
            range = ahead.run { $0.isCapital }
            guard (1...6).contains(range.count), ahead.isAtEnd || ahead.next == 32,
                !PrintedTime.isLevel(UnsafeBufferPointer(rebasing: cursor.bytes[range]))
            else { return nil }
        }
        guard range.count <= 9, ahead.isAtEnd || !ahead.next.isWordPart else { return nil }
        cursor.at = ahead.at
        let text = UnsafeBufferPointer(rebasing: cursor.bytes[range])
        if !zone.text.elementsEqual(text) {
            zone = (Array(text), zones.offset(of: String(decoding: text, as: UTF8.self)) { nil })
        }
        return zone.offset
    }
}

extension UInt8 {
    /// A letter, a digit or an underscore.
    var isWordPart: Bool { digit != nil || (self | 32 >= 97 && self | 32 <= 122) || self == 95 }
}
