/// Constants and identifiers in quotes, and comments (manual 4.1.1, 4.1.2, 4.1.5).
extension SQLLexer {
    /// A constant in single quotes with its continuations on later lines; `bodyAt` is behind the opening quote.
    mutating func quoted(_ kind: SQLToken.Kind, bodyAt: Int) -> SQLToken {
        let escapes = kind == .escapeString
        var index = bodyAt
        while index < end {
            let byte = text[index]
            if byte == SQLBytes.quote {
                if self.byte(index + 1) == SQLBytes.quote {
                    index += 2
                } else if let next = continuation(after: index + 1) {
                    index = next
                } else {
                    return token(kind, to: index + 1)
                }
            } else {
                index += escapes && byte == SQLBytes.backslash ? 2 : 1
            }
        }
        return token(kind, to: end, isClosed: false)
    }

    /// Where the next piece of a constant starts when only blanks with a line break, and comments up to line
    /// breaks, stand between it and the piece that ended at `index`.
    func continuation(after index: Int) -> Int? {
        var index = index
        var sawNewline = false
        while index < end {
            let byte = text[index]
            if byte == SQLBytes.newline || byte == SQLBytes.carriageReturn {
                sawNewline = true
                index += 1
            } else if SQLBytes.isSpace(byte) {
                index += 1
            } else if byte == SQLBytes.dash, self.byte(index + 1) == SQLBytes.dash {
                index = endOfLine(from: index)
            } else {
                return sawNewline && byte == SQLBytes.quote ? index + 1 : nil
            }
        }
        return nil
    }

    mutating func quotedName(_ kind: SQLToken.Kind, bodyAt: Int) -> SQLToken {
        var index = bodyAt
        while index < end {
            if text[index] != SQLBytes.doubleQuote {
                index += 1
            } else if byte(index + 1) == SQLBytes.doubleQuote {
                index += 2
            } else {
                return token(kind, to: index + 1)
            }
        }
        return token(kind, to: end, isClosed: false)
    }

    /// `$1`, `$tag$…$tag$`, or a lone `$`.
    mutating func dollar() -> SQLToken {
        let second = byte(position + 1)
        if SQLBytes.isDigit(second) { return token(.parameter, to: endOfDigits(from: position + 1)) }
        var close = position + 1
        if SQLBytes.startsName(second) {
            while close < end, text[close] != SQLBytes.dollar, SQLBytes.continuesName(text[close]) { close += 1 }
        }
        guard byte(close) == SQLBytes.dollar else { return token(.other, length: 1) }
        return dollarString(delimiter: position..<close + 1)
    }

    /// Looks for the closing delimiter. It holds `$` only at its ends, so no byte is compared more than twice.
    private mutating func dollarString(delimiter: Range<Int>) -> SQLToken {
        var index = delimiter.upperBound
        while index < end {
            if text[index] == SQLBytes.dollar, hasBytes(of: delimiter, at: index) {
                return token(.dollarString, to: index + delimiter.count)
            }
            index += 1
        }
        return token(.dollarString, to: end, isClosed: false)
    }

    private func hasBytes(of range: Range<Int>, at index: Int) -> Bool {
        guard index + range.count <= end else { return false }
        for offset in 0..<range.count where text[range.lowerBound + offset] != text[index + offset] { return false }
        return true
    }

    mutating func lineComment() -> SQLToken {
        token(.comment, to: endOfLine(from: position))
    }

    private func endOfLine(from index: Int) -> Int {
        var index = index
        while index < end, text[index] != SQLBytes.newline, text[index] != SQLBytes.carriageReturn { index += 1 }
        return index
    }

    /// Comments with `/*` nest.
    mutating func blockComment() -> SQLToken {
        var depth = 1
        var index = position + 2
        while index < end {
            if text[index] == SQLBytes.star, byte(index + 1) == SQLBytes.slash {
                depth -= 1
                index += 2
                if depth == 0 { return token(.comment, to: index) }
            } else if text[index] == SQLBytes.slash, byte(index + 1) == SQLBytes.star {
                depth += 1
                index += 2
            } else {
                index += 1
            }
        }
        return token(.comment, to: end, isClosed: false)
    }
}
