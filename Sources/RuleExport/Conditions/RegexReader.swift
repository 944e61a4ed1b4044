import Foundation

/// Reads an expression of PCRE2 and writes it for RE2.
struct RegexReader {
    private var rest: Substring
    private var output = ""
    private let source: String
    /// A named group that is to be read, and the field it gives.
    private let kept: (group: String, field: String)?

    init(_ source: String, keeping kept: (group: String, field: String)? = nil) {
        self.source = source
        self.kept = kept
        rest = source[...]
    }

    /// The body of an expression that is `^(?!BODY)` and nothing else.
    static func denied(in source: String) -> String? {
        for start in ["^(?!", "\\A(?!"] where source.hasPrefix(start) && source.hasSuffix(")") {
            let body = String(source.dropFirst(start.count).dropLast())
            // The last parenthesis must be the one that closes the look-ahead.
            var depth = 0
            var isEscaped = false
            for character in body {
                if isEscaped {
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else {
                    depth += character == "(" ? 1 : character == ")" ? -1 : 0
                }
                if depth < 0 { return nil }
            }
            return depth == 0 && !isEscaped ? body : nil
        }
        return nil
    }

    /// Takes `(?i)`, `(?s)` and their like at the beginning; true when letters of any case match.
    mutating func takeFlags() -> Bool {
        var ignoresCase = false
        while rest.hasPrefix("(?"), let end = rest.firstIndex(of: ")") {
            let flags = rest[rest.index(rest.startIndex, offsetBy: 2)..<end]
            guard !flags.isEmpty, flags.allSatisfy({ $0 == "i" || $0 == "s" }) else { break }
            ignoresCase = ignoresCase || flags.contains("i")
            rest = rest[rest.index(after: end)...]
        }
        return ignoresCase
    }

    mutating func translated() throws(NotExpressible) -> String {
        while let character = rest.popFirst() {
            switch character {
            case "\\": try takeEscape(inClass: false)
            case "[": try takeClass()
            case "(": try takeGroup()
            case "*", "+", "?", "}":
                output.append(character)
                if rest.first == "+" { throw problem("a possessive quantifier") }
            default: output.append(character)
            }
        }
        return output
    }

    private func problem(_ what: String) -> NotExpressible {
        NotExpressible("\(what) of PCRE2, which RE2 does not have: \(source.prefix(80))")
    }

    private mutating func takeEscape(inClass: Bool) throws(NotExpressible) {
        guard let character = rest.popFirst() else { throw problem("a lone backslash") }
        switch character {
        case "A" where !inClass: output += "^"
        case "z" where !inClass: output += "$"
        // The vertical tab is a blank to PCRE2 only.
        case "s": output += inClass ? #"\s\v"# : #"[\s\v]"#
        case "S" where !inClass: output += #"[^\s\v]"#
        case "1", "2", "3", "4", "5", "6", "7", "8", "9", "g", "k": throw problem("a back reference")
        case "K", "R", "X", "G", "Z", "h", "H", "N", "Q", "E", "C": throw problem("\\\(character)")
        default: output += "\\\(character)"
        }
    }

    private mutating func takeClass() throws(NotExpressible) {
        output += "["
        if rest.first == "^" { output.append(rest.removeFirst()) }
        if rest.first == "]" {
            rest.removeFirst()
            output += #"\]"#
        }
        while let character = rest.popFirst() {
            switch character {
            case "]":
                output += "]"
                return
            case "\\": try takeEscape(inClass: true)
            case "[":
                guard rest.first == ":", let end = rest.range(of: ":]") else {
                    output += #"\["#
                    continue
                }
                output += "[" + rest[..<end.upperBound]
                rest = rest[end.upperBound...]
            default: output.append(character)
            }
        }
    }

    private mutating func takeGroup() throws(NotExpressible) {
        guard rest.first == "?" else {
            output += "("
            return
        }
        rest.removeFirst()
        if rest.hasPrefix("<="), !rest.isEmpty { throw problem("a look-behind") }
        if rest.hasPrefix("<!") { throw problem("a look-behind") }
        if rest.hasPrefix("=") || rest.hasPrefix("!") { throw problem("a look-ahead") }
        if rest.hasPrefix(">") { throw problem("an atomic group") }
        if rest.hasPrefix("|") { throw problem("a branch reset") }
        if rest.hasPrefix("P<") || rest.hasPrefix("<") {
            guard let start = rest.firstIndex(of: "<"), let end = rest.firstIndex(of: ">") else {
                throw problem("a group")
            }
            let name = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            // What other groups read is of no use here.
            if let kept, kept.group == name { output += "(?P<\(kept.field)>" } else { output += "(?:" }
            return
        }
        let flags = rest.prefix { $0 == "i" || $0 == "s" || $0 == "-" }
        rest = rest.dropFirst(flags.count)
        guard rest.first == ":" || (rest.first == ")" && !flags.isEmpty) else { throw problem("a group") }
        output += "(?\(flags)"
    }
}
