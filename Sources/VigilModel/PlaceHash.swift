/// A quick hash. Where it finds a place in a table, the key that stands there is compared: who makes keys that meet has them
/// looked up anew, no more. Where it stands for a text that a client wrote, two that meet may be counted or told once more,
/// never less. It is the same on every machine.
public struct PlaceHash {
    @usableFromInline var hash: UInt64 = 0

    /// The hash of nothing.
    @inlinable public init() {}

    /// Takes bytes by words of eight, the last of which may overlap the one before, and how many there are.
    @inlinable
    @inline(__always)
    public mutating func combine(_ bytes: UnsafeBufferPointer<UInt8>) {
        let count = bytes.count
        // How many there are goes into the first word that is taken.
        hash ^= UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
        guard count >= 8, let base = bytes.baseAddress else {
            var word: UInt64 = 0
            for byte in bytes { word = word << 8 | UInt64(byte) }
            return mix(word)
        }
        let memory = UnsafeRawPointer(base)
        var at = 0
        while at + 8 < count {
            mix(UInt64(littleEndian: memory.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
            at += 8
        }
        mix(UInt64(littleEndian: memory.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)))
    }

    @inlinable
    @inline(__always)
    mutating func mix(_ word: UInt64) {
        hash = (hash ^ word) &* 0xC2B2_AE3D_27D4_EB4F
        hash ^= hash >> 29
    }

    /// Takes that there is nothing, which is not the same as no bytes.
    @inlinable public mutating func combineNothing() { hash = (hash ^ 0xFF) &* 0xC2B2_AE3D_27D4_EB4F }

    /// The number of the place, evenly spread in its upper bits.
    @inlinable public var place: UInt64 { (hash ^ (hash >> 32)) &* 0x9E37_79B9_7F4A_7C15 }
}
