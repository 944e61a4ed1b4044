import Foundation

/// The program, run as a person does.
struct Vigil {
    static let binary = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "pgvigil")
    let lab: Lab
    private let configuration: String

    init(_ lab: Lab) throws {
        self.lab = lab
        configuration = lab.path("pgvigil.yml")
        // Every address of the lab is a loopback one.
        try lab.write(
            """
            bans: {loopback: true}
            topology: {detect: false}
            sources:
              - {path: "\(lab.folder.path)", timezone: \(Child.zone)}

            """, to: "pgvigil.yml")
    }

    @discardableResult
    func run(_ command: String, _ arguments: [String] = [], store: String? = nil, input: Data = Data()) throws -> String
    {
        var line = [Vigil.binary.path, command, "--config", configuration]
        if let store { line += ["--store", lab.path(store)] }
        return try Lab.run(line + arguments, input: input)
    }

    func rows(_ what: String, _ store: String) throws -> [Row] {
        try run(what, ["--format", "jsonl"], store: store).split(separator: "\n").map { try Row(String($0)) }
    }

    /// Follows logs until it is stopped.
    func watch(_ paths: [String], store: String) throws -> Child {
        try Child(
            [Vigil.binary.path, "watch", "--config", configuration, "--store", lab.path(store)] + paths, signal: "TERM",
            output: lab.path(store + ".out"), errors: lab.path(store + ".talk"), folder: lab.folder)
    }
}

/// A row of `events` or `alerts`.
struct Row {
    let text: String
    private let values: [String: any Sendable]

    init(_ line: String) throws {
        text = line
        values = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: any Sendable] ?? [:]
    }

    /// The value of a key as text; lists joined by blanks; what is absent is empty.
    subscript(key: String) -> String {
        switch values[key] {
        case let text as String: text
        case let list as [Any]: list.map { "\($0)" }.joined(separator: " ")
        case let other?: "\(other)"
        case nil: ""
        }
    }

    /// Some of its values, as `a|b`.
    func values(_ keys: String...) -> String { keys.map { self[$0] }.joined(separator: "|") }

    /// Everything but where it was read.
    var content: String {
        text.replacing(#/"log\.(file\.path|offset)":("[^"]*"|[0-9]+),?/#, with: { _ in "" })
    }
}

/// How often each occurs.
func counts(_ names: some Sequence<String>) -> [String: Int] {
    names.reduce(into: [:]) { $0[$1, default: 0] += 1 }
}
