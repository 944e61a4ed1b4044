import VigilModel

/// A condition as the `detection` of a Sigma rule: named selections, and an expression over their names.
struct SigmaDetection {
    private var selections: [(name: String, lines: [String])] = []
    private var expression = ""

    init(_ condition: Condition) throws(NotExpressible) {
        guard condition != .never else { throw NotExpressible("it can never hold: a set that it names is empty") }
        guard condition != .always else { throw NotExpressible("it holds for every row") }
        expression = try expression(condition, isWhole: true)
    }

    /// The lines below `detection:`.
    var lines: [String] {
        selections.flatMap { ["    \($0.name):"] + $0.lines.map { "        " + $0 } } + ["    condition: \(expression)"]
    }

    private mutating func add(_ lines: [String], as stem: String) -> String {
        let number = selections.filter { $0.name.hasPrefix(stem) }.count + 1
        let name = number == 1 ? stem : "\(stem)_\(number)"
        selections.append((name, lines))
        return name
    }

    private mutating func expression(
        _ condition: Condition, isWhole: Bool = false, stem: String = "selection"
    ) throws(NotExpressible) -> String {
        switch condition {
        case .test: return add(try SigmaDetection.mapping([condition]) ?? [], as: stem)
        case .not(let part): return "not " + (try expression(part, stem: "filter"))
        case .all(let parts):
            let tests = parts.filter { if case .test = $0 { true } else { false } }
            var texts: [String] = []
            if let mapping = try SigmaDetection.mapping(tests), !tests.isEmpty {
                texts.append(add(mapping, as: stem))
            } else {
                for test in tests { texts.append(try expression(test, stem: stem)) }
            }
            for part in parts {
                if case .test = part { continue }
                texts.append(try expression(part, stem: stem))
            }
            let text = texts.joined(separator: " and ")
            return isWhole || texts.count == 1 ? text : "(\(text))"
        case .any(let parts):
            if let list = try SigmaDetection.list(parts) { return add(list, as: stem) }
            var texts: [String] = []
            for part in parts { texts.append(try expression(part, stem: stem)) }
            return isWhole ? texts.joined(separator: " or ") : "(\(texts.joined(separator: " or ")))"
        }
    }

    /// Mappings of which one must hold; nil when some part is no mapping.
    private static func list(_ parts: [Condition]) throws(NotExpressible) -> [String]? {
        var lines: [String] = []
        for part in parts {
            let tests: [Condition]
            if case .all(let inner) = part { tests = inner } else { tests = [part] }
            guard let mapping = try mapping(tests), let first = mapping.first else { return nil }
            lines.append("- " + first)
            lines += mapping.dropFirst().map { "  " + $0 }
        }
        return lines
    }

    /// Tests of which all must hold; nil when two of them would have the same key, or one is no test.
    private static func mapping(_ tests: [Condition]) throws(NotExpressible) -> [String]? {
        var lines: [String] = []
        var keys: Set<String> = []
        for test in tests {
            guard case .test(let field, let check) = test else { return nil }
            for (key, values) in try entries(field, check) {
                guard keys.insert(key).inserted else { return nil }
                if values.count == 1 {
                    lines.append("\(key): \(values[0])")
                } else {
                    lines.append("\(key):")
                    lines += values.map { "    - " + $0 }
                }
            }
        }
        return lines
    }

    private static func entries(
        _ field: String, _ check: Condition.Check
    ) throws(NotExpressible) -> [(key: String, values: [String])] {
        switch check {
        case .oneOf(let values): return [(field, values.map { YAMLText.scalar(literal($0)) })]
        case .item(let word): return [(field, [YAMLText.scalar(literal(word))])]
        case .starts(let text), .itemStarts(let text):
            return [("\(field)|startswith", [YAMLText.scalar(literal(text))])]
        case .regex(let regex):
            return [("\(field)|re\(regex.ignoresCase ? "|i" : "")|s", [YAMLText.scalar(regex.pattern)])]
        case .present: return [("\(field)|exists", ["true"])]
        case .block(let block): return [("\(field)|cidr", [YAMLText.scalar(block.description)])]
        case .number(let range):
            let low = ("\(field)|gte", ["\(range.lowerBound)"])
            return range.upperBound == .max ? [low] : [low, ("\(field)|lte", ["\(range.upperBound)"])]
        case .before: throw NotExpressible("a time")
        }
    }

    /// Stars and question marks are wildcards to Sigma.
    private static func literal(_ text: String) -> String {
        String(text.flatMap { ["*", "?", "\\"].contains($0) ? ["\\", $0] : [$0] })
    }
}
