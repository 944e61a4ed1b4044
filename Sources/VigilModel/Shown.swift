/// Text of others made safe to show: to a terminal, in a log line, in a table.
public enum Shown {
    /// Control characters, marks that change the direction of writing, and invisible characters as `\u{…}`.
    public static func text(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if isUnsafe(scalar) {
                    result += "\\u{\(String(scalar.value, radix: 16))}"
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result
    }

    /// The same, cut to about that many characters.
    public static func text(_ text: String, limit: Int) -> String {
        text.count <= limit ? self.text(text) : self.text(String(text.prefix(limit))) + "…"
    }

    /// The same in double quotes, quotes and backslashes escaped.
    public static func quoted(_ text: String) -> String {
        let escaped = text.utf8.flatMap { $0 == 34 || $0 == 92 ? [92, $0] : [$0] }
        return "\"\(self.text(String(decoding: escaped, as: UTF8.self)))\""
    }

    /// True for what a terminal would obey or not show.
    static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value >= 0x20, scalar.value < 0x7F { return false }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
        default: false
        }
    }

    /// `45 s`, `4 min 10 s`, `6 h`, of milliseconds.
    public static func duration(_ milliseconds: Int64) -> String {
        let seconds = milliseconds / 1000
        if milliseconds < 1000 { return "\(milliseconds) ms" }
        if seconds < 60 { return "\(seconds) s" }
        if seconds < 3600 { return "\(seconds / 60) min" + (seconds % 60 > 0 ? " \(seconds % 60) s" : "") }
        if seconds < 86_400 {
            return "\(seconds / 3600) h" + (seconds % 3600 >= 60 ? " \(seconds % 3600 / 60) min" : "")
        }
        return "\(seconds / 86_400) d" + (seconds % 86_400 >= 3600 ? " \(seconds % 86_400 / 3600) h" : "")
    }
}
