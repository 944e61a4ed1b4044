import Codecs
import Foundation

/// Whatever a packed file holds, it gives no more than is allowed, and ends.
enum ArchiveProperty {
    private static let limit = 1 << 20

    /// Small archives of every kind, packed by the tools.
    static let seeds: [[UInt8]] = [
        "H4sIAAAAAAAAA8tIzcnJVyjPL8pJ4QIALTsIrwwAAAA=",
        "KLUv/QRYYQAAaGVsbG8gd29ybGQKjG19IA==",
        "/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQALaGVsbG8gd29ybGQKAKHy/8Rqf7/PAAEkDKYY2NgftvN9AQAAAAAEWVo=",
        "QlpoOTFBWSZTWU7s6DYAAAJRgAAQQAAGRJCAIAAxBkxBAaeppYC7lDH4u5IpwoSCd2dBsA==",
        "BCJNGGRApwwAAIBoZWxsbyB3b3JsZAoAAAAAsI1SpA==",
    ].compactMap { Data(base64Encoded: $0).map(Array.init) }

    static func problem(with input: [UInt8]) -> String? {
        guard let compression = Compression.detect(input[...]) else { return nil }
        do {
            let made = try compression.unpack(input, limit: limit)
            return made.count > limit ? "\(made.count) bytes" : nil
        } catch {
            if case .corrupt(let reason) = error, reason.isEmpty { return "refused without a reason" }
            return nil
        }
    }
}
