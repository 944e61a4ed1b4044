import VigilModel

/// What a row of a log must show, in no engine's language yet.
indirect enum Condition: Hashable, Sendable {
    case all([Condition])
    case any([Condition])
    case not(Condition)
    case test(field: String, Check)

    /// Holds for every row.
    static let always = Condition.all([])
    /// Holds for none.
    static let never = Condition.any([])

    /// What one field must be. A field without a value is as good as an absent one.
    enum Check: Hashable, Sendable {
        case oneOf([String])
        case starts(String)
        case regex(PortableRegex)
        case present
        case block(CIDR)
        case number(ClosedRange<Int64>)
        /// A word of a list, which is shipped as JSON text.
        case item(String)
        /// The beginning of a word of a list.
        case itemStarts(String)
        /// A time before that one.
        case before(LogTime)
    }

    /// All must hold; what always holds is left out.
    static func and(_ parts: [Condition]) -> Condition {
        var result: [Condition] = []
        for part in parts {
            if case .all(let inner) = part { result += inner } else { result.append(part) }
        }
        if result.contains(.never) { return .never }
        result = unique(result)
        return result.count == 1 ? result[0] : .all(result)
    }

    /// One must hold; what never holds is left out. Exact values of one field stand together.
    static func or(_ parts: [Condition]) -> Condition {
        var result: [Condition] = []
        for part in parts {
            if case .any(let inner) = part { result += inner } else { result.append(part) }
        }
        if result.contains(.always) { return .always }
        result = unique(joined(result))
        return result.count == 1 ? result[0] : .any(result)
    }

    /// The same with what several alternatives have in common asked once: exact values, and what must be there.
    var factored: Condition {
        guard case .any(let parts) = self else { return self }
        var groups: [(common: [Condition], rests: [Condition])] = []
        for part in parts {
            let inner: [Condition]
            if case .all(let tests) = part { inner = tests } else { inner = [part] }
            let common = inner.filter { $0.isPlain }
            let rest = Condition.and(inner.filter { !$0.isPlain })
            if let index = groups.firstIndex(where: { Set($0.common) == Set(common) }) {
                groups[index].rests.append(rest)
            } else {
                groups.append((common, [rest]))
            }
        }
        return .or(groups.map { .and($0.common + [.or($0.rests)]) })
    }

    private var isPlain: Bool {
        switch self {
        case .test(_, .oneOf), .test(_, .starts), .test(_, .present): true
        case .not(let inner): inner.isPlain
        default: false
        }
    }

    /// What is left to ask of a row that another condition holds for.
    func without(_ known: Condition) -> Condition {
        guard case .all(let parts) = self else { return self == known ? .always : self }
        let given: [Condition]
        if case .all(let inner) = known { given = inner } else { given = [known] }
        return .and(parts.filter { !given.contains($0) })
    }

    /// Must not hold.
    static func inverse(_ part: Condition) -> Condition {
        switch part {
        case .always: .never
        case .never: .always
        case .not(let inner): inner
        default: .not(part)
        }
    }

    /// The field is exactly one of these.
    static func equals(_ field: String, _ values: [String]) -> Condition {
        values.isEmpty ? .never : .test(field: field, .oneOf(values))
    }

    /// The field has a value.
    static func has(_ field: String) -> Condition { .test(field: field, .present) }

    private static func joined(_ parts: [Condition]) -> [Condition] {
        var result: [Condition] = []
        for part in parts {
            if case .test(let field, .oneOf(let more)) = part,
                let index = result.firstIndex(where: {
                    if case .test(field, .oneOf) = $0 { true } else { false }
                }), case .test(_, .oneOf(let values)) = result[index]
            {
                result[index] = .test(field: field, .oneOf(values + more.filter { !values.contains($0) }))
            } else {
                result.append(part)
            }
        }
        return result
    }

    private static func unique(_ parts: [Condition]) -> [Condition] {
        var seen: Set<Condition> = []
        return parts.filter { seen.insert($0).inserted }
    }

    /// Fields it looks at.
    var fields: Set<String> {
        switch self {
        case .all(let parts), .any(let parts): parts.reduce(into: []) { $0.formUnion($1.fields) }
        case .not(let part): part.fields
        case .test(let field, _): [field]
        }
    }

    /// The same without what some fields must be: it holds for every row that this holds for, and perhaps for more.
    func relaxed(without fields: Set<String>, isPositive: Bool = true) -> Condition {
        switch self {
        case .all(let parts): .and(parts.map { $0.relaxed(without: fields, isPositive: isPositive) })
        case .any(let parts): .or(parts.map { $0.relaxed(without: fields, isPositive: isPositive) })
        case .not(let part): .inverse(part.relaxed(without: fields, isPositive: !isPositive))
        case .test(let field, _): fields.contains(field) ? (isPositive ? .always : .never) : self
        }
    }
}
