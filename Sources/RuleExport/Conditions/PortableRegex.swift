/// An expression that PCRE2 and RE2 read alike. Line feeds are nothing special to `.`, as in the patterns.
struct PortableRegex: Hashable, Sendable {
    let pattern: String
    let ignoresCase: Bool

    /// Takes what both read alike as it is.
    init(plain pattern: String) {
        self.pattern = pattern
        ignoresCase = false
    }

    /// Translates an expression of a pattern or rule. Throws for what RE2 cannot do.
    init(_ source: String) throws(NotExpressible) {
        var reader = RegexReader(source)
        ignoresCase = reader.takeFlags()
        pattern = try reader.translated()
    }

    /// The condition that an expression is. One that is nothing but a negative look-ahead is what it looks for, denied.
    static func condition(_ source: String, field: String) throws(NotExpressible) -> Condition {
        if let body = RegexReader.denied(in: source) {
            return .inverse(.test(field: field, .regex(try PortableRegex("^(?:\(body))"))))
        }
        return .test(field: field, .regex(try PortableRegex(source)))
    }

    /// The expression with one of its named groups as one that RE2 reads into a field.
    static func extraction(
        _ source: String, group: String, field: String
    ) throws(NotExpressible) -> String {
        var reader = RegexReader(source, keeping: (group, field))
        let flags = reader.takeFlags() ? "(?is)" : "(?s)"
        return flags + (try reader.translated())
    }

    /// A text that stands for itself.
    static func quoted(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\n": result += #"\n"#
            case "\\", ".", "+", "*", "?", "(", ")", "|", "[", "]", "{", "}", "^", "$":
                result += "\\"
                result.unicodeScalars.append(character)
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    /// How texts that match begin, an alternative each; an empty one where that cannot be told easily.
    static func heads(_ source: String) -> [String] {
        alternatives(source).map { choice in
            guard choice.hasPrefix("\\A") else { return "" }
            var head = ""
            var rest = choice.dropFirst(2)
            while let character = rest.popFirst() {
                if character == "\\", let next = rest.first, !next.isLetter, !next.isNumber {
                    head.append(rest.removeFirst())
                } else if character.isLetter || character.isNumber || " _-:,'/".contains(character) {
                    head.append(character)
                } else {
                    // A quantifier makes the character before it one that need not be there.
                    if "*?{+".contains(character) { head = String(head.dropLast()) }
                    break
                }
            }
            return head
        }
    }

    /// What stands between the alternatives of the outermost level.
    static func alternatives(_ source: String) -> [String] {
        var result = [""]
        var depth = 0
        var isEscaped = false
        var isInClass = false
        for character in source {
            if isEscaped {
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if isInClass {
                isInClass = character != "]"
            } else if character == "[" {
                isInClass = true
            } else if character == "(" {
                depth += 1
            } else if character == ")" {
                depth -= 1
            } else if character == "|", depth == 0 {
                result.append("")
                continue
            }
            result[result.count - 1].append(character)
        }
        return result
    }
}
