import Crypto

/// Makes fingerprints of secrets: equal ones are seen to be equal, and without the key nothing can be told of them, not
/// even by trying every password there is.
public struct SecretKey: Sendable {
    private let key: SymmetricKey

    /// Fewer bytes could be guessed.
    public static let shortest = 16

    /// Takes the key's bytes; nil when there are too few.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count >= SecretKey.shortest else { return nil }
        key = SymmetricKey(data: bytes)
    }

    /// The first 64 bits of HMAC-SHA-256 (RFC 2104) over a secret, in hexadecimal.
    public func fingerprint(of secret: [UInt8]) -> String {
        Fingerprint.hexadecimal(HMAC<SHA256>.authenticationCode(for: secret, using: key).prefix(8))
    }
}
