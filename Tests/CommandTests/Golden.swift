import Foundation
import Testing

/// Compares what the program prints with a file beside the tests. `RECORD_GOLDEN=1 swift test` writes the files anew:
/// look at what changed before committing it.
enum Golden {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    static func expect(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let file = folder.appending(path: name)
        if ProcessInfo.processInfo.environment["RECORD_GOLDEN"] != nil { try Data(text.utf8).write(to: file) }
        let wanted = try String(contentsOf: file, encoding: .utf8)
        #expect(text == wanted, sourceLocation: sourceLocation)
    }
}

/// A store of the samples, read with three of the rules only: what is shown of it does not change with every new rule.
struct SampleStore {
    let folder: URL
    /// The store's path.
    var path: String { file("a.db") }

    private static let rules = ["auth-bruteforce.yml", "auth-spray.yml", "auth-success-after-failures.yml"]

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        let patterns = folder.appending(path: "patterns")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: Program.root.appending(path: "patterns"), to: patterns)
        let all = try FileManager.default.contentsOfDirectory(atPath: patterns.appending(path: "rules").path)
        for name in all where !SampleStore.rules.contains(name) {
            try FileManager.default.removeItem(at: patterns.appending(path: "rules/\(name)"))
        }
        try Data("patterns: \(patterns.path)\n".utf8).write(to: folder.appending(path: "a.yml"))
        try FileManager.default.copyItem(
            at: Program.root.appending(path: "samples"), to: folder.appending(path: "samples"))
        let result = try run("replay", file("samples"))
        try #require(result.code == 0, "\(result.talk)")
    }

    func file(_ name: String) -> String { folder.appending(path: name).path }

    /// Runs a command on the store.
    func run(_ command: String..., input: Data? = nil) throws -> Program.Result {
        try Program.run(
            [command[0], "--store", path, "--config", file("a.yml")] + command.dropFirst(), input: input)
    }

    /// What the command prints, without the folder's name.
    func output(_ command: String...) throws -> String {
        let result = try Program.run(
            [command[0], "--store", path, "--config", file("a.yml")] + command.dropFirst())
        return result.output.split(separator: folder.path + "/", omittingEmptySubsequences: false).joined()
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }
}
