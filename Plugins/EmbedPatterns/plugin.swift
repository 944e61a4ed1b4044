import Foundation
import PackagePlugin

/// Makes the catalogue of `patterns/` part of the binary; of `LogRecords`, the server's wordings alone.
@main
struct EmbedPatterns: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let root = context.package.directoryURL.appending(path: "patterns")
        let part = target.name == "LogRecords" ? root.appending(path: "messages") : root
        let found = FileManager.default.enumerator(at: part, includingPropertiesForKeys: nil)?.allObjects ?? []
        let files = found.compactMap { $0 as? URL }.filter { $0.pathExtension == "yml" }
            .sorted { $0.path < $1.path }
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedCatalogue.swift")
        return [
            .buildCommand(
                displayName: "Embedding patterns/",
                executable: try context.tool(named: "embed-patterns").url,
                arguments: [root.path, output.path] + files.map(\.path),
                inputFiles: files, outputFiles: [output])
        ]
    }
}
