/// Classes of bytes as PostgreSQL's lexical rules have them (manual 4.1); bytes above 127 count as letters.
enum SQLBytes {
    static let quote = UInt8(ascii: "'")
    static let doubleQuote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let dollar = UInt8(ascii: "$")
    static let dash = UInt8(ascii: "-")
    static let slash = UInt8(ascii: "/")
    static let star = UInt8(ascii: "*")
    static let dot = UInt8(ascii: ".")
    static let colon = UInt8(ascii: ":")
    static let equals = UInt8(ascii: "=")
    static let ampersand = UInt8(ascii: "&")
    static let semicolon = UInt8(ascii: ";")
    static let newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (byte >= 0x09 && byte <= 0x0D)
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10
    }

    static func isLetter(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26
    }

    static func startsName(_ byte: UInt8) -> Bool {
        isLetter(byte) || byte >= 0x80 || byte == UInt8(ascii: "_")
    }

    static func continuesName(_ byte: UInt8) -> Bool {
        startsName(byte) || isDigit(byte) || byte == dollar
    }

    static func isOperator(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"), UInt8(ascii: "<"),
            UInt8(ascii: ">"), UInt8(ascii: "="):
            true
        default: isStrongOperator(byte)
        }
    }

    /// Operator bytes after which a longer operator may end in `+` or `-` (manual 4.1.3 "Operators").
    static func isStrongOperator(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "@"), UInt8(ascii: "#"), UInt8(ascii: "%"),
            UInt8(ascii: "^"), UInt8(ascii: "&"), UInt8(ascii: "|"), UInt8(ascii: "`"), UInt8(ascii: "?"):
            true
        default: false
        }
    }

    static func upper(_ byte: UInt8) -> UInt8 {
        byte &- 0x61 < 26 ? byte & 0xDF : byte
    }

    static func lower(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    static func hexValue(_ byte: UInt8) -> UInt32? {
        if isDigit(byte) { return UInt32(byte &- 0x30) }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? UInt32(letter) + 10 : nil
    }

    /// Whether the bytes at `range` are `keyword`, given in upper case, without regard to ASCII case.
    static func matches(_ text: [UInt8], _ range: Range<Int>, _ keyword: String) -> Bool {
        let wanted = keyword.utf8
        guard range.count == wanted.count, range.upperBound <= text.count else { return false }
        var index = range.lowerBound
        // Most words differ in their first letter.
        if let first = wanted.first, upper(text[index]) != first { return false }
        for byte in wanted {
            if upper(text[index]) != byte { return false }
            index += 1
        }
        return true
    }
}
