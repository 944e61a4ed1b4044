import Yams

/// A value of a YAML file that knows its place: every reader of `patterns/` and of the configuration goes through it,
/// so that nothing misspelt passes in silence. Scalars are texts: SQLSTATE `28000` is no number.
public struct YAMLValue {
    private let node: Node
    private let file: String
    /// All of the file, to show the line of a problem.
    private let whole: String

    /// Reads one document. Throws `YAMLProblem` for what is no YAML, and for a key given twice.
    public init(text: String, file: String) throws(YAMLProblem) {
        self.file = file
        whole = text
        do {
            // Scalars are texts here: nobody asks which look like numbers or dates.
            node = try Yams.compose(yaml: text, .basic, .default, .utf8) ?? Node([(Node, Node)]())
        } catch let error as YamlError {
            throw YAMLValue.problem(error, file: file, text: text)
        } catch {
            throw YAMLProblem(file: file, line: 0, column: 0, message: "\(error)", hint: nil, excerpt: nil)
        }
    }

    private init(node: Node, file: String, whole: String) {
        self.node = node
        self.file = file
        self.whole = whole
    }

    private func child(_ node: Node) -> YAMLValue { YAMLValue(node: node, file: file, whole: whole) }

    /// Line of the value, from 1.
    public var line: Int { node.mark?.line ?? 0 }

    /// A problem at this value's place.
    public func problem(_ message: String, hint: String? = nil) -> YAMLProblem {
        let line = node.mark?.line ?? 0
        let excerpt = YAMLValue.excerpt(line, of: whole)
        return YAMLProblem(
            file: file, line: line, column: node.mark?.column ?? 0, message: message, hint: hint, excerpt: excerpt)
    }

    /// The line in question; nil when it may hold a secret, which belongs in no message.
    private static func excerpt(_ line: Int, of whole: String) -> String? {
        guard line > 0 else { return nil }
        var rest = whole.utf8[...]
        for _ in 1..<line {
            guard let end = rest.firstIndex(of: 10) else { return nil }
            rest = rest[rest.index(after: end)...]
        }
        let text = Substring(rest.prefix { $0 != 10 })
        let lower = text.lowercased()
        let isSecret = ["password", "token", "secret"].contains { lower.contains($0) } || text.contains(#/://[^/]*@/#)
        return isSecret ? nil : String(text)
    }

    private static func problem(_ error: YamlError, file: String, text: String) -> YAMLProblem {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            let excerpt = excerpt(mark.line, of: text)
            return YAMLProblem(
                file: file, line: mark.line, column: mark.column, message: problem, hint: nil, excerpt: excerpt)
        case .duplicatedKeysInMapping(let duplicates, let context):
            return YAMLProblem(
                file: file, line: context.mark.line, column: context.mark.column,
                message: "the key \(duplicates.joined(separator: ", ")) is given twice", hint: nil, excerpt: nil)
        default:
            return YAMLProblem(file: file, line: 0, column: 0, message: "\(error)", hint: nil, excerpt: nil)
        }
    }

    /// True for an empty value (`key:` with nothing behind it).
    public var isNull: Bool {
        node.scalar.map { $0.style == .plain && ["", "~", "null"].contains($0.string) } ?? false
    }

    /// The text of a scalar.
    public func text() throws(YAMLProblem) -> String {
        guard let scalar = node.scalar else { throw problem("a single value belongs here") }
        return scalar.string
    }

    /// A whole number within a range.
    public func integer(_ range: ClosedRange<Int> = 0...Int.max) throws(YAMLProblem) -> Int {
        guard let number = Int(try text()), range.contains(number) else {
            throw problem("a whole number from \(range.lowerBound) to \(range.upperBound) belongs here")
        }
        return number
    }

    /// `true` or `false`.
    public func boolean() throws(YAMLProblem) -> Bool {
        switch try text() {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default: throw problem("true or false belongs here")
        }
    }

    /// A length of time in milliseconds: `90s`, `10m`, `6h`, `30d`, `500ms`.
    public func duration() throws(YAMLProblem) -> Int64 {
        let text = try text()
        let units: [(String, Int64)] = [
            ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        for (unit, factor) in units where text.hasSuffix(unit) {
            if let number = Int64(text.dropLast(unit.count)), number >= 0, number <= Int64.max / 86_400_000 / 4 {
                return number * factor
            }
        }
        throw problem("a length of time belongs here", hint: "write 90s, 10m, 6h or 30d")
    }

    /// One of some words.
    public func word<Word: RawRepresentable & CaseIterable>(_: Word.Type) throws(YAMLProblem) -> Word
    where Word.RawValue == String {
        let text = try text()
        guard let word = Word(rawValue: text) else {
            let known = Word.allCases.map(\.rawValue)
            throw problem(
                "'\(text)' is not one of \(known.joined(separator: ", "))",
                hint: nearest(to: text, among: known).map { "did you mean \($0)?" })
        }
        return word
    }

    /// The entries of a list.
    public func list() throws(YAMLProblem) -> [YAMLValue] {
        if isNull { return [] }
        guard let sequence = node.sequence else { throw problem("a list belongs here") }
        return sequence.map(child)
    }

    /// The entries of a list, or the one value that stands in its place.
    public func oneOrMore() throws(YAMLProblem) -> [YAMLValue] {
        node.sequence == nil ? [self] : try list()
    }

    /// True for a mapping.
    public var isMapping: Bool { node.mapping != nil }

    /// A mapping of any keys, in file order.
    public func entries() throws(YAMLProblem) -> [(key: String, value: YAMLValue)] {
        if isNull { return [] }
        guard let mapping = node.mapping else { throw problem("keys and values belong here") }
        var result: [(key: String, value: YAMLValue)] = []
        for (key, value) in mapping {
            guard let name = key.string else { throw child(key).problem("a key must be a single word") }
            result.append((name, child(value)))
        }
        return result
    }

    /// A mapping of known keys; an unknown key is a problem that names the nearest known one.
    public func mapping(_ known: [String], required: [String] = []) throws(YAMLProblem) -> [String: YAMLValue] {
        var result: [String: YAMLValue] = [:]
        guard isNull || node.mapping != nil else { throw problem("keys and values belong here") }
        for (key, value) in node.mapping ?? [:] {
            guard let name = key.string, known.contains(name) else {
                let name = key.string ?? "?"
                let hint = nearest(to: name, among: known).map { "did you mean \($0)?" }
                throw child(key).problem(
                    "unknown key '\(name)'", hint: hint ?? "known here: \(known.joined(separator: ", "))")
            }
            result[name] = child(value)
        }
        for key in required where result[key] == nil { throw problem("the key '\(key)' is missing") }
        return result
    }
}
