/// Text as a JSON string (RFC 8259), which YAML in double quotes and Go's strings read alike.
public enum JSONString {
    /// The text in double quotes; quotes, backslashes, and what a terminal would obey or not show escaped: control
    /// characters, separators of lines, marks of writing direction and their like. Those beyond U+FFFF stay: for them
    /// JSON and YAML have different words.
    public static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value <= 0xFFFF && Shown.isUnsafe(scalar):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
