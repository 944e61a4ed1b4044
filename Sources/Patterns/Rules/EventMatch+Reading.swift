import LocatedYAML
import VigilModel

extension EventMatch {
    /// Reads what events must show: event keys, `network`, `any`, `not`. `sets` are the lists that `{set: NAME}` names.
    init(_ value: YAMLValue, sets: NamedSets, beside known: [String] = []) throws(YAMLProblem) {
        let keys = EventKey.allCases.map(\.rawValue)
        let entries = try value.mapping(keys + ["network", "any", "not"] + known)
        for key in EventKey.allCases {
            guard let value = entries[key.rawValue] else { continue }
            for test in try ValueTest.read(value, key: key, sets: sets) { tests.append((key, test)) }
        }
        for network in try entries["network"]?.oneOrMore() ?? [] {
            networks.insert(try network.word(Network.self))
        }
        for part in try entries["any"]?.list() ?? [] { anyOf.append(try EventMatch(part, sets: sets)) }
        for part in try entries["not"]?.oneOrMore() ?? [] { noneOf.append(try EventMatch(part, sets: sets)) }
        if tests.isEmpty, networks.isEmpty, anyOf.isEmpty, noneOf.isEmpty {
            throw value.problem("nothing is asked for", hint: "name at least one key, such as event.action")
        }
    }
}

extension ValueTest {
    /// `word`, `[word, word]`, or a mapping of tests that must all hold.
    fileprivate static func read(
        _ value: YAMLValue, key: EventKey, sets: NamedSets
    ) throws(YAMLProblem) -> [ValueTest] {
        guard value.isMapping else { return [.words(try words(value, key: key))] }
        var tests: [ValueTest] = []
        let parts = try value.mapping(["cidr", "regex", "set", "all", "not", "at_least", "at_most", "present"])
        if let part = parts["cidr"] { tests.append(.cidr(try part.oneOrMore().blocks())) }
        if let part = parts["regex"] {
            do { tests.append(.regex(try Regex(try part.text()))) } catch let problem as Regex.Problem {
                throw part.problem("\(problem.message) at byte \(problem.offset)")
            } catch let problem as YAMLProblem { throw problem } catch { throw part.problem("\(error)") }
        }
        if let part = parts["set"] { tests.append(try sets.test(part, key: key)) }
        for word in try parts["all"]?.list() ?? [] { tests.append(.words(try words(word, key: key))) }
        if let part = parts["not"] {
            let inner = try read(part, key: key, sets: sets)
            guard inner.count == 1 else { throw part.problem("one test belongs behind not") }
            tests.append(.not(inner[0]))
        }
        if parts["at_least"] != nil || parts["at_most"] != nil {
            let low = Int64(try parts["at_least"]?.integer() ?? 0)
            let high = Int64(try parts["at_most"]?.integer() ?? Int(Int64.max))
            guard low <= high else { throw value.problem("at_least is more than at_most") }
            tests.append(.number(low...high))
        }
        if let part = parts["present"] { tests.append(.present(try part.boolean())) }
        if tests.isEmpty { throw value.problem("a value or a test belongs here") }
        return tests
    }

    private static func words(_ value: YAMLValue, key: EventKey) throws(YAMLProblem) -> [String] {
        var words: [String] = []
        for entry in try value.oneOrMore() {
            if key == .severity { _ = try entry.word(Severity.self) }
            if key == .outcome { _ = try entry.word(EventOutcome.self) }
            words.append(try entry.text())
        }
        return words
    }
}

extension [YAMLValue] {
    /// CIDRs.
    fileprivate func blocks() throws(YAMLProblem) -> [CIDR] {
        var blocks: [CIDR] = []
        for entry in self {
            guard let block = CIDR(try entry.text()) else {
                throw entry.problem("no address or CIDR", hint: "write 192.0.2.0/24 or 2001:db8::/32")
            }
            blocks.append(block)
        }
        return blocks
    }
}
