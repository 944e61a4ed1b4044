import VigilModel

/// Reads the times that pgauditlogtofile prints: `2026-03-02 06:41:01.437 UTC`; without a fraction in 1.7.0 to 1.7.5
/// (csv), where it is the start of the session; with nine digits in 1.8.
struct PGAuditTime {
    private var times: TimestampReader
    private var text: [UInt8] = []

    /// `timezone` is the source's configured zone; without it `head`, the start of the file, may tell what an
    /// abbreviation stands for.
    init(timezone: String?, head: UnsafeBufferPointer<UInt8>) {
        var zones = TimeZoneTable(timezone: timezone)
        if timezone == nil { PGAuditZone.learn(from: head, into: &zones) }
        times = TimestampReader(zones: zones)
    }

    var unknownZones: Set<String> { times.unknownZones }

    /// The time that `bytes` print; nil when they print none. Session start and id prove the zone where both are known.
    mutating func read(_ bytes: some Collection<UInt8>, start: some Collection<UInt8>, id: some Collection<UInt8>)
        -> LogTime?
    {
        text.removeAll(keepingCapacity: true)
        text += bytes
        guard let parts = PGAuditTime.parts(text[...]) else { return nil }
        // The form of csvlog: three digits.
        let fraction = text[19..<parts.zone - 1].dropFirst().prefix(3)
        let milliseconds = [46] + fraction + [UInt8](repeating: 48, count: 3 - fraction.count)
        text.replaceSubrange(19..<parts.zone - 1, with: milliseconds)
        let stamp = 0..<text.count
        text += [UInt8](repeating: 0, count: 8)
        let startRange = text.count..<text.count + start.count
        text += start
        let idRange = text.count..<text.count + id.count
        text += id
        return text.withUnsafeBufferPointer { text in
            guard let base = text.baseAddress else { return nil }
            return times.read(base, stamp, row: { $0 == .sessionStart ? startRange : idRange })
        }
    }

    /// How many bytes of `bytes` are a time, its zone included, and where the zone starts; nil when no time is there.
    static func parts(_ bytes: ArraySlice<UInt8>) -> (end: Int, zone: Int)? {
        bytes.withUnsafeBufferPointer { parts($0) }.map { ($0.end + bytes.startIndex, $0.zone + bytes.startIndex) }
    }

    /// The same, with offsets from the buffer's start.
    static func parts(_ bytes: UnsafeBufferPointer<UInt8>) -> (end: Int, zone: Int)? {
        guard bytes.count >= 21 else { return nil }
        for (at, form) in shape.enumerated() {
            guard form == 48 ? isDigit(bytes[at]) : bytes[at] == form else { return nil }
        }
        var at = 19
        if bytes[at] == 46 {
            at += 1
            while at < bytes.count, at < 30, isDigit(bytes[at]) { at += 1 }
        }
        guard at < bytes.count, bytes[at] == 32 else { return nil }
        let zone = at + 1
        at = zone
        while at < bytes.count, at - zone < 12, isZone(bytes[at]) { at += 1 }
        return at > zone ? (at, zone) : nil
    }

    private static let shape = Array("0000-00-00 00:00:00".utf8)

    static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

    private static func isZone(_ byte: UInt8) -> Bool {
        isDigit(byte) || (byte | 32 >= 97 && byte | 32 <= 122) || byte == 43 || byte == 45 || byte == 58
    }
}
