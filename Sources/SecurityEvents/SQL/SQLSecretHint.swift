/// Tells cheaply that most constants hold no secret, so that they need not be read as SQL.
enum SQLSecretHint {
    /// No form of a secret with what makes it one is shorter: `a://b:c@`, `passwd=x`.
    private static let shortest = 8

    /// False when the text holds no byte that is part of every form in which a secret is recognised: a quote, `=`,
    /// `:`, `$`, `\`, a dash behind a blank or at the start, and the words `password` and `md5`.
    static func mayHold(_ text: [UInt8], _ range: Range<Int>) -> Bool {
        guard range.count >= shortest else { return false }
        var previous: UInt8 = 0
        for index in range {
            let byte = text[index]
            switch byte {
            case SQLBytes.quote, SQLBytes.doubleQuote, SQLBytes.equals, SQLBytes.colon, SQLBytes.dollar,
                SQLBytes.backslash:
                return true
            case SQLBytes.dash:
                // An option of a command line.
                if index == range.lowerBound || SQLBytes.isSpace(text[index - 1]) { return true }
            case UInt8(ascii: "w"), UInt8(ascii: "W"), UInt8(ascii: "5"):
                if previous == UInt8(ascii: "s") || previous == UInt8(ascii: "d") { return true }
            default: break
            }
            previous = byte | 0x20
        }
        return false
    }

    /// False when the text of a query surely holds no secret. A secret is a constant, or part of what a constant, a
    /// comment or a quoted name holds, or a bare word; the first and the last follow a word that says so. What could
    /// spell such a word otherwise (`\\`, `U&`) or hold text of its own (`$$`, comments) counts as one.
    static func mayHold(query text: [UInt8]) -> Bool {
        text.withUnsafeBufferPointer { bytes in
            // Where the constant and the quoted name begin that stand open.
            var constant: Int?
            var name: Int?
            /// The last byte that is no blank.
            var last: UInt8 = 0
            var makesRole = false
            var namesRole = false
            var index = 0
            while index < bytes.count {
                let byte = bytes[index]
                defer {
                    index += 1
                    if !SQLBytes.isSpace(byte) { last = byte }
                }
                switch byte {
                case SQLBytes.quote where name != nil: return true
                case SQLBytes.quote:
                    if let start = constant {
                        if mayHold(text, start..<index) { return true }
                        constant = nil
                    } else {
                        // Doubled, or a constant that goes on in another line.
                        if last == SQLBytes.quote { return true }
                        constant = index + 1
                    }
                case SQLBytes.doubleQuote where constant != nil: return true
                case SQLBytes.doubleQuote:
                    if let start = name {
                        if mayHold(text, start..<index) { return true }
                        name = nil
                    } else {
                        if last == SQLBytes.doubleQuote { return true }
                        name = index + 1
                    }
                // A parameter is none.
                case SQLBytes.dollar where index + 1 < bytes.count && SQLBytes.isDigit(bytes[index + 1]): break
                case SQLBytes.backslash, SQLBytes.dollar, SQLBytes.ampersand: return true
                case SQLBytes.dash where index > 0 && bytes[index - 1] == SQLBytes.dash: return true
                case SQLBytes.star where index > 0 && bytes[index - 1] == SQLBytes.slash: return true
                default:
                    switch tells(bytes, at: index) {
                    case .nothing: break
                    case .secret: return true
                    case .makes: makesRole = true
                    case .role: namesRole = true
                    }
                }
            }
            return name != nil || (makesRole && namesRole)
                || constant.map { mayHold(text, $0..<bytes.count) } ?? false
        }
    }

    private enum Told { case nothing, secret, makes, role }

    /// What a word or a part of one tells that starts there: words that a secret may follow, and calls that take one
    /// (`SQLSecretName`, `SQLCallStack`, `SQLSecretContext`); among the options of a role a misspelt one may, too.
    @inline(__always)
    private static func tells(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Told {
        func has(_ rest: StaticString) -> Bool {
            let count = rest.utf8CodeUnitCount
            guard index + count < bytes.count else { return false }
            for step in 0..<count where bytes[index + 1 + step] | 0x20 != rest.utf8Start[step] { return false }
            return true
        }
        switch bytes[index] | 0x20 {
        case UInt8(ascii: "p"): return has("ass") || has("wd") || has("gp") ? .secret : .nothing
        case UInt8(ascii: "s"): return has("ecret") ? .secret : .nothing
        case UInt8(ascii: "t"): return has("oken") ? .secret : .nothing
        case UInt8(ascii: "k"): return has("ey") ? .secret : .nothing
        case UInt8(ascii: "h"): return has("mac") ? .secret : .nothing
        case UInt8(ascii: "i"): return has("dentified") ? .secret : .nothing
        case UInt8(ascii: "c"): return has("rypt") ? .secret : has("reate") ? .makes : .nothing
        case UInt8(ascii: "a"): return has("lter") ? .makes : .nothing
        case UInt8(ascii: "r"): return has("ole") ? .role : .nothing
        case UInt8(ascii: "u"): return has("ser") ? .role : .nothing
        case UInt8(ascii: "g"): return has("roup") ? .role : .nothing
        default: return .nothing
        }
    }
}
