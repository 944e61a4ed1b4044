import Crypto

/// SHA-256 (FIPS 180-4) cut to 128 bits: who wants another row in the place of a given one has to try 2^128.
public struct ChainHash: Hashable, Sendable {
    private let high, low: UInt64

    /// Bytes of a hash.
    public static let length = 16

    /// The hash of bytes.
    public init(of bytes: UnsafeRawBufferPointer) {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        (high, low) = hash.finalize().withUnsafeBytes {
            ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }

    /// The hash of a text.
    public init(of text: String) {
        let bytes = Array(text.utf8)
        self = bytes.withUnsafeBytes { ChainHash(of: $0) }
    }

    /// A hash as it was written; nil when these are not its bytes.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == ChainHash.length else { return nil }
        high = bytes.loadUnaligned(as: UInt64.self)
        low = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    }

    /// A hash as its 32 hexadecimal digits; nil when the text is something else.
    public init?(hexadecimal text: String) {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue.map(UInt8.init) }
        guard digits.count == text.utf8.count, digits.count == 2 * ChainHash.length else { return nil }
        let bytes = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
        guard let hash = bytes.withUnsafeBytes({ ChainHash($0) }) else { return nil }
        self = hash
    }

    /// A part of it, to look for it in a table.
    public var half: UInt32 { UInt32(truncatingIfNeeded: high) }

    /// Its bytes.
    public var bytes: [UInt8] { withUnsafeBytes(of: (high, low)) { Array($0) } }

    /// Its 32 hexadecimal digits.
    public var hexadecimal: String { Fingerprint.hexadecimal(bytes) }

    /// Writes its bytes; there must be room for `length`.
    public func write(to place: UnsafeMutablePointer<UInt8>) {
        UnsafeMutableRawPointer(place).storeBytes(of: high, as: UInt64.self)
        UnsafeMutableRawPointer(place + 8).storeBytes(of: low, as: UInt64.self)
    }
}
