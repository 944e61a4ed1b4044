import VigilModel

/// Which rules cannot fire, since what they need is not logged.
public struct RuleCoverage: Sendable {
    /// Rules that wait for the same.
    public struct Gap: Sendable {
        /// The need as rules name it, `a|b` where either suffices.
        public let need: String
        /// How it stands with each alternative.
        public let states: [NeedState]
        /// Rules that need it.
        public let rules: [String]
        /// What to set: any of these suffices, the cheapest first.
        public let remedies: [NeedRemedy]
        /// True when it cannot be otherwise: a program that is not here has no log.
        public let isOfNobody: Bool

        /// What to set, in words.
        public var hint: String { remedies.map(\.text).joined(separator: "; or ") }

        /// Why, in words.
        public var reason: String {
            var reasons: [String] = []
            for state in states where !reasons.contains(state.reason) { reasons.append(state.reason) }
            return reasons.joined(separator: "; ")
        }
    }

    /// Needs that are not met: the rules cannot fire.
    public let unmet: [Gap]
    /// Needs of which nobody knows: nothing of the kind was seen yet.
    public let unknown: [Gap]
    /// How many rules there are, and how many of them can fire for all that is known.
    public let rules, able: Int

    /// Takes rules with what they need, and what is known.
    public init(_ rules: [(id: String, needs: [String])], _ facts: LoggingFacts) {
        var byNeed: [String: [String]] = [:]
        for rule in rules {
            for need in Set(rule.needs) { byNeed[need, default: []].append(rule.id) }
        }
        var (unmet, unknown) = ([Gap](), [Gap]())
        var blind: Set<String> = []
        for (need, ids) in byNeed.sorted(by: { ($1.value.count, $0.key) < ($0.value.count, $1.key) }) {
            let alternatives = LoggingNeed.alternatives(need)
            let states = alternatives.map(facts.state)
            guard !states.contains(where: \.isMet), !alternatives.isEmpty else { continue }
            let isOfNobody = alternatives.allSatisfy {
                if case .program(let program) = $0 { !facts.programs.contains(program) } else { false }
            }
            let gap = Gap(
                need: need, states: states, rules: ids.sorted(),
                remedies: RuleCoverage.sorted(alternatives).map {
                    NeedRemedy($0, version: facts.servers.compactMap(\.version).max())
                }, isOfNobody: isOfNobody)
            if states.allSatisfy(\.isUnmet) {
                unmet.append(gap)
                blind.formUnion(ids)
            } else {
                unknown.append(gap)
            }
        }
        self.unmet = unmet
        self.unknown = unknown
        self.rules = rules.count
        able = rules.count - blind.count
    }

    /// All statements of everybody cost more than what pgaudit picks, and show secrets.
    private static func sorted(_ needs: [LoggingNeed]) -> [LoggingNeed] {
        needs.filter { $0 != .statement(.all) } + needs.filter { $0 == .statement(.all) }
    }
}
