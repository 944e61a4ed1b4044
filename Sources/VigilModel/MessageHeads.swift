/// The first four bytes of messages that somebody asks for, by their hashes: of a message that starts otherwise nothing
/// but its time matters. It errs on the safe side.
public struct MessageHeads: Sendable, Equatable {
    @usableFromInline var bits: SIMD4<UInt64>

    private init(bits: SIMD4<UInt64>) { self.bits = bits }

    /// Every message.
    public static let all = MessageHeads(bits: SIMD4(repeating: .max))
    /// No message.
    public static let none = MessageHeads(bits: SIMD4(repeating: 0))

    /// Adds the messages that start with the same four bytes; `head` is as `LogRecord.head` gives it.
    public mutating func insert(_ head: UInt64) {
        let bit = MessageHeads.bit(head)
        bits[bit >> 6] |= 1 << UInt64(bit & 63)
    }

    /// False when surely nobody asks for a message that starts so, if it has four bytes at least.
    @inlinable
    @inline(__always)
    public func contains(_ head: UInt64) -> Bool {
        let bit = MessageHeads.bit(head)
        return bits[bit >> 6] >> UInt64(bit & 63) & 1 != 0
    }

    @inlinable
    @inline(__always)
    static func bit(_ head: UInt64) -> Int {
        Int(truncatingIfNeeded: (UInt32(truncatingIfNeeded: head) &* 0x9E37_79B1) >> 24)
    }
}
