/// Walks over the bytes of one JSON text (RFC 8259) without copying. It is tolerant where writers are: any bytes may
/// stand in a string, and what an escape means is for `JSONText` to say.
struct JSONScanner {
    let bytes: UnsafePointer<UInt8>
    let end: Int
    var at: Int

    /// How a walk went.
    enum Step {
        case done
        /// The bytes ended first.
        case open
        case broken
    }

    /// Deepest nesting that is walked over: a log of PostgreSQL has none, and a line of brackets must not use up the
    /// stack.
    private static let deepest = 32

    /// The byte at `at`, blanks skipped; nil at the end.
    @inline(__always)
    mutating func next() -> UInt8? {
        while at < end {
            let byte = bytes[at]
            if byte > 32 { return byte }
            guard byte == 32 || byte == 9 || byte == 13 || byte == 10 else { return byte }
            at += 1
        }
        return nil
    }

    /// Takes a string whose opening quote is at `at`. At the end of the bytes `value` has what is there.
    @inline(__always)
    mutating func string(_ value: inout JSONValue) -> Step {
        at += 1
        value.start = at
        value.kind = .text
        value.isEscaped = false
        while at < end {
            if at + 8 <= end {
                let hit = JSONScanner.quoteOrBackslash(UnsafeRawPointer(bytes + at).loadUnaligned(as: UInt64.self))
                if hit == 8 {
                    at += 8
                    continue
                }
                at += hit
            }
            let byte = bytes[at]
            if byte == 34 {
                value.end = at
                at += 1
                return .done
            }
            if byte == 92 {
                value.isEscaped = true
                at += 2
            } else {
                at += 1
            }
        }
        at = end
        value.end = end
        return .open
    }

    /// Index of the first `"` or `\` among eight bytes, 8 when there is none.
    @inline(__always)
    private static func quoteOrBackslash(_ word: UInt64) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* 34)
        let slashes = word ^ (ones &* 92)
        let hits = ((quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes) & (ones &* 0x80)
        return hits.trailingZeroBitCount >> 3
    }

    /// Takes any value.
    @inline(__always)
    mutating func value(_ value: inout JSONValue) -> Step {
        guard let first = next() else { return .open }
        if first == 34 { return string(&value) }
        if first == 123 || first == 91 {
            value = JSONValue(start: at, end: at, kind: .other)
            return nested()
        }
        let start = at
        while at < end, bytes[at] != 44, bytes[at] != 125, bytes[at] > 32 {
            guard JSONScanner.isBare(bytes[at]) else { return .broken }
            at += 1
        }
        value = JSONValue(start: start, end: at, kind: bytes[start] == 110 ? .other : .bare)
        if at == end { return .open }
        return at > start ? .done : .broken
    }

    /// Digits, letters and signs: numbers, `true`, `false`, `null`.
    @inline(__always)
    private static func isBare(_ byte: UInt8) -> Bool {
        (byte >= 48 && byte <= 57) || (byte | 32 >= 97 && byte | 32 <= 122) || byte == 45 || byte == 43 || byte == 46
    }

    /// Walks over an object or a list.
    private mutating func nested() -> Step {
        var depth = 0
        var ignored = JSONValue()
        while at < end {
            switch bytes[at] {
            case 123, 91:
                depth += 1
                if depth > JSONScanner.deepest { return .broken }
            case 125, 93:
                depth -= 1
                if depth == 0 {
                    at += 1
                    return .done
                }
            case 34:
                if case .open = string(&ignored) { return .open }
                continue
            default: break
            }
            at += 1
        }
        return .open
    }
}
