import ArgumentParser
import EventStore
import Foundation
import RuleExport
import Vigil

extension ExportTarget: ExpressibleByArgument {}
extension ExportFields: ExpressibleByArgument {}

/// Writes rules in the words of another engine.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write the rules for vmalert or as Sigma.",
        discussion: """
            Rules that the other engine cannot express are left out and listed with the reason, on standard error and in
            a comment of the output; where a rule is approximated, a comment above it says so. docs/export.md has more.

              pgvigil patterns export --target vmalert --output /infra/rules/vlogs/pgvigil.yml
              pgvigil patterns export --target vmalert --fields pgvigil --rule auth-bruteforce
              pgvigil patterns export --target sigma --output rules/
              pgvigil patterns export --target vmalert --format jsonl     what becomes of each rule
            """)

    /// How it is shown.
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case yaml, jsonl
    }

    @OptionGroup var common: CommonOptions
    @Option(help: "vmalert (LogsQL over VictoriaLogs) or sigma.") var target: ExportTarget
    @Option(
        name: .customLong("rule"), parsing: .upToNextOption,
        help: .init("Rules to export. Default: all.", valueName: "id"))
    var rules: [String] = []
    @Option(
        help: .init(
            "Rows that the rules are about: pigsty (records as its Vector ships them) or pgvigil (our events).",
            discussion: "Default: pigsty for vmalert, pgvigil for sigma."))
    var fields: ExportFields?
    @Option(
        help: .init(
            "File to write; for sigma a folder (one that is there, or a name that ends in /) gets a file for each rule.",
            valueName: "file"), completion: .file())
    var output: String?
    @Option(help: "yaml: the rules; jsonl: a line for each rule, exported or why not.") var format: Format = .yaml

    func run() throws {
        try reporting {
            let settings = try common.load()
            let export: ExportedRules
            do {
                export = try settings.export(target, fields: fields ?? target.fields, rules: rules)
            } catch { throw Failure(error, code: 2) }
            if format == .jsonl {
                for row in ExportList.rows(export.outcomes) { print(row.json) }
                return
            }
            try write(export)
            let refused = export.outcomes.filter { $0.refusal != nil }
            for outcome in refused { Talk.say("not exported: \(outcome.id): \(outcome.refusal ?? "")") }
            let close = export.outcomes.filter { !$0.notes.isEmpty }.count
            Talk.say(
                "\(export.outcomes.count - refused.count) of \(export.outcomes.count) rules exported, \(close) of them approximated"
            )
        }
    }

    private func write(_ export: ExportedRules) throws {
        guard let output else {
            FileHandle.standardOutput.write(Data(export.text.utf8))
            return
        }
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: output, isDirectory: &isFolder)
        guard output.hasSuffix("/") || (exists && isFolder.boolValue) else {
            try Data(export.text.utf8).write(to: URL(fileURLWithPath: output), options: .atomic)
            return
        }
        let folder = URL(fileURLWithPath: output, isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for file in export.files {
            try Data(file.text.utf8).write(to: folder.appending(path: file.name), options: .atomic)
        }
    }
}
