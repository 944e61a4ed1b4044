/// Replaces the secrets in the text of a query.
enum SQLRedactor {
    static let mark = Array("<redacted>".utf8)

    /// A secret that breaks the quoting around it (`password=it's`) makes the rest read differently once it is
    /// gone, so the result is read again until nothing is found. Twice is the rule; each pass takes away bytes.
    private static let passLimit = 8

    static func redact(_ text: [UInt8]) -> [UInt8] {
        var text = text
        for _ in 0..<passLimit {
            let result = replace(SQLSecretFinder.secrets(in: text), in: text)
            if result == text { break }
            text = result
        }
        return text
    }

    /// Text that is no SQL; most messages hold nothing that a secret could be told by.
    static func redact(message: String) -> String {
        let text = Array(message.utf8)
        guard SQLSecretHint.mayHold(text, text.indices) else { return message }
        var embedded = SQLEmbeddedSecrets(text)
        embedded.scan()
        guard !embedded.ranges.isEmpty else { return message }
        return String(
            decoding: replace(embedded.ranges.sorted { $0.lowerBound < $1.lowerBound }, in: text), as: UTF8.self)
    }

    private static func replace(_ ranges: [Range<Int>], in text: [UInt8]) -> [UInt8] {
        guard !ranges.isEmpty else { return text }
        var result: [UInt8] = []
        result.reserveCapacity(text.count + ranges.count * mark.count)
        var position = 0
        for range in ranges {
            result.append(contentsOf: text[position..<range.lowerBound])
            result.append(contentsOf: mark)
            position = range.upperBound
        }
        result.append(contentsOf: text[position...])
        return result
    }
}
