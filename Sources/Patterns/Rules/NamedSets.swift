import LocatedYAML
import VigilModel

/// Lists that rules name, such as `superusers`: the packaged ones of `patterns/sets/`, and what the configuration adds.
public struct NamedSets: Sendable {
    /// Names or addresses by the set's name.
    public private(set) var members: [String: [String]] = [:]

    /// No sets.
    public init() {}

    /// Adds the sets of a file: name → list of members, or `{about: …, members: […]}`.
    mutating func read(_ file: YAMLValue) throws(YAMLProblem) {
        for (name, value) in try file.entries() {
            if members[name] != nil { throw value.problem("the set '\(name)' stands in another file too") }
            let parts = try value.mapping(["about", "members"], required: ["about", "members"])
            members[name] = try NamedSets.texts(parts["members"])
        }
    }

    /// Takes the configuration's members beside the packaged ones. Throws for a set that no rule could name.
    mutating func add(_ more: [String: [String]]) throws {
        for (name, values) in more {
            guard members[name] != nil else {
                throw UnknownSet(name: name, known: members.keys.sorted())
            }
            members[name, default: []] += values
        }
    }

    /// A test for being in a set. Members of an address key are CIDRs.
    func test(_ value: YAMLValue, key: EventKey) throws(YAMLProblem) -> ValueTest {
        var found: [String] = []
        for entry in try value.oneOrMore() {
            let name = try entry.text()
            guard let set = members[name] else {
                let hint = nearest(to: name, among: Array(members.keys)).map { "did you mean \($0)?" }
                throw entry.problem("no set is named '\(name)'", hint: hint)
            }
            found += set
        }
        return key == .ip ? .cidr(found.compactMap { CIDR($0) }) : .words(found)
    }

    private static func texts(_ value: YAMLValue?) throws(YAMLProblem) -> [String] {
        var result: [String] = []
        for entry in try value?.list() ?? [] { result.append(try entry.text()) }
        return result
    }
}

/// The configuration adds to a set that is not there.
public struct UnknownSet: Error, CustomStringConvertible {
    let name: String
    let known: [String]

    /// The set and those that are known.
    public var description: String {
        "sets: no set is named '\(name)'\n  hint: known: \(known.joined(separator: ", "))"
    }
}
