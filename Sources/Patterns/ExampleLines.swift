import Glibc

/// The lines of examples in a file of the catalogue: more than a third of it, and of no use to who reads logs.
enum ExampleLines {
    private static let keys = [Array("examples:".utf8), Array("counterexamples:".utf8)]

    /// The text with the items of its examples left empty: every other line stands where it stood, so that places stay
    /// true.
    static func emptied(_ text: String) -> String {
        var text = text
        return text.withUTF8 { bytes in
            String(unsafeUninitializedCapacity: bytes.count) { copy in
                guard let from = bytes.baseAddress, let to = copy.baseAddress else { return 0 }
                return empty(from, bytes.count, to)
            }
        }
    }

    /// Writes what is left, which is no longer; gives its length.
    private static func empty(_ text: UnsafePointer<UInt8>, _ count: Int, _ copy: UnsafeMutablePointer<UInt8>) -> Int {
        var written = 0
        // Columns that the key before stands behind; none outside of examples.
        var depth: Int?
        var at = 0
        while at < count {
            let feed = memchr(text + at, 10, count - at)?.assumingMemoryBound(to: UInt8.self)
            let end = feed.map { UnsafePointer($0) - text } ?? count
            var first = at
            while first < end, text[first] == 32 { first += 1 }
            let indent = first - at
            // A list may stand as deep as its key.
            if let key = depth, first == end || indent > key || indent == key && text[first] == 45 {
                at = end
            } else {
                let content = UnsafeBufferPointer(start: text + first, count: end - first)
                depth = keys.contains { $0.elementsEqual(content) } ? indent : nil
            }
            // With its line feed, where it has one.
            let length = min(end + 1, count) - at
            memcpy(copy + written, text + at, length)
            written += length
            at += length
        }
        return written
    }
}
