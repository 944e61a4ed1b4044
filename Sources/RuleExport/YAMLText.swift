import VigilModel

/// Texts as YAML, quoted so that nothing in them is taken for anything else.
enum YAMLText {
    private static let words: Set<String> = ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf"]

    /// A scalar on one line.
    static func scalar(_ text: String) -> String {
        if isPlain(text) { return text }
        if text.unicodeScalars.allSatisfy(isPrintable) {
            return "'" + text.replacing("'", with: "''") + "'"
        }
        return JSONString.quoted(text)
    }

    /// A text of several lines as a block, each line behind `indent` blanks. What a block cannot hold is quoted.
    static func block(_ text: String, indent: Int) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let fits =
            lines.count > 1 && lines.allSatisfy { $0.unicodeScalars.allSatisfy(isPrintable) }
            && lines[0].first != " " && lines.last?.isEmpty == false
        guard fits else { return scalar(text) }
        let margin = String(repeating: " ", count: indent)
        return "|-\n" + lines.map { $0.isEmpty ? "" : margin + $0 }.joined(separator: "\n")
    }

    /// Lines of a comment, at most so wide.
    static func comment(_ text: String, indent: Int, width: Int = 116) -> [String] {
        let margin = String(repeating: " ", count: indent) + "# "
        var lines: [String] = []
        var line = ""
        let safe = String(String.UnicodeScalarView(text.unicodeScalars.map { isPrintable($0) ? $0 : " " }))
        for word in safe.split(separator: " ") {
            if !line.isEmpty, indent + 3 + line.count + word.count > width {
                lines.append(margin + line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return lines + [margin + line]
    }

    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.first, first.isASCII, first.isLetter else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-/".contains($0)) }
            && !words.contains(text.lowercased())
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA0...0x2027, 0x202F...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }
}
