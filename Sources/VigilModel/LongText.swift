import Crypto

/// A text too long to keep: its first megabyte, its length and its SHA-256 stay.
public struct LongText {
    /// Room for the mark: a text that was cut once is not cut again.
    public static let tolerance = LogRecord.textLimit + 128

    /// What is kept so far, at most `tolerance` bytes.
    public private(set) var head: [UInt8] = []
    /// Bytes taken so far.
    public private(set) var length = 0
    private var hash = SHA256()

    /// An empty text.
    public init() {}

    /// Takes more of the text.
    public mutating func append(_ bytes: [UInt8]) {
        if head.count < LongText.tolerance { head += bytes.prefix(LongText.tolerance - head.count) }
        length += bytes.count
        hash.update(data: bytes)
    }

    /// What was kept; when that is not all, with a mark that tells length and hash of the whole.
    public var kept: [UInt8] {
        guard length > LongText.tolerance else { return head }
        return head.prefix(LogRecord.textLimit)
            + Array(" [cut: \(length) bytes, sha256 \(Fingerprint.hexadecimal(hash.finalize()))]".utf8)
    }

    /// A whole text, cut when it is too long.
    public static func cut(_ text: [UInt8]) -> [UInt8] {
        guard text.count > tolerance else { return text }
        var long = LongText()
        long.append(text)
        return long.kept
    }
}

/// SHA-256 (FIPS 180-4) in hexadecimal.
public enum Fingerprint {
    /// Of bytes.
    public static func sha256(_ bytes: some Sequence<UInt8>) -> String {
        hexadecimal(SHA256.hash(data: Array(bytes)))
    }

    /// Digits of any bytes.
    public static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let bytes = Array(bytes)
        return String(unsafeUninitializedCapacity: 2 * bytes.count) { digits in
            for (index, byte) in bytes.enumerated() {
                digits[2 * index] = digit(byte >> 4)
                digits[2 * index + 1] = digit(byte & 15)
            }
            return 2 * bytes.count
        }
    }

    private static func digit(_ half: UInt8) -> UInt8 {
        half < 10 ? UInt8(ascii: "0") + half : UInt8(ascii: "a") + half - 10
    }
}
