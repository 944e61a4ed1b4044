/// The texts that whatever matches an expression starts with, as far as its source tells: `\A(?:pool|closing: )bad \d`
/// starts with `poolbad ` or `closing: bad `. A text that starts with none of them need not be matched at all.
public struct LiteralStarts: Sendable {
    /// A text that matches starts with one of these; empty when nothing is known of how it starts.
    public let texts: [[UInt8]]
    /// True when each text that starts so matches: the expression asks for nothing more.
    public let isWhole: Bool

    /// So many texts are kept of one expression, and so many bytes of each.
    static let most = (texts: 64, bytes: 48)

    /// Reads the source of an expression that PCRE2 compiles. What is not understood ends the texts before it.
    public init(of source: String) {
        var reader = Reader(bytes: Array(source.utf8))
        let found = reader.hasOptions ? nil : reader.read()
        guard let found, !found.contains(where: \.bytes.isEmpty) else {
            (texts, isWhole) = ([], false)
            return
        }
        texts = found.map(\.bytes)
        isWhole = found.allSatisfy(\.isOpen)
    }

    /// A text, and whether all of the expression so far is in it.
    private struct Text {
        var bytes: [UInt8] = []
        var isOpen = true
    }

    private struct Reader {
        let bytes: [UInt8]
        var at = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

        private func stands(_ text: StaticString) -> Bool {
            at + text.utf8CodeUnitCount <= bytes.count
                && (0..<text.utf8CodeUnitCount).allSatisfy { bytes[at + $0] == text.utf8Start[$0] }
        }

        /// True for options, verbs, quoting and groups of other kinds than those read here: they may change what
        /// letters and alternatives mean anywhere.
        var hasOptions: Bool {
            for index in bytes.indices.dropLast() {
                switch (bytes[index], bytes[index + 1]) {
                case (92, 81), (40, 42): return true
                case (40, 63):
                    if index + 2 >= bytes.count || ![58, 60, 61, 33].contains(bytes[index + 2]) { return true }
                default: break
                }
            }
            return false
        }

        /// The texts of the whole expression, each alternative of which must begin at the text's start.
        mutating func read() -> [Text]? {
            var all: [Text] = []
            repeat {
                guard stands(#"\A"#) else { return nil }
                at += 2
                all += branch()
            } while take(124)
            return at == bytes.count && all.count <= LiteralStarts.most.texts ? all : nil
        }

        private mutating func take(_ byte: UInt8) -> Bool {
            guard next == byte else { return false }
            at += 1
            return true
        }

        /// The texts of one alternative, which ends before `|`, `)` or at the end.
        private mutating func branch() -> [Text] {
            var texts = [Text()]
            while let byte = next, byte != 124, byte != 41 {
                let start = at
                guard texts.contains(where: \.isOpen), let piece = piece() else {
                    at = start
                    skip()
                    return texts.map { Text(bytes: $0.bytes, isOpen: false) }
                }
                let joined = join(texts, piece)
                guard joined.count <= LiteralStarts.most.texts else {
                    skip()
                    return texts.map { Text(bytes: $0.bytes, isOpen: false) }
                }
                texts = joined
            }
            return texts
        }

        private func join(_ texts: [Text], _ piece: [Text]) -> [Text] {
            texts.flatMap { text in
                guard text.isOpen else { return [text] }
                return piece.map { Reader.limited(Text(bytes: text.bytes + $0.bytes, isOpen: $0.isOpen)) }
            }
        }

        private static func limited(_ text: Text) -> Text {
            text.bytes.count <= LiteralStarts.most.bytes
                ? text : Text(bytes: Array(text.bytes.prefix(LiteralStarts.most.bytes)), isOpen: false)
        }

        /// A letter or a group with what follows it; nil for anything else.
        private mutating func piece() -> [Text]? {
            guard let texts = take(40) ? group() : letter().map({ [Text(bytes: [$0])] }) else { return nil }
            switch next {
            case 42, 123: return nil
            case 43: return texts.map { Text(bytes: $0.bytes, isOpen: false) }
            case 63:
                at += 1
                // Lazy or possessive: another order of trying, or less that matches.
                let isPlain = next != 63 && next != 43
                return (texts + [Text()]).map { Text(bytes: $0.bytes, isOpen: $0.isOpen && isPlain) }
            default: return texts
            }
        }

        /// A group behind its bracket: `(?:`, `(?<name>` or a bare one.
        private mutating func group() -> [Text]? {
            if take(63) {
                if take(60) {
                    guard let first = next, first != 61, first != 33 else { return nil }
                    guard let end = bytes[at...].firstIndex(of: 62) else { return nil }
                    at = end + 1
                } else if !take(58) {
                    return nil
                }
            }
            var all: [Text] = []
            repeat { all += branch() } while take(124)
            return take(41) ? all : nil
        }

        /// A byte that stands for itself.
        private mutating func letter() -> UInt8? {
            guard let byte = next else { return nil }
            at += 1
            switch byte {
            case 92:
                guard let escaped = next else { return nil }
                at += 1
                let isWord = escaped &- 48 < 10 || (escaped | 32) &- 97 < 26 || escaped >= 0x80
                return isWord ? nil : escaped
            case 46, 91, 94, 36, 42, 43, 63, 123: return nil
            default: return byte
            }
        }

        /// Steps over the rest of an alternative.
        private mutating func skip() {
            var depth = 0
            while let byte = next {
                switch byte {
                case 92: at += 1
                case 91: skipClass()
                case 40: depth += 1
                case 41:
                    if depth == 0 { return }
                    depth -= 1
                case 124: if depth == 0 { return }
                default: break
                }
                at += 1
            }
        }

        /// Steps to the bracket that ends a class.
        private mutating func skipClass() {
            at += 1
            if next == 94 { at += 1 }
            if next == 93 { at += 1 }
            while let byte = next, byte != 93 {
                if byte == 92 {
                    at += 1
                } else if stands("[:"), let end = bytes[(at + 2)...].firstIndex(of: 93), bytes[end - 1] == 58 {
                    at = end
                }
                at += 1
            }
        }
    }
}
