/// A running 64-bit FNV-1a hash (draft-eastlake-fnv): stable over versions and machines, for names and look-ups. It is
/// no protection against a forger; where that matters SHA-256 is used.
public struct Digest64: Sendable {
    /// The hash of what was taken so far.
    public var value: UInt64 = 0xcbf2_9ce4_8422_2325

    /// The hash of nothing.
    public init() {}

    /// Takes bytes.
    public mutating func combine(_ bytes: UnsafeBufferPointer<UInt8>) {
        var hash = value
        for index in 0..<bytes.count { hash = (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01b3 }
        value = hash
    }

    /// Takes bytes.
    @inlinable
    public mutating func combine(_ bytes: some Sequence<UInt8>) {
        var hash = value
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        value = hash
    }

    /// Takes a text and a separator, so that ("ab", "c") differs from ("a", "bc").
    public mutating func combine(_ text: String) {
        combine(text.utf8)
        separate()
    }

    /// Takes a separator, as behind a text.
    public mutating func separate() { value = value &* 0x0000_0100_0000_01b3 }

    /// The upper half folded into the lower: eight hexadecimal digits when printed.
    public var folded32: UInt32 { UInt32(truncatingIfNeeded: value ^ (value >> 32)) }
}
