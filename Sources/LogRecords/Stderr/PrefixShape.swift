/// What the fields of a prefix look like, as `log_status_format` prints them.
enum PrefixShape {
    typealias Bytes = UnsafeBufferPointer<UInt8>

    /// The offset behind the field that starts at `at`, before `limit`; nil when none does. Not for free text.
    static func end(_ field: PrefixField, _ bytes: Bytes, _ at: Int, _ limit: Int) -> Int? {
        switch field {
        case .time, .start: return clock(bytes, at, limit, length: 19)
        case .milliseconds: return clock(bytes, at, limit, length: 23)
        case .epoch:
            guard let dot = some(digits(bytes, at, limit), at), dot < limit, bytes[dot] == 46 else { return nil }
            return some(digits(bytes, dot + 1, limit), dot + 1)
        case .process, .line, .transaction: return some(digits(bytes, at, limit), at)
        case .leader: return digits(bytes, at, limit)
        case .queryID:
            let first = at < limit && bytes[at] == 45 ? at + 1 : at
            return some(digits(bytes, first, limit), first)
        case .session:
            guard let dot = some(hexadecimals(bytes, at, limit), at), dot < limit, bytes[dot] == 46 else { return nil }
            return some(hexadecimals(bytes, dot + 1, limit), dot + 1)
        case .state:
            guard at + 5 <= limit else { return nil }
            for index in at..<at + 5 where !isDigit(bytes[index]) && !(65...90).contains(bytes[index]) { return nil }
            return at + 5
        case .virtualTransaction: return virtualTransaction(bytes, at, limit)
        case .remote: return remote(bytes, at, limit)
        case .host, .local: return host(bytes, at, limit)
        case .application, .user, .database, .tag, .backendType, .rest: return nil
        }
    }

    /// True when these bytes are such a field and nothing else.
    static func fits(_ field: PrefixField, _ bytes: Bytes, _ range: Range<Int>, width: Int) -> Bool {
        guard field.isFree else { return end(field, bytes, range.lowerBound, range.upperBound) == range.upperBound }
        guard range.count <= max(field.longest, abs(width)) else { return false }
        if field == .rest {
            guard let last = bytes[range].last else { return true }
            // A severity is a word of its own.
            return last < 0x80 && !isDigit(last) && !(97...122).contains(last | 32)
        }
        if field.isRaw { return true }
        for index in range where bytes[index] < 32 { return false }
        return true
    }

    /// `2026-03-02 09:49:00[.374] UTC`: a zone is a word or a number.
    private static func clock(_ bytes: Bytes, _ at: Int, _ limit: Int, length: Int) -> Int? {
        guard at + length + 2 <= limit, bytes[at + 4] == 45, bytes[at + 7] == 45, bytes[at + 10] == 32,
            bytes[at + 13] == 58, bytes[at + 16] == 58, bytes[at + length] == 32, isDigit(bytes[at]),
            isDigit(bytes[at + 18]), length == 19 || (bytes[at + 19] == 46 && isDigit(bytes[at + 22]))
        else { return nil }
        let zone = at + length + 1
        if bytes[zone] == 43 || bytes[zone] == 45 { return some(digits(bytes, zone + 1, limit), zone + 1) }
        var end = zone
        while end < limit, (bytes[end] | 32) >= 97, (bytes[end] | 32) <= 122 { end += 1 }
        return some(end, zone)
    }

    /// `3/17`, nothing outside of a transaction, `-1/0` for some.
    private static func virtualTransaction(_ bytes: Bytes, _ at: Int, _ limit: Int) -> Int {
        let first = at < limit && bytes[at] == 45 ? at + 1 : at
        let slash = digits(bytes, first, limit)
        guard slash > first, slash < limit, bytes[slash] == 47 else { return at }
        return digits(bytes, slash + 1, limit)
    }

    /// `192.0.2.1(40000)`, `2001:db8::1(40000)`, `[local]`; nothing for a process without a client.
    private static func remote(_ bytes: Bytes, _ at: Int, _ limit: Int) -> Int {
        if at < limit, bytes[at] == 91 {
            let end = bracket(bytes, at, limit)
            // A client that bound its own socket path has it here as its port.
            guard end < limit, bytes[end] == 40 else { return end }
            var close = end + 1
            while close < limit, bytes[close] != 41, close - end < 64 { close += 1 }
            return close < limit && bytes[close] == 41 ? close + 1 : end
        }
        let open = run(bytes, at, limit)
        guard open > at, open < limit, bytes[open] == 40 else { return at }
        var close = open + 1
        while close < limit, isDigit(bytes[close]) || bytes[close] == 63 { close += 1 }
        return close < limit && close > open + 1 && bytes[close] == 41 ? close + 1 : at
    }

    /// An address, a name, `[local]`, or nothing. Where a `:` may follow, an IPv6 address goes up to the last one.
    private static func host(_ bytes: Bytes, _ at: Int, _ limit: Int) -> Int {
        if at < limit, bytes[at] == 91 { return bracket(bytes, at, limit) }
        let end = run(bytes, at, limit)
        let address = bytes[at..<end].prefix { $0 != 37 }
        // Colons are those of an IPv6 address.
        guard address.contains(58) else { return end }
        return address.allSatisfy { $0 == 58 || $0 == 46 || isDigit($0) || ($0 | 32) &- 97 < 6 } ? end : at
    }

    /// `[local]`, `[none]`.
    private static func bracket(_ bytes: Bytes, _ at: Int, _ limit: Int) -> Int {
        for word in [StaticString("[local]"), "[none]"] where at + word.utf8CodeUnitCount <= limit {
            if (0..<word.utf8CodeUnitCount).allSatisfy({ bytes[at + $0] == word.utf8Start[$0] }) {
                return at + word.utf8CodeUnitCount
            }
        }
        return at
    }

    /// Bytes of addresses and host names; `?` stands where the server knows none.
    private static func run(_ bytes: Bytes, _ at: Int, _ limit: Int) -> Int {
        var end = at
        while end < limit, isAddress(bytes[end]) { end += 1 }
        return end
    }

    /// Digits, letters, and `.:-_%?`, as bits of two words.
    @inline(__always)
    private static func isAddress(_ byte: UInt8) -> Bool {
        let word: UInt64 = byte < 64 ? 0x87FF_6020_0000_0000 : 0x07FF_FFFE_87FF_FFFE
        return byte < 128 && word >> UInt64(byte & 63) & 1 != 0
    }

    private static func some(_ end: Int, _ start: Int) -> Int? { end > start ? end : nil }

    @inline(__always)
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

    private static func digits(_ bytes: Bytes, _ at: Int, _ limit: Int) -> Int {
        var end = at
        while end < limit, isDigit(bytes[end]) { end += 1 }
        return end
    }

    private static func hexadecimals(_ bytes: Bytes, _ at: Int, _ limit: Int) -> Int {
        var end = at
        while end < limit, isDigit(bytes[end]) || bytes[end] &- 97 < 6 { end += 1 }
        return end
    }
}
