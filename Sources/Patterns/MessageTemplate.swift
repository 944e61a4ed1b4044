/// One of the server's own message formats (`role "%s" does not exist`), in any of its languages. It is matched by its
/// literal pieces: as a whole, or by what stands before its first and behind its last blank.
public struct MessageTemplate: Sendable, Hashable {
    /// What stands between the blanks.
    let pieces: [[UInt8]]

    /// Reads printf's `%s`, `%d`, `%u`, `%1$s`.
    public init(_ format: String) {
        var pieces: [[UInt8]] = [[]]
        var rest = Array(format.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 37, let conversion = rest.firstIndex(where: { !(48...57).contains($0) && $0 != 36 }),
                [115, 100, 117, 109].contains(rest[conversion])
            {
                pieces.append([])
                rest = rest[(conversion + 1)...]
            } else {
                pieces[pieces.count - 1].append(byte)
            }
        }
        self.pieces = pieces
    }

    /// The text before the first blank.
    public var prefix: [UInt8] { pieces[0] }

    /// True when the text starts and ends as the template does. The blanks may hold anything.
    public func matches(_ text: [UInt8]) -> Bool {
        let suffix = pieces.count > 1 ? pieces[pieces.count - 1] : []
        guard pieces.count > 1 else { return text == prefix }
        return text.count >= prefix.count + suffix.count && text.starts(with: prefix)
            && text.suffix(suffix.count).elementsEqual(suffix)
    }

    /// True when the text is the template with that name in its one blank, up to the end or a line break. Nothing that
    /// a client puts into its name can make it match another template.
    public func matches(_ text: [UInt8], about name: [UInt8]) -> Bool {
        guard pieces.count == 2 else { return matches(text) }
        let whole = pieces[0] + name + pieces[1]
        return text.starts(with: whole) && (text.count == whole.count || text[whole.count] == 10)
    }
}

extension MessageTemplate {
    /// The prefix as csvlog writes it, quotes doubled.
    public var quotedPrefix: [UInt8] { prefix.flatMap { $0 == 34 ? [34, 34] : [$0] } }

    /// True when nothing must stand behind its last blank.
    public var endsOpen: Bool { pieces.count == 2 && pieces[1].isEmpty }
}
