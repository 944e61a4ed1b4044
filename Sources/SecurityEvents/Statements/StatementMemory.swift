import VigilModel

/// What reading texts gave, remembered: programs send the same statements again and again, with other numbers in them.
///
/// Two texts that differ only in the digits of numbers hold the same tokens at the same places, and the same secrets.
/// What patterns make of them may differ, so that is remembered of equal texts alone.
final class StatementMemory {
    // A class, so that statements that are read can be handed on with it; used by the one who reads a source.
    private var known = [Known?](repeating: nil, count: 1024)
    /// What was asked for last at each place: what comes only once is not kept.
    private var asked = [UInt64](repeating: 0, count: 1024)
    private var key: [UInt8] = []

    /// Longer texts are read each time.
    private static let longest = 1024

    /// What is known of a text.
    final class Known {
        fileprivate let key: [UInt8]
        fileprivate let statements: [SQLStatement]
        fileprivate let look: StatementWords.Look
        /// What the statements are, once that was found; nil where equal keys do not mean equal texts.
        fileprivate(set) var kinds: [EventKind?]?
        fileprivate let isExact: Bool
        /// Parts that hold no secrets.
        private(set) var clear: Set<Range<Int>> = []

        fileprivate init(key: [UInt8], _ text: StatementText, isExact: Bool) {
            self.key = key
            statements = text.statements
            look = text.context.look
            self.isExact = isExact
        }

        /// Notes that a part holds no secrets.
        func note(clear range: Range<Int>) { clear.insert(range) }

        /// Notes what the statements are.
        func note(kinds: [EventKind?]) { if isExact { self.kinds = kinds } }
    }

    /// Reads a text, or remembers what reading it gave.
    func text(
        _ bytes: [UInt8], _ words: StatementWords, hasParameters: Bool = false, isParsed: Bool = true
    ) -> StatementText {
        func read() -> StatementText {
            StatementText(bytes, words, hasParameters: hasParameters, isParsed: isParsed)
        }
        guard bytes.count <= StatementMemory.longest else { return read() }
        let isExact = StatementMemory.write(bytes, to: &key)
        key.append((hasParameters ? 1 : 0) | (isParsed ? 2 : 0))
        let hash = StatementMemory.hash(key)
        let place = Int(truncatingIfNeeded: hash >> 54)
        if let known = known[place], known.key == key {
            let context = StatementContext(look: known.look, hasParameters: hasParameters, isParsed: isParsed)
            return StatementText(bytes, known.statements.map { $0.moved(to: bytes) }, context, known)
        }
        guard asked[place] == hash else {
            asked[place] = hash
            return read()
        }
        var text = read()
        let new = Known(key: key, text, isExact: isExact)
        known[place] = new
        text.known = new
        return text
    }

    /// Writes a text with zeroes for the digits of its numbers: those that stand alone, in front of the first byte that
    /// may begin a constant, a quoted name or a comment. True when nothing was changed.
    private static func write(_ text: [UInt8], to key: inout [UInt8]) -> Bool {
        key.removeAll(keepingCapacity: true)
        key.append(contentsOf: text)
        var isExact = true
        text.withUnsafeBufferPointer { text in
            key.withUnsafeMutableBufferPointer { key in
                var index = 1
                while index < text.count {
                    switch text[index] {
                    case 34, 36, 39, 45, 47, 92: return
                    case 48...57:
                        let start = index
                        while index < text.count, text[index] &- 48 < 10 { index += 1 }
                        // Not behind a line feed: a line of a log begins with digits.
                        let isBehind = [32, 40, 44, 61].contains(text[start - 1])
                        guard isBehind, index == text.count || [32, 41, 44, 59].contains(text[index]) else { continue }
                        for digit in start..<index { key[digit] = 48 }
                        isExact = false
                    default: index += 1
                    }
                }
            }
        }
        return isExact
    }

    private static func hash(_ key: [UInt8]) -> UInt64 {
        var hash = PlaceHash()
        key.withUnsafeBufferPointer { hash.combine($0) }
        return hash.place
    }
}
