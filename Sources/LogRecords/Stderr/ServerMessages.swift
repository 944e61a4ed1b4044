/// The server's own wordings in all its languages, from `patterns/messages/postgresql.yml` as it was at build time.
struct ServerMessages: Sendable {
    private let byName: [String: [String]]

    /// What the binary has.
    static let all = ServerMessages(EmbeddedFile.all.map(\.text))

    /// Reads lists of double-quoted texts under names, one text a line: the part of YAML that these files use.
    init(_ files: [String]) {
        var byName: [String: [String]] = [:]
        for file in files {
            var name = ""
            for line in file.split(separator: "\n") {
                if let first = line.first, first.isLetter {
                    name = String(line.prefix { $0 != ":" })
                } else if let quote = line.firstIndex(of: "\"") {
                    byName[name, default: []].append(ServerMessages.unquoted(line[line.index(after: quote)...]))
                }
            }
        }
        self.byName = byName
    }

    /// The wordings under a name, English first; empty for a name that is not there.
    func texts(_ name: String) -> [String] { byName[name] ?? [] }

    /// All names.
    var names: [String] { byName.keys.sorted() }

    private static func unquoted(_ rest: Substring) -> String {
        var result = ""
        var isEscaped = false
        for character in rest {
            if isEscaped {
                result.append(character == "n" ? "\n" : character == "t" ? "\t" : character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                break
            } else {
                result.append(character)
            }
        }
        return result
    }
}

/// A file of `patterns/messages/` as it was when the binary was built; the list is made by the EmbedPatterns plugin.
struct EmbeddedFile: Sendable {
    let name: String
    let text: String
}
