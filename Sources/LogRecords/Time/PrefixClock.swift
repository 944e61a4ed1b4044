import VigilModel

/// Reads the times of a stderr log: `2026-03-02 09:49:01.374 UTC` (`%m`), without milliseconds (`%t`), or seconds since
/// 1970 (`%n`). Lines of one minute and zone share the work.
struct PrefixClock {
    private var zones: TimeZoneTable
    /// The last minute read: its sixteen characters, its zone text, and what they are in UTC milliseconds.
    private var head: UInt64 = 0
    private var tail: UInt64 = 0
    private var zone: (word: UInt64, count: Int) = (0, -1)
    private var minuteStart: Int64 = 0

    init(zones: TimeZoneTable) { self.zones = zones }

    /// Abbreviations that nothing told the meaning of.
    var unknownZones: Set<String> { zones.unknown }

    /// The time of `%m` or `%t`; nil when it is none. `learned` gives the offset that the line proves for its zone.
    @inline(__always)
    mutating func read(
        _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, learned: (UnsafeBufferPointer<UInt8>) -> Int64?
    ) -> LogTime? {
        guard range.count > 20, let base = bytes.baseAddress else { return nil }
        let text = UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
        let at = UnsafeRawPointer(base + range.lowerBound)
        let zoneAt = text[19] == 46 ? 24 : 20
        guard text.count > zoneAt else { return nil }
        var word: UInt64 = 0
        for byte in text[zoneAt...] { word = word << 8 | UInt64(byte) }
        if at.loadUnaligned(as: UInt64.self) != head || at.loadUnaligned(fromByteOffset: 8, as: UInt64.self) != tail
            || word != zone.word || text.count - zoneAt != zone.count
        {
            guard startMinute(text, zoneAt: zoneAt, learned: learned) else { return nil }
            head = at.loadUnaligned(as: UInt64.self)
            tail = at.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            zone = (word, text.count - zoneAt)
        }
        let (s1, s0) = (text[17] &- 48, text[18] &- 48)
        guard s1 < 6 || (s1 == 6 && s0 == 0), s0 < 10 else { return nil }
        var fraction = (Int64(s1) &* 10 &+ Int64(s0)) &* 1000
        if zoneAt == 24 {
            let (m2, m1, m0) = (text[20] &- 48, text[21] &- 48, text[22] &- 48)
            guard m2 < 10, m1 < 10, m0 < 10 else { return nil }
            fraction = fraction &+ Int64(m2) &* 100 &+ Int64(m1) &* 10 &+ Int64(m0)
        }
        return LogTime(milliseconds: minuteStart &+ fraction)
    }

    private mutating func startMinute(
        _ text: UnsafeBufferPointer<UInt8>, zoneAt: Int, learned: (UnsafeBufferPointer<UInt8>) -> Int64?
    ) -> Bool {
        guard let minute = TimestampReader.minute(text) else { return false }
        // Zones of more than eight letters would be told apart by their last eight only; there are none.
        guard text.count - zoneAt <= 8 else { return false }
        minuteStart = minute - zones.offset(of: String(decoding: text[zoneAt...], as: UTF8.self)) { learned(text) }
        return true
    }

    /// The time of `%n`: `1772444941.374`.
    static func epoch(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> LogTime? {
        var value: Int64 = 0
        guard range.count >= 5, range.count <= 16 else { return nil }
        for byte in bytes[range] where byte != 46 {
            guard byte &- 48 < 10 else { return nil }
            value = value * 10 + Int64(byte - 48)
        }
        return LogTime(milliseconds: value)
    }
}
