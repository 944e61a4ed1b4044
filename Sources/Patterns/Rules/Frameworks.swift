import LocatedYAML

/// The security frameworks that rules refer to: what their ids mean. Of `patterns/frameworks/`.
public struct Frameworks: Sendable {
    /// A technique, criterion or clause.
    public struct Entry: Sendable {
        /// What it is about.
        public let name: String
        /// What it is called elsewhere: an older id, another project's label.
        public let alias: String?
    }

    /// One framework.
    public struct Framework: Sendable {
        /// Its name and version, as in `MITRE ATT&CK 19`.
        public let name: String
        /// Entries by id.
        public let entries: [String: Entry]
    }

    /// By the word that rules use: `attack`, `soc2`, `mlps`.
    public private(set) var all: [String: Framework] = [:]

    /// None.
    public init() {}

    /// The words that rules may use.
    static let keys = ["attack", "soc2", "mlps"]

    /// Adds the framework of a file.
    mutating func read(_ file: YAMLValue) throws(YAMLProblem) {
        let parts = try file.mapping(
            ["key", "name", "version", "source", "entries"], required: ["key", "name", "version", "source", "entries"])
        guard let key = try parts["key"]?.text(), Frameworks.keys.contains(key), all[key] == nil else {
            throw file.problem(
                "the key is unknown or given twice", hint: "known: \(Frameworks.keys.joined(separator: ", "))")
        }
        var entries: [String: Entry] = [:]
        for (id, value) in try parts["entries"]?.entries() ?? [] {
            guard value.isMapping else {
                entries[id] = Entry(name: try value.text(), alias: nil)
                continue
            }
            let words = try value.mapping(["name", "alias"], required: ["name"])
            entries[id] = Entry(name: try words["name"]?.text() ?? "", alias: try words["alias"]?.text())
        }
        all[key] = Framework(
            name: "\(try parts["name"]?.text() ?? "") \(try parts["version"]?.text() ?? "")", entries: entries)
    }

    /// Ids that a rule names; an unknown one is a problem with its place.
    func ids(_ value: YAMLValue?, of key: String) throws(YAMLProblem) -> [String] {
        let known = all[key]?.entries ?? [:]
        var result: [String] = []
        for entry in try value?.oneOrMore() ?? [] {
            let id = try entry.text()
            guard known[id] != nil else {
                let hint = nearest(to: id, among: Array(known.keys)).map { "did you mean \($0)?" }
                throw entry.problem(
                    "'\(id)' is not in patterns/frameworks/ under \(key)", hint: hint ?? "add it there with its meaning"
                )
            }
            result.append(id)
        }
        return result
    }
}
