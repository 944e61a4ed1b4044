import Foundation

/// Cuts a stream of bytes into lines.
struct JSONLines {
    private var rest: [UInt8] = []
    /// Longest line in bytes.
    private static let limit = 4 << 20

    /// True when nothing is left of a line that has no end.
    var isWhole: Bool { rest.isEmpty }

    mutating func take(_ bytes: UnsafeRawBufferPointer, _ body: ([UInt8]) -> Void) {
        rest += bytes
        var start = 0
        while let end = rest[start...].firstIndex(of: 10) {
            if end > start { body(Array(rest[start..<end])) }
            start = end + 1
        }
        rest.removeFirst(start)
        // Nobody's line is so long: without its end the stream does not count as whole.
        if rest.count > JSONLines.limit { rest.removeLast(rest.count - 1) }
    }

    /// The texts of an object whose values are all texts, as VictoriaLogs writes them; nil for anything else.
    static func object(_ line: [UInt8]) -> [String: String]? {
        (try? JSONSerialization.jsonObject(with: Data(line))) as? [String: String]
    }
}

/// Text in a form (application/x-www-form-urlencoded).
enum FormText {
    static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: CharacterSet.alphanumerics) ?? ""
    }
}

/// Waiting, in tests of sinks.
enum Pause {
    static func milliseconds(_ count: UInt32) { usleep(count * 1000) }
}
