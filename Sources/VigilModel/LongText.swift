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
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
