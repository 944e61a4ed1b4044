import VigilModel

/// Reads `log_time` of csvlog: `2026-03-02 09:49:01.374 UTC`. Records of one minute and zone share the work.
struct TimestampReader {
    private var zones: TimeZoneTable
    /// The last minute read: its sixteen characters, its zone text, and what they are in UTC milliseconds.
    private var minuteHead: UInt64 = 0
    private var minuteTail: UInt64 = 0
    private var zone: (UInt64, Int) = (0, -1)
    private var minuteStart: Int64 = 0

    init(zones: TimeZoneTable) { self.zones = zones }

    /// Abbreviations that nothing told the meaning of.
    var unknownZones: Set<String> { zones.unknown }

    /// The time of a row whose first column is `bytes[column]`; nil when that is no time. `row` gives the columns that
    /// prove the zone's offset. Eight spare bytes must be readable behind the column.
    @inline(__always)
    mutating func read(_ bytes: UnsafePointer<UInt8>, _ column: Range<Int>, row: (LogColumn) -> Range<Int>) -> LogTime?
    {
        guard column.count >= 25, column.count <= 40 else { return nil }
        let at = UnsafeRawPointer(bytes + column.lowerBound)
        let head = at.loadUnaligned(as: UInt64.self)
        let tail = at.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        let zoneLength = column.count - 24
        let zoneWord = at.loadUnaligned(fromByteOffset: 24, as: UInt64.self) & TimestampReader.mask(zoneLength)
        if head != minuteHead || tail != minuteTail || zoneWord != zone.0 || zoneLength != zone.1 {
            guard startMinute(bytes, column, row: row) else { return nil }
            (minuteHead, minuteTail, zone) = (head, tail, (zoneWord, zoneLength))
        }
        let digits = bytes + column.lowerBound + 16
        guard digits[0] == 58, digits[3] == 46, digits[7] == 32 else { return nil }
        let (s1, s0) = (digits[1] &- 48, digits[2] &- 48)
        let (m2, m1, m0) = (digits[4] &- 48, digits[5] &- 48, digits[6] &- 48)
        guard s1 < 6 || (s1 == 6 && s0 == 0), s0 < 10, m2 < 10, m1 < 10, m0 < 10 else { return nil }
        let seconds = Int64(s1) &* 10 &+ Int64(s0)
        let fraction = seconds &* 1000 &+ Int64(m2) &* 100 &+ Int64(m1) &* 10 &+ Int64(m0)
        return LogTime(milliseconds: minuteStart &+ fraction)
    }

    private static func mask(_ length: Int) -> UInt64 {
        length >= 8 ? .max : (1 << UInt64(length * 8)) &- 1
    }

    /// Reads date, hour, minute and zone of a new minute.
    private mutating func startMinute(
        _ bytes: UnsafePointer<UInt8>, _ column: Range<Int>, row: (LogColumn) -> Range<Int>
    ) -> Bool {
        let text = UnsafeBufferPointer(start: bytes + column.lowerBound, count: column.count)
        guard let minute = TimestampReader.minute(text) else { return false }
        let zoneText = String(decoding: text[24...], as: UTF8.self)
        let offset = zones.offset(of: zoneText) {
            TimestampReader.provenOffset(bytes, start: row(.sessionStart), id: row(.sessionID), zone: zoneText)
        }
        minuteStart = minute - offset
        return true
    }

    /// UTC milliseconds of `YYYY-MM-DD HH:MM` read as UTC.
    static func minute(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        func number(_ from: Int, _ count: Int) -> Int? {
            var value = 0
            for byte in text[from..<from + count] {
                guard byte >= 48, byte <= 57 else { return nil }
                value = value * 10 + Int(byte - 48)
            }
            return value
        }
        guard text.count >= 16, text[4] == 45, text[7] == 45, text[10] == 32, text[13] == 58,
            let year = number(0, 4), let month = number(5, 2), let day = number(8, 2),
            let hour = number(11, 2), let minute = number(14, 2),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60
        else { return nil }
        return Int64(LogTime.days(year: year, month: month, day: day)) * 86_400_000
            + Int64(hour * 60 + minute) * 60_000
    }

    /// Local session start minus the UTC seconds in the session id, when the start prints the same zone.
    private static func provenOffset(
        _ bytes: UnsafePointer<UInt8>, start: Range<Int>, id: Range<Int>, zone: String
    ) -> Int64? {
        let text = UnsafeBufferPointer(start: bytes + start.lowerBound, count: start.count)
        guard text.count > 20, String(decoding: text[20...], as: UTF8.self) == zone,
            let local = second(text),
            let epoch = epoch(ofSession: UnsafeBufferPointer(start: bytes + id.lowerBound, count: id.count))
        else { return nil }
        let offset = local - epoch
        return abs(offset) <= 16 * 3_600_000 && offset % 60_000 == 0 ? offset : nil
    }

    /// UTC milliseconds of `YYYY-MM-DD HH:MM:SS` read as UTC.
    static func second(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard text.count >= 19, let minute = minute(text), text[16] == 58,
            let seconds = Int64(String(decoding: text[17..<19], as: UTF8.self))
        else { return nil }
        return minute + seconds * 1000
    }

    /// UTC milliseconds of the session's start, from its id.
    static func epoch(ofSession id: UnsafeBufferPointer<UInt8>) -> Int64? {
        let digits = id.prefix { $0 != 46 }
        guard digits.count <= 10, let epoch = Int64(String(decoding: digits, as: UTF8.self), radix: 16) else {
            return nil
        }
        return epoch * 1000
    }
}
