import VigilModel

/// Conditions in LogsQL.
enum LogsQLText {
    /// A filter; nil for one that always holds.
    static func filter(_ condition: Condition) throws(NotExpressible) -> String {
        switch condition {
        case .always: return "*"
        case .all(let parts):
            var texts: [String] = []
            for part in parts { texts.append(try nested(part)) }
            return texts.joined(separator: " ")
        case .any(let parts):
            guard !parts.isEmpty else { throw NotExpressible("it can never hold") }
            var texts: [String] = []
            for part in parts { texts.append(try nested(part)) }
            return texts.joined(separator: " or ")
        case .not(let part): return "!" + (try nested(part))
        case .test(let field, let check): return try test(name(field), check)
        }
    }

    /// A filter that can stand beside others, all of which must hold: `or` binds weaker than a blank.
    static func beside(_ condition: Condition) throws(NotExpressible) -> String {
        if case .any = condition { return try nested(condition) }
        return try filter(condition)
    }

    private static func nested(_ condition: Condition) throws(NotExpressible) -> String {
        let text = try filter(condition)
        switch condition {
        case .all, .any: return "(\(text))"
        case .not, .test: return text
        }
    }

    private static func test(_ field: String, _ check: Condition.Check) throws(NotExpressible) -> String {
        switch check {
        case .oneOf(let values):
            guard values.count != 1 else { return "\(field):=\(quoted(values[0]))" }
            return "\(field):in(\(values.map(quoted).joined(separator: ", ")))"
        case .starts(let text): return "\(field):=\(quoted(text))*"
        case .regex(let regex):
            return "\(field):~\(quoted((regex.ignoresCase ? "(?is)" : "(?s)") + regex.pattern))"
        case .present: return "\(field):*"
        case .block(let block): return try self.block(field, block)
        case .number(let range):
            if range.upperBound == .max { return "\(field):>=\(range.lowerBound)" }
            return "\(field):range[\(range.lowerBound), \(range.upperBound)]"
        // A list is kept as JSON text, in which every word stands in quotes.
        case .item(let word): return "\(field):\(quoted("\"\(word)\""))"
        case .itemStarts(let start): return "\(field):~\(quoted("\"" + PortableRegex.quoted(start)))"
        case .before(let time): return "\(field):<\(time)"
        }
    }

    private static func block(_ field: String, _ block: CIDR) throws(NotExpressible) -> String {
        if block.address.isV4 { return "\(field):ipv4_range(\(quoted(block.description)))" }
        if block.isHost { return "\(field):=\(quoted(block.address.description))" }
        guard let start = IPv6Start(block) else {
            throw NotExpressible("the block \(block) in LogsQL, which knows ranges of IPv4 only")
        }
        return "\(field):~\(quoted(start.expression))"
    }

    /// A field's name, quoted when it must be.
    static func name(_ field: String) -> String {
        let isPlain = field.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        return isPlain ? field : quoted(field)
    }

    /// A text in double quotes, with the escapes of Go.
    static func quoted(_ text: String) -> String { JSONString.quoted(text) }
}

/// How the texts of a block's IPv6 addresses begin (RFC 5952), when that tells them from all others.
struct IPv6Start {
    let expression: String

    init?(_ block: CIDR) {
        guard !block.address.isV4, block.prefix > 0 else { return nil }
        let groups = (0..<8).map { index -> UInt64 in
            let word = index < 4 ? block.address.high : block.address.low
            return word >> UInt64(48 - index % 4 * 16) & 0xFFFF
        }
        let (whole, bits) = (block.prefix / 16, block.prefix % 16)
        // A group of zeroes may be left out of the text.
        guard groups[..<whole].allSatisfy({ $0 != 0 }) else { return nil }
        var text = "^" + groups[..<whole].map { String($0, radix: 16) + ":" }.joined()
        if bits > 0 {
            // Leading zeroes are left out, too.
            guard groups[whole] >> 12 != 0, bits >= 4 else { return nil }
            text += IPv6Start.digits(groups[whole], bits: bits) + ":"
        }
        expression = text
    }

    /// The four digits of a group of which some bits are given.
    private static func digits(_ group: UInt64, bits: Int) -> String {
        (0..<4).map { place -> String in
            let digit = group >> UInt64(12 - place * 4) & 15
            let known = min(4, max(0, bits - place * 4))
            if known == 4 { return String(digit, radix: 16) }
            if known == 0 { return "[0-9a-f]" }
            let all = digit..<(digit + 1 << UInt64(4 - known))
            return "[" + all.map { String($0, radix: 16) }.joined() + "]"
        }.joined()
    }
}
