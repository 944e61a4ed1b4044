// Writes the files of `patterns/` as one Swift source: their names and texts. Run by the EmbedPatterns plugin.
import Foundation

let arguments = CommandLine.arguments
let root = URL(fileURLWithPath: arguments[1])
let output = URL(fileURLWithPath: arguments[2])

var entries: [String] = []
for path in arguments.dropFirst(3).sorted() {
    let text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
    let name = String(path.dropFirst(root.path.count + 1))
    // A raw literal with more marks than any file holds needs no escaping at all.
    entries.append("    EmbeddedFile(name: \"\(name)\", text: ####\"\"\"\n\(text)\n\"\"\"####),")
}
let source = """
    // Made at build time from the files of patterns/; not to be edited.
    extension EmbeddedFile {
        /// Every file of the catalogue, in the order of names.
        static let all: [EmbeddedFile] = [
    \(entries.joined(separator: "\n"))
        ]
    }
    """
try source.write(to: output, atomically: true, encoding: .utf8)
