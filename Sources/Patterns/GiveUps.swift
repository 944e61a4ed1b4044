/// How often the expressions of a pattern or rule gave up: see `Regex`.
public struct GiveUp: Sendable, Equatable {
    /// Id of the pattern or rule.
    public let pattern: String
    /// How many matches.
    public let count: Int64

    /// Takes both.
    public init(pattern: String, count: Int64) {
        self.pattern = pattern
        self.count = count
    }
}

/// Asks the expressions of a catalogue how often they gave up.
public struct GiveUps: Sendable {
    private let expressions: [(id: String, regex: Regex)]
    private var told: [Int]

    /// Takes the catalogue that is in use.
    public init(_ catalogue: Catalogue) {
        var all: [(id: String, regex: Regex)] = []
        for pattern in catalogue.events.patterns {
            all += (pattern.readings + pattern.condition.expressions).map { (pattern.id, $0.regex) }
            if let about = pattern.condition.about { all.append((pattern.id, about)) }
        }
        for pattern in catalogue.events.statements {
            all += [pattern.object, pattern.shape, pattern.literal].compactMap { $0 }.map { (pattern.id, $0) }
        }
        all += catalogue.events.texts.map { ($0.id, $0.regex) }
        for rule in catalogue.rules {
            let matches = rule.matches + rule.except.map(\.match)
            all += matches.flatMap(\.expressions).map { (rule.about.id, $0) }
        }
        expressions = all
        told = all.map { _ in 0 }
    }

    /// What came since this was asked last, by id.
    public mutating func take() -> [GiveUp] {
        var new: [String: Int64] = [:]
        for (index, entry) in expressions.enumerated() {
            let count = entry.regex.gaveUp
            guard count > told[index] else { continue }
            new[entry.id, default: 0] += Int64(count - told[index])
            told[index] = count
        }
        return new.sorted { $0.key < $1.key }.map { GiveUp(pattern: $0.key, count: $0.value) }
    }
}

extension EventMatch {
    /// All that it matches texts with.
    fileprivate var expressions: [Regex] {
        tests.compactMap { $0.test.expression } + (anyOf + noneOf).flatMap(\.expressions)
    }
}

extension ValueTest {
    fileprivate var expression: Regex? {
        switch self {
        case .regex(let regex): regex
        case .not(let test): test.expression
        case .words, .cidr, .number, .present: nil
        }
    }
}
