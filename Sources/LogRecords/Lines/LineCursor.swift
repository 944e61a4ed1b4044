/// Walks over the bytes of a line; what does not fit leaves it where it is.
struct LineCursor {
    let bytes: UnsafeBufferPointer<UInt8>
    var at: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, at: Int = 0) {
        self.bytes = bytes
        self.at = at
    }

    /// The next byte; 0 at the end.
    var next: UInt8 { at < bytes.count ? bytes[at] : 0 }

    /// True when nothing is left.
    var isAtEnd: Bool { at >= bytes.count }

    /// What is left.
    var rest: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: bytes[min(at, bytes.count)...]) }

    /// Steps over that byte.
    @inline(__always)
    mutating func skip(_ byte: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    /// Steps over that text.
    @inline(__always)
    mutating func skip(_ text: StaticString) -> Bool {
        guard bytes.has(text, at: at) else { return false }
        at += text.utf8CodeUnitCount
        return true
    }

    /// Steps over a number of one to `digits` digits.
    mutating func number(digits: Int) -> Int? {
        var value = 0
        var count = 0
        while count < digits, at + count < bytes.count, let digit = bytes[at + count].digit {
            value = value * 10 + digit
            count += 1
        }
        guard count > 0 else { return nil }
        at += count
        return value
    }

    /// Steps over bytes as long as they are wanted, and gives them.
    @inline(__always)
    mutating func run(_ isWanted: (UInt8) -> Bool) -> Range<Int> {
        let start = at
        while at < bytes.count, isWanted(bytes[at]) { at += 1 }
        return start..<at
    }
}

extension UInt8 {
    /// The value of a decimal digit.
    var digit: Int? { self >= 48 && self <= 57 ? Int(self - 48) : nil }

    /// A to Z.
    var isCapital: Bool { self >= 65 && self <= 90 }

    /// 0 to 9, a to f, A to F.
    var isHexadecimal: Bool { self &- 48 < 10 || (self | 32) &- 97 < 6 }
}

extension UnsafeBufferPointer<UInt8> {
    /// True when that text stands there.
    @inline(__always)
    func has(_ text: StaticString, at place: Int = 0) -> Bool {
        let length = text.utf8CodeUnitCount
        guard place >= 0, place + length <= count else { return false }
        for index in 0..<length where self[place + index] != text.utf8Start[index] { return false }
        return true
    }

    /// Where that text first stands, from a place on.
    func find(_ text: StaticString, from place: Int = 0) -> Int? {
        let length = text.utf8CodeUnitCount
        guard length > 0, count >= length else { return nil }
        var index = place
        let first = text.utf8Start[0]
        while index + length <= count {
            if self[index] == first, has(text, at: index) { return index }
            index += 1
        }
        return nil
    }
}
