import CScan
import Glibc

/// Texts compared and cut without copying them.
extension UnsafeBufferPointer<UInt8> {
    /// The bytes from an offset on; none behind the end.
    @inline(__always)
    func from(_ start: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: self[Swift.min(start, count)...])
    }

    /// The bytes before an offset; all when there are no more.
    @inline(__always)
    func upTo(_ end: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: self[..<Swift.min(end, count)])
    }

    /// The bytes at these offsets.
    @inline(__always)
    func part(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: self[range]) }

    /// True when that text stands there.
    @inline(__always)
    func has(_ text: [UInt8], at place: Int = 0) -> Bool {
        text.withUnsafeBufferPointer { has($0, at: place) }
    }

    /// True when that text stands there.
    @inline(__always)
    func has(_ text: UnsafeBufferPointer<UInt8>, at place: Int = 0) -> Bool {
        guard place >= 0, place + text.count <= count, let base = baseAddress, let other = text.baseAddress else {
            return place >= 0 && text.isEmpty && place <= count
        }
        return memcmp(base + place, other, text.count) == 0
    }

    /// True when it ends with that text.
    @inline(__always)
    func ends(with text: [UInt8]) -> Bool { has(text, at: count - text.count) }

    /// True when it is that text.
    @inline(__always)
    func isText(_ text: [UInt8]) -> Bool { count == text.count && has(text) }

    /// Where a byte first stands at these offsets; the end of the range when it does not.
    @inline(__always)
    func first(_ byte: UInt8, in range: Range<Int>) -> Int {
        guard let base = baseAddress, range.lowerBound >= 0, range.upperBound <= count,
            let found = memchr(base + range.lowerBound, Int32(byte), range.count)
        else { return range.upperBound }
        return UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - base
    }

    /// Where a byte last stands at these offsets; nil when it does not.
    @inline(__always)
    func last(_ byte: UInt8, in range: Range<Int>) -> Int? {
        guard let base = baseAddress, range.lowerBound >= 0, range.upperBound <= count else { return nil }
        let found = cscan_last(base, byte, range.lowerBound, range.upperBound)
        return found < range.upperBound ? found : nil
    }

    /// Where a text first stands; nil when it does not.
    func place(of text: [UInt8]) -> Int? {
        guard let first = text.first else { return 0 }
        var at = 0
        while at + text.count <= count {
            at = self.first(first, in: at..<count - text.count + 1)
            if has(text, at: at) { return at }
            at += 1
        }
        return nil
    }
}
