import VigilModel

/// Reads times as programs other than PostgreSQL print them: `2026-03-02 09:49:01.374 UTC`, `2026-03-02 09:49:01,374`,
/// `2026-03-02T09:49:01+08:00`, and so on. A time without a zone is local time.
struct PrintedTime {
    private var zones: TimeZoneTable
    private var local: LocalClock
    /// The last zone that was printed, its offset, and whether it was a name.
    private var zone: (text: [UInt8], offset: Int64, isName: Bool) = ([], 0, false)
    /// The last minute that was printed, as sixteen bytes, and what it is as if it were UTC: lines of one minute share
    /// the work. At first `1970-01-01 00:00`.
    private var minute: (head: UInt64, tail: UInt64, start: Int64) = (0x2D31_302D_3037_3931, 0x3030_3A30_3020_3130, 0)

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
        guard let (clock, end) = parse(cursor) else { return nil }
        cursor.at = end
        if let offset = readZone(&cursor, takesNames: takesNames) { return clock.adding(milliseconds: -offset) }
        return local.utc(ofLocal: clock)
    }

    /// UTC of a local time that was read elsewhere.
    mutating func utc(ofLocal time: LogTime) -> LogTime { local.utc(ofLocal: time) }

    /// True when a time stands there.
    static func isTime(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        minute(bytes, at: 0) != nil && seconds(bytes, at: 0) != nil
    }

    /// Date and clock as if they were UTC, and where they end.
    private mutating func parse(_ start: LineCursor) -> (LogTime, Int)? {
        let bytes = start.bytes
        guard bytes.count >= start.at + 19, let base = bytes.baseAddress else { return nil }
        let words = UnsafeRawPointer(base + start.at)
        let (head, tail) = (
            words.loadUnaligned(as: UInt64.self), words.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        )
        if head != minute.head || tail != minute.tail {
            guard let found = PrintedTime.minute(bytes, at: start.at) else { return nil }
            minute = (head, tail, found)
        }
        return PrintedTime.seconds(bytes, at: start.at).map {
            (LogTime(milliseconds: minute.start + $0.milliseconds), $0.end)
        }
    }

    @inline(__always)
    private static func two(_ bytes: UnsafeBufferPointer<UInt8>, _ place: Int) -> Int? {
        let (tens, ones) = (bytes[place] &- 48, bytes[place + 1] &- 48)
        return tens < 10 && ones < 10 ? Int(tens) * 10 + Int(ones) : nil
    }

    /// Milliseconds of `YYYY-MM-DD HH:MM` as if it were UTC.
    private static func minute(_ bytes: UnsafeBufferPointer<UInt8>, at: Int) -> Int64? {
        guard bytes.count >= at + 19, bytes[at + 4] == 45, bytes[at + 7] == 45,
            bytes[at + 10] == 32 || bytes[at + 10] == 84, bytes[at + 13] == 58,
            let century = two(bytes, at), let year = two(bytes, at + 2), let month = two(bytes, at + 5),
            let day = two(bytes, at + 8), let hour = two(bytes, at + 11), let minute = two(bytes, at + 14),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60
        else { return nil }
        return Int64(LogTime.days(year: century * 100 + year, month: month, day: day)) * 86_400_000
            + Int64(hour * 60 + minute) * 60_000
    }

    /// Milliseconds of the seconds behind a minute, with their fraction, and where they end.
    @inline(__always)
    private static func seconds(
        _ bytes: UnsafeBufferPointer<UInt8>, at: Int
    ) -> (milliseconds: Int64, end: Int)? {
        guard bytes.count >= at + 19, bytes[at + 16] == 58, let second = two(bytes, at + 17), second < 61 else {
            return nil
        }
        var total = Int64(second) * 1000
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
        return (total, end)
    }

    /// True for words that follow a time without being its zone.
    private static func isLevel(_ word: UnsafeBufferPointer<UInt8>) -> Bool {
        for level in [StaticString("INFO"), "ERROR", "DEBUG", "WARN", "LOG", "FATAL", "NOTICE", "P"]
        where word.count == level.utf8CodeUnitCount && word.has(level) {
            return true
        }
        return false
    }

    /// True when the last zone stands there again, a name behind one blank. Steps over it.
    private func skipSameName(_ cursor: inout LineCursor) -> Bool {
        let end = cursor.at + 1 + zone.text.count
        guard zone.isName, end <= cursor.bytes.count, cursor.next == 32,
            end == cursor.bytes.count || cursor.bytes[end] == 32
        else { return false }
        for index in 0..<zone.text.count where cursor.bytes[cursor.at + 1 + index] != zone.text[index] { return false }
        cursor.at = end
        return true
    }

    private mutating func readZone(_ cursor: inout LineCursor, takesNames: Bool) -> Int64? {
        if takesNames, skipSameName(&cursor) { return zone.offset }
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
            zone = (
                Array(text), zones.offset(of: String(decoding: text, as: UTF8.self)) { nil },
                text[0].isCapital && isApart
            )
        }
        return zone.offset
    }
}

extension UInt8 {
    /// A letter, a digit or an underscore.
    var isWordPart: Bool { digit != nil || (self | 32 >= 97 && self | 32 <= 122) || self == 95 }
}
