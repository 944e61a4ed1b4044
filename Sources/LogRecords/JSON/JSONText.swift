/// What the escapes of a JSON string mean.
enum JSONText {
    /// Adds a string's text to `output`, each quote `quotes` times.
    static func append(_ text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8], quotes: Int = 1) {
        var at = 0
        var plain = 0
        while at < text.count {
            guard text[at] == 92, at + 1 < text.count else {
                at += 1
                continue
            }
            output.append(contentsOf: UnsafeBufferPointer(rebasing: text[plain..<at]))
            at = appendEscape(text, at, to: &output, quotes: quotes)
            plain = at
        }
        output.append(contentsOf: UnsafeBufferPointer(rebasing: text[plain..<text.count]))
    }

    /// Adds what the escape at `at` means; gives the offset behind it.
    private static func appendEscape(
        _ text: UnsafeBufferPointer<UInt8>, _ at: Int, to output: inout [UInt8], quotes: Int
    ) -> Int {
        switch text[at + 1] {
        case 34: for _ in 0..<quotes { output.append(34) }
        case 98: output.append(8)
        case 102: output.append(12)
        case 110: output.append(10)
        case 114: output.append(13)
        case 116: output.append(9)
        case 92, 47: output.append(text[at + 1])
        case 117:
            guard let unit = unit(text, at) else { fallthrough }
            var scalar = Unicode.Scalar(unit)
            var end = at + 6
            if unit >> 10 == 0x36, let low = self.unit(text, end), low >> 10 == 0x37 {
                scalar = Unicode.Scalar((unit & 0x3FF) << 10 + low & 0x3FF + 0x10000)
                end += 6
            }
            // A lone surrogate is no character.
            let character = scalar ?? "\u{FFFD}"
            if character == "\"" { for _ in 1..<quotes { output.append(34) } }
            output.append(contentsOf: UTF8.encode(character) ?? UTF8.encodedReplacementCharacter)
            return end
        default:
            // No escape that JSON has: as it stands.
            output.append(92)
            output.append(text[at + 1])
        }
        return at + 2
    }

    /// The number of `\uXXXX`.
    private static func unit(_ text: UnsafeBufferPointer<UInt8>, _ at: Int) -> UInt32? {
        guard at + 6 <= text.count, text[at] == 92, text[at + 1] == 117 else { return nil }
        var number: UInt32 = 0
        for byte in text[at + 2..<at + 6] {
            switch byte {
            case 48...57: number = number << 4 | UInt32(byte - 48)
            case 65...70, 97...102: number = number << 4 | UInt32((byte | 32) - 87)
            default: return nil
            }
        }
        return number
    }
}
