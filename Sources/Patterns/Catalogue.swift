import Foundation
import LocatedYAML
import VigilModel

/// What records mean.
public struct EventCatalogue: Sendable {
    /// Record patterns in file order: of those that fit a record, the first decides.
    public internal(set) var patterns: [EventPattern] = []
    /// Statement patterns: of those that fit, the most severe gives the action, all give tags.
    public internal(set) var statements: [StatementPattern] = []
    /// Text patterns: what names, messages and statements are made to look like.
    public internal(set) var texts: [TextPattern] = []
    /// Gap patterns: what missing numbers mean.
    public internal(set) var gaps: [GapPattern] = []
    /// Real records and what they must give.
    public internal(set) var examples: [PatternExample] = []
    /// What fingerprints of secrets are made with; without it there are none.
    public var secretKey: SecretKey?
    /// FATAL in every language of the server (csvlog translates severities).
    public internal(set) var fatalWords: [[UInt8]] = []
    /// ERROR in every language of the server.
    public internal(set) var errorWords: [[UInt8]] = []

    /// Every word that events can have as their action or a tag.
    var words: Set<String> {
        var words = EventCatalogue.ownWords
        for pattern in patterns {
            switch pattern.effect {
            case .event(let kind), .login(let kind): words.formUnion(kind.tags + [kind.action])
            case .evidence, .statement, .counted: break
            }
        }
        for gap in gaps { words.formUnion(gap.kind.tags + [gap.kind.action]) }
        for text in texts { words.formUnion(text.kind.tags + [text.kind.action]) }
        for statement in statements { words.formUnion(statement.kind.tags + [statement.kind.action]) }
        return words
    }

    /// Words that no pattern gives but the reading itself.
    private static let ownWords: Set<String> = [
        "forgery.attempt", "proxy.candidate", "auth.method.trust",
        "auth.method.password", "auth.method.md5",
    ]
}

/// Everything in `patterns/`: what a record means, and what a run of events means.
public struct Catalogue: Sendable {
    /// What records mean.
    public var events = EventCatalogue()
    /// What runs of events mean, by id.
    public var rules: [Rule] = []
    /// Lists that rules name.
    public private(set) var sets = NamedSets()
    /// SHA-256 of all files, with their names.
    public let digest: String
    /// What rules refer to.
    public private(set) var frameworks = Frameworks()

    /// The catalogue that was built into the binary. `sets` are members that the configuration adds to sets. Without its
    /// examples it is read in two thirds of the time.
    public static func embedded(sets: [String: [String]] = [:], withExamples: Bool = true) throws -> Catalogue {
        try Catalogue(
            files: EmbeddedFile.all.map { ($0.name, $0.text) }, sets: sets, withExamples: withExamples)
    }

    /// The catalogue in a folder with `messages/`, `events/`, `sets/`, `frameworks/` and `rules/`.
    public init(folder: String, sets: [String: [String]] = [:]) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            throw PatternFolderProblem(folder: folder, reason: "there is no such folder")
        }
        let root = URL(fileURLWithPath: folder)
        guard let found = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil) else {
            throw PatternFolderProblem(folder: folder, reason: "it cannot be read")
        }
        var files: [(name: String, text: String)] = []
        for case let url as URL in found where url.pathExtension == "yml" {
            let name = String(url.standardizedFileURL.path.dropFirst(root.standardizedFileURL.path.count + 1))
            files.append((name, try String(contentsOf: url, encoding: .utf8)))
        }
        guard !files.isEmpty else { throw PatternFolderProblem(folder: folder, reason: "no pattern files here") }
        try self.init(files: files, sets: sets)
    }

    /// Reads the files, messages first. Throws `YAMLProblem` for the first thing that is wrong.
    package init(
        files: [(name: String, text: String)], sets more: [String: [String]] = [:], withExamples: Bool = true
    ) throws {
        func read(_ text: String, _ name: String) throws(YAMLProblem) -> YAMLValue {
            try YAMLValue(text: withExamples ? text : ExampleLines.emptied(text), file: name)
        }
        let files = files.sorted { $0.name < $1.name }
        digest = Fingerprint.sha256(
            files.reduce(into: [UInt8]()) { bytes, file in
                if !bytes.isEmpty { bytes.append(0) }
                bytes += file.name.utf8
                bytes.append(0)
                bytes += file.text.utf8
            })
        var reader = PatternReader()
        for (name, text) in files where name.hasPrefix("messages/") {
            try reader.readMessages(YAMLValue(text: text, file: "patterns/" + name))
        }
        events.fatalWords = reader.words("severity_fatal")
        events.errorWords = reader.words("severity_error")
        for (name, text) in files where name.hasPrefix("events/") {
            let name = "patterns/" + name
            try reader.readPatterns(read(text, name), name: name, into: &events)
        }
        for (name, text) in files where name.hasPrefix("sets/") {
            try sets.read(YAMLValue(text: text, file: "patterns/" + name))
        }
        try sets.add(more)
        for (name, text) in files where name.hasPrefix("frameworks/") {
            try frameworks.read(YAMLValue(text: text, file: "patterns/" + name))
        }
        let rules = RuleReader(self, readsExamples: withExamples)
        var places: [String: String] = [:]
        for (name, text) in files where name.hasPrefix("rules/") {
            let name = "patterns/" + name
            let rule = try rules.read(read(text, name), name: name, text: text)
            if let first = places[rule.about.id] {
                throw DuplicateID(id: rule.about.id, places: [first, rule.place])
            }
            places[rule.about.id] = rule.place
            self.rules.append(rule)
        }
        try refuseTwins(
            events.patterns.map { ($0.id, $0.place) } + events.statements.map { ($0.id, $0.place) }
                + events.texts.map { ($0.id, $0.place) } + events.gaps.map { ($0.id, $0.place) })
    }

    private func refuseTwins(_ entries: [(id: String, place: String)]) throws {
        var seen: [String: String] = [:]
        for (id, place) in entries {
            if let first = seen[id] { throw DuplicateID(id: id, places: [first, place]) }
            seen[id] = place
        }
    }
}

/// Two patterns or rules share an id.
public struct DuplicateID: Error, CustomStringConvertible {
    let id: String
    let places: [String]

    /// Both places and what to do.
    public var description: String {
        "\(places[1]): the id '\(id)' stands at \(places[0]) too\n  hint: give one of them another id"
    }
}

/// The configured folder holds no patterns.
public struct PatternFolderProblem: Error, CustomStringConvertible {
    let folder: String
    let reason: String

    /// The folder and what belongs there.
    public var description: String {
        "\(folder): \(reason)\n  hint: the folder needs messages/*.yml, events/*.yml, sets/*.yml, frameworks/*.yml and rules/*.yml"
    }
}
