/// Undoes quote doubling, escapes and continuation over lines (manual 4.1.2.1 to 4.1.2.4).
struct SQLConstantDecoder {
    private let text: [UInt8]
    private let end: Int
    private var index: Int
    private(set) var result: SQLDecoded

    init(text: [UInt8], range: Range<Int>) {
        self.text = text
        index = range.lowerBound
        end = range.upperBound
        result = SQLDecoded(capacity: range.count, end: range.upperBound)
    }

    mutating func copy() {
        while index < end { take() }
    }

    mutating func decodePlain(quote: UInt8) {
        while index < end {
            if text[index] == quote { takeQuote(quote) } else { take() }
        }
    }

    /// `E'…'`: `\n`, `\'`, `\o` to `\ooo`, `\xh` to `\xhh`, `\uXXXX`, `\UXXXXXXXX`.
    mutating func decodeEscapes() {
        while index < end {
            switch text[index] {
            case SQLBytes.quote: takeQuote(SQLBytes.quote)
            case SQLBytes.backslash where index + 1 < end: takeEscape()
            default: take()
            }
        }
    }

    /// `U&'…'`: `\XXXX` and `\+XXXXXX` with the escape character of UESCAPE.
    mutating func decodeUnicode(quote: UInt8, escape: UInt8) {
        while index < end {
            if text[index] == quote {
                takeQuote(quote)
            } else if text[index] == escape {
                takeUnicode(escape)
            } else {
                take()
            }
        }
    }

    private mutating func take() {
        result.append(text[index], from: index)
        index += 1
    }

    /// A doubled quote stands for one; a single one inside the content ends a piece of a continued constant.
    private mutating func takeQuote(_ quote: UInt8) {
        if index + 1 < end, text[index + 1] == quote {
            result.append(quote, from: index)
            index += 2
            return
        }
        index += 1
        while index < end, text[index] != quote {
            if text[index] == SQLBytes.dash {
                while index < end, text[index] != SQLBytes.newline, text[index] != SQLBytes.carriageReturn {
                    index += 1
                }
            } else {
                index += 1
            }
        }
        index += 1
    }

    private mutating func takeEscape() {
        let start = index
        let letter = text[index + 1]
        index += 2
        switch letter {
        case UInt8(ascii: "b"): result.append(8, from: start)
        case UInt8(ascii: "f"): result.append(12, from: start)
        case UInt8(ascii: "n"): result.append(10, from: start)
        case UInt8(ascii: "r"): result.append(13, from: start)
        case UInt8(ascii: "t"): result.append(9, from: start)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            index -= 1
            result.append(UInt8(truncatingIfNeeded: takeDigits(atMost: 3, radix: 8) ?? 0), from: start)
        case UInt8(ascii: "x"):
            result.append(takeDigits(atMost: 2, radix: 16).map { UInt8(truncatingIfNeeded: $0) } ?? letter, from: start)
        case UInt8(ascii: "u"): takeScalar(digits: 4, from: start)
        case UInt8(ascii: "U"): takeScalar(digits: 8, from: start)
        default: result.append(letter, from: start)
        }
    }

    private mutating func takeUnicode(_ escape: UInt8) {
        let start = index
        index += 1
        guard index < end else { return result.append(escape, from: start) }
        if text[index] == escape {
            result.append(escape, from: start)
            index += 1
        } else if text[index] == UInt8(ascii: "+") {
            index += 1
            takeScalar(digits: 6, from: start)
        } else {
            takeScalar(digits: 4, from: start)
        }
    }

    private mutating func takeScalar(digits: Int, from start: Int) {
        if let value = takeDigits(atMost: digits, radix: 16) { result.append(scalar: value, from: start) }
    }

    private mutating func takeDigits(atMost limit: Int, radix: UInt32) -> UInt32? {
        var value: UInt32?
        var taken = 0
        while taken < limit, index < end, let digit = SQLBytes.hexValue(text[index]), digit < radix {
            value = (value ?? 0) &* radix &+ digit
            index += 1
            taken += 1
        }
        return value
    }
}
