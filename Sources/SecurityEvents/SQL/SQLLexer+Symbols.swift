/// Numbers and operators (manual 4.1.2.6 "Numeric Constants", 4.1.3 "Operators").
extension SQLLexer {
    /// A number without letters that follow it: old servers read `1OR` as `1 OR`, and attackers write it so.
    mutating func number() -> SQLToken {
        if text[position] == UInt8(ascii: "0"), let stop = endOfRadixNumber() { return token(.number, to: stop) }
        var index = endOfDigits(from: position)
        if byte(index) == SQLBytes.dot, byte(index + 1) != SQLBytes.dot { index = endOfDigits(from: index + 1) }
        return token(.number, to: endOfExponent(from: index))
    }

    func endOfDigits(from index: Int) -> Int {
        var index = index
        while index < end, isDigitOrSeparator(index) { index += 1 }
        return index
    }

    private func isDigitOrSeparator(_ index: Int) -> Bool {
        if SQLBytes.isDigit(text[index]) { return true }
        return text[index] == UInt8(ascii: "_") && SQLBytes.isDigit(byte(index + 1))
    }

    private func endOfExponent(from index: Int) -> Int {
        guard byte(index) | 0x20 == UInt8(ascii: "e") else { return index }
        let sign = byte(index + 1)
        let digits = sign == UInt8(ascii: "+") || sign == SQLBytes.dash ? index + 2 : index + 1
        return SQLBytes.isDigit(byte(digits)) ? endOfDigits(from: digits) : index
    }

    /// The end of `0x1F`, `0o17` or `0b1`; `nil` for another number.
    private func endOfRadixNumber() -> Int? {
        let radix: UInt32
        switch byte(position + 1) | 0x20 {
        case UInt8(ascii: "x"): radix = 16
        case UInt8(ascii: "o"): radix = 8
        case UInt8(ascii: "b"): radix = 2
        default: return nil
        }
        var index = position + 2
        while index < end, let value = SQLBytes.hexValue(text[index]), value < radix { index += 1 }
        return index > position + 2 ? index : nil
    }

    /// The longest run of operator bytes that holds no comment start; a run without special bytes loses the
    /// `+` and `-` at its end, so that `=-1` is `=` and `-1`.
    mutating func operatorToken() -> SQLToken {
        var index = position
        var isStrong = false
        while index < end, SQLBytes.isOperator(text[index]), !startsComment(index) {
            isStrong = isStrong || SQLBytes.isStrongOperator(text[index])
            index += 1
        }
        if !isStrong {
            while index > position + 1, text[index - 1] == UInt8(ascii: "+") || text[index - 1] == SQLBytes.dash {
                index -= 1
            }
        }
        return token(.symbol, to: max(index, position + 1))
    }

    private func startsComment(_ index: Int) -> Bool {
        let second = byte(index + 1)
        return (text[index] == SQLBytes.dash && second == SQLBytes.dash)
            || (text[index] == SQLBytes.slash && second == SQLBytes.star)
    }
}
