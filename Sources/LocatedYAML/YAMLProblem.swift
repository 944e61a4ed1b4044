/// What is wrong in a YAML file, where, and what to do about it.
public struct YAMLProblem: Error, CustomStringConvertible, Sendable {
    /// The file as the person named it.
    public let file: String
    /// Line and column, both from 1; 0 when unknown.
    public let line, column: Int
    /// What is wrong.
    public let message: String
    /// What would be right, if there is something to say.
    public let hint: String?
    /// The line in question.
    public let excerpt: String?

    /// `FILE:LINE:COLUMN: message`, the line with a caret under the place, and the hint.
    public var description: String {
        var text = line > 0 ? "\(file):\(line):\(column): \(message)" : "\(file): \(message)"
        if let excerpt {
            text += "\n    \(excerpt)\n    \(String(repeating: " ", count: max(0, column - 1)))^"
        }
        if let hint { text += "\n  hint: \(hint)" }
        return text
    }
}

/// The known word nearest to a misspelt one, when one is near (two characters or a third of it differ).
public func nearest(to word: String, among known: some Sequence<String>) -> String? {
    known.map { ($0, distance(word, $0)) }
        .filter { $0.1 <= max(2, $0.0.count / 3) && $0.1 < $0.0.count }
        .min { $0.1 < $1.1 }?.0
}

/// Levenshtein distance.
private func distance(_ left: String, _ right: String) -> Int {
    let (a, b) = (Array(left.prefix(64)), Array(right.prefix(64)))
    var row = Array(0...b.count)
    for i in a.indices {
        var diagonal = row[0]
        row[0] = i + 1
        for j in b.indices {
            let above = row[j + 1]
            row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1))
            diagonal = above
        }
    }
    return row[b.count]
}
