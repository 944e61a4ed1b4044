/// Replaces the secrets in the text of a query.
enum SQLRedactor {
    static let mark = Array("<redacted>".utf8)

    /// A secret that breaks the quoting around it (`password=it's`) makes the rest read differently once it is
    /// gone, so the result is read again until nothing is found. Twice is the rule; each pass takes away bytes.
    private static let passLimit = 8

    static func redact(_ text: [UInt8]) -> [UInt8] {
        var text = text
        for _ in 0..<passLimit {
            let ranges = SQLSecretFinder.secrets(in: text)
            if ranges.isEmpty { break }
            let result = replace(ranges, in: text)
            if result == text { break }
            text = result
        }
        return text
    }

    /// Text that is no SQL; most messages hold nothing that a secret could be told by.
    static func redact(message: String) -> String {
        let text = Array(message.utf8)
        let ranges = secrets(inMessage: text)
        return ranges.isEmpty ? message : String(decoding: replace(ranges, in: text), as: UTF8.self)
    }

    /// Where secrets stand in such a text, in order.
    static func secrets(inMessage text: [UInt8]) -> [Range<Int>] {
        guard SQLSecretHint.mayHold(text, text.indices) else { return [] }
        var embedded = SQLEmbeddedSecrets(text)
        embedded.scan()
        return embedded.ranges.map { range in
            // The server's own quote behind a value.
            let endsInQuote = range.upperBound == text.count && range.count > 1 && text.last == SQLBytes.doubleQuote
            return endsInQuote ? range.dropLast() : range
        }.sorted { $0.lowerBound < $1.lowerBound }
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
