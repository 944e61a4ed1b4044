import Glibc
import Patterns
import VigilModel

/// A first look at the text of statements, before it is read as SQL: which patterns can fit at all, by the words that
/// they ask for. Most statements of a busy server end here.
final class StatementWords: @unchecked Sendable {
    // Unchecked: nothing changes after `init`. A class, so that handing it on costs nothing.
    /// Numbers of patterns, as bits; numbers that differ by 256 share one, which lets too much through and never too
    /// little.
    typealias Patterns = SIMD4<UInt64>

    /// What a text showed.
    struct Look: Equatable {
        /// Patterns whose words it holds.
        var found = Patterns()
        /// Patterns that a word outside of constants and parentheses rules out.
        var ruledOut = Patterns()
        /// Names may be written with escapes (`U&"\0070g"`): any word may stand in it.
        var isEscaped = false
        /// A semicolon with something behind it.
        var isMany = false
        /// Hash of its first word.
        var first: UInt64 = 0

        /// A line that begins as one of a log does.
        fileprivate(set) var hasLogLine = false
        /// A quote, or a dollar sign that begins no parameter: it may hold constants.
        var hasQuotes = false

        /// It may end in an empty `--`.
        var mayBeCutOff = false

        /// True when the pattern's words, if it has any, may stand in it.
        func allows(_ number: Int) -> Bool {
            isEscaped || found[(number >> 6) & 3] >> UInt64(number & 63) & 1 == 1
        }
    }

    private struct Entry {
        var hash: UInt64 = 0
        var patterns = Patterns()
        /// Patterns that the word rules out.
        var unless = Patterns()
    }

    /// Open addressing by the hash; at most a quarter is taken.
    private var entries: [Entry]
    private let mask: Int
    private(set) var slashes = Patterns()
    private(set) var dashes = Patterns()
    private(set) var ats = Patterns()
    private(set) var tautologies = Patterns()
    /// Patterns that no word is asked for, but some word rules out.
    private var unlessRuledOut = Patterns()
    /// Patterns that look at constants, and those that want parameters.
    private var needQuotes = Patterns()
    private var needParameters = Patterns()
    /// Patterns that want an empty `--` at the end.
    private var needCutOff = Patterns()
    /// Commands all of whose patterns ask for words, by the hash of their first word: which patterns these are.
    private var quiet: [UInt64: Patterns] = [:]
    /// The same at less cost: the one of each remainder; those that share it are looked up.
    private var quick: [(word: UInt64, own: Patterns)?] = []
    /// Commands of one word that mean nothing without a text, by the hash of that: the first few are nearly all there is.
    private var silent: [UInt64] = []
    private(set) var verifier = Patterns()
    /// What a byte is in a name, in lower case; 0 for one that ends it.
    private let letters: [UInt8]
    /// The same words for wide instructions.
    private(set) var table: WordTable?

    init(_ patterns: [StatementPattern]) {
        var size = 64
        while size < 4 * patterns.reduce(0, { $0 + $1.firstLook.count + $1.unless.count }) { size *= 2 }
        entries = [Entry](repeating: Entry(), count: size)
        mask = size - 1
        letters = (0..<256).map { byte in
            let byte = UInt8(byte)
            return SQLBytes.continuesName(byte) ? SQLBytes.lower(byte) : 0
        }
        var words: [String: (found: Patterns, unless: Patterns)] = [:]
        for (number, pattern) in patterns.enumerated() {
            for word in pattern.firstLook {
                switch word {
                case "://": StatementWords.add(number, to: &slashes)
                case "--": StatementWords.add(number, to: &dashes)
                case "@@": StatementWords.add(number, to: &ats)
                case "1=1": StatementWords.add(number, to: &tautologies)
                default:
                    let slot = slot(for: word)
                    StatementWords.add(number, to: &entries[slot].patterns)
                    StatementWords.add(number, to: &words[word, default: (Patterns(), Patterns())].found)
                }
            }
            for word in pattern.unless {
                let slot = slot(for: word)
                StatementWords.add(number, to: &entries[slot].unless)
                StatementWords.add(number, to: &words[word, default: (Patterns(), Patterns())].unless)
            }
            if pattern.firstLook.isEmpty, !pattern.unless.isEmpty { StatementWords.add(number, to: &unlessRuledOut) }
        }
        table = WordTable(words.map { ($0.key, $0.value.found, $0.value.unless) })
        verifier = patternsOf(StatementWords.hash("md5"))
        for (number, pattern) in patterns.enumerated() {
            if pattern.literal != nil { StatementWords.add(number, to: &needQuotes) }
            if pattern.needsParameters { StatementWords.add(number, to: &needParameters) }
            if pattern.asksForCutOff { StatementWords.add(number, to: &needCutOff) }
        }
        for verb in StatementWords.verbs {
            let means = patterns.contains { $0.isMeant(command: verb) && !$0.asksForText }
            if !means { silent.append(StatementWords.hash(verb.lowercased())) }
            let own = patterns.indices.filter { StatementWords.isAbout(verb, patterns[$0]) }
            guard own.allSatisfy({ !patterns[$0].firstLook.isEmpty || !patterns[$0].unless.isEmpty }) else { continue }
            quiet[StatementWords.hash(verb.lowercased())] = own.reduce(into: Patterns()) {
                StatementWords.add($1, to: &$0)
            }
        }
        quick = Array(repeating: nil, count: 256)
        for (word, own) in quiet { quick[Int(word & 255)] = (word, own) }
    }

    /// The patterns of commands that begin with a word, when all of them ask for words.
    @inline(__always)
    private func patterns(of word: UInt64) -> Patterns? {
        if let known = quick[Int(word & 255)], known.word == word { return known.own }
        return quiet[word]
    }

    /// First words of statements whose command tag starts with the same word, whatever follows.
    private static let verbs = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE",
        "SET", "RESET", "SHOW", "FETCH", "MOVE", "EXECUTE", "CALL", "LISTEN", "NOTIFY", "UNLISTEN", "DEALLOCATE",
        "DISCARD", "CLOSE", "VACUUM", "CHECKPOINT",
    ]

    private static func isAbout(_ verb: String, _ pattern: StatementPattern) -> Bool {
        pattern.isMeant(command: verb)
            || pattern.commands.contains { $0.hasPrefix(verb + " ") }
    }

    /// False when surely no pattern fits a statement of the text, which starts with the look's first word, or with one
    /// that is known.
    func mayFit(_ look: Look, verb: UInt64? = nil, hasParameters: Bool) -> Bool {
        guard !look.isMany, !look.isEscaped, !look.hasLogLine, let own = patterns(of: verb ?? look.first) else {
            return true
        }
        var found = (look.found | (unlessRuledOut & ~look.ruledOut)) & own
        if !look.hasQuotes { found &= ~needQuotes }
        if !hasParameters { found &= ~needParameters }
        if !look.mayBeCutOff { found &= ~needCutOff }
        return found != Patterns()
    }

    /// The same of the statements in a record's message, from a place of its raw column on.
    @inline(__always)
    func mayFit(_ record: LogRecord, behind start: Int, isNamed: Bool) -> Bool {
        let look = record.withContent(.message) { raw in
            self.look(at: UnsafeBufferPointer(rebasing: raw[min(start, raw.count)...]))
        }
        // A name stands before the SQL of `execute`, but the tag is the server's.
        let verb = isNamed ? record.withContent(.commandTag) { StatementWords.hash(tag: $0) } : nil
        return mayFit(look, verb: verb, hasParameters: !record.isEmpty(.detail))
    }

    /// Of a record of pgaudit's that surely no pattern fits, where `AuditFields.head` stands in its raw message; nil of any
    /// other. Its text tells more than its command does, where that alone means nothing.
    @inline(__always)
    func head(ofMeaningless record: LogRecord) -> Range<Int>? {
        // Without a number of its own it is told from others by counting.
        guard !record.isEmpty(.sessionID), !record.isEmpty(.sessionLine) else { return nil }
        return record.withContent(.message) { raw in
            guard let fields = AuditFields(raw) else { return nil }
            let command = UnsafeBufferPointer(rebasing: raw[fields.command])
            guard !command.contains(32), silent.contains(StatementWords.hash(tag: command)) else { return nil }
            let look = look(at: UnsafeBufferPointer(rebasing: raw[fields.statement]))
            return mayFit(look, hasParameters: false) ? nil : fields.head
        }
    }

    private static func add(_ number: Int, to patterns: inout Patterns) {
        patterns[(number >> 6) & 3] |= 1 << UInt64(number & 63)
    }

    /// The slot of a word, taken for it.
    private func slot(for word: String) -> Int {
        let hash = StatementWords.hash(word)
        var slot = StatementWords.slot(hash, mask)
        while entries[slot].hash != 0, entries[slot].hash != hash { slot = (slot + 1) & mask }
        entries[slot].hash = hash
        return slot
    }

    private func patternsOf(_ hash: UInt64) -> Patterns {
        var slot = StatementWords.slot(hash, mask)
        while entries[slot].hash != 0 {
            if entries[slot].hash == hash { return entries[slot].patterns }
            slot = (slot + 1) & mask
        }
        return Patterns()
    }

    /// The hash of a word in lower case, as `look` makes it.
    static func hash(_ word: String) -> UInt64 { word.utf8.reduce(start) { step($0, $1) } }

    /// The hash of the first word of a command tag.
    static func hash(tag: UnsafeBufferPointer<UInt8>) -> UInt64 {
        tag.prefix { SQLBytes.continuesName($0) }.reduce(start) { step($0, SQLBytes.lower($1)) }
    }

    static let start: UInt64 = 0xCBF2_9CE4_8422_2325

    @inline(__always)
    static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }

    @inline(__always)
    private static func slot(_ hash: UInt64, _ mask: Int) -> Int { Int(truncatingIfNeeded: hash >> 24) & mask }

    /// Looks at a text once. A word is a name, or a part of one between underscores.
    @inline(__always)
    func look(at text: UnsafeBufferPointer<UInt8>) -> Look {
        guard var look = table?.look(at: text).map({ look($0, at: text) }) else { return lookPlainly(at: text) }
        look.hasLogLine = StatementWords.hasLogLine(text)
        return look
    }

    /// The same byte by byte, for texts of any length.
    func lookPlainly(at text: UnsafeBufferPointer<UInt8>) -> Look {
        var look = Look()
        entries.withUnsafeBufferPointer { entries in
            letters.withUnsafeBufferPointer { letters in
                look = StatementWords.look(at: text, entries, letters, self)
            }
        }
        look.hasLogLine = StatementWords.hasLogLine(text)
        return look
    }

    private static func look(
        at text: UnsafeBufferPointer<UInt8>, _ entries: UnsafeBufferPointer<Entry>,
        _ letters: UnsafeBufferPointer<UInt8>, _ words: StatementWords
    ) -> Look {
        var look = Look()
        let mask = words.mask
        // Where quotes and parentheses stand is known as long as nothing escapes or comments.
        var isPlain = true
        var isQuoted = false
        var hasQuotedEnd = false
        var depth = 0
        func take(_ hash: UInt64) {
            var slot = slot(hash, mask)
            while entries[slot].hash != 0 {
                if entries[slot].hash == hash {
                    look.found |= entries[slot].patterns
                    if !isQuoted, depth == 0 { look.ruledOut |= entries[slot].unless }
                }
                slot = (slot + 1) & mask
            }
        }
        var index = 0
        var isFirst = true
        var isEnded = false
        while index < text.count {
            let byte = text[index]
            let letter = letters[Int(byte)]
            // A number ends where letters begin, as in `1union`.
            guard letter != 0, !SQLBytes.isDigit(letter), letter != SQLBytes.dollar else {
                index += 1
                if SQLBytes.isSpace(byte) { continue }
                isFirst = false
                if isEnded, byte != SQLBytes.semicolon, !isQuoted { look.isMany = true }
                switch byte {
                case SQLBytes.semicolon where isQuoted: hasQuotedEnd = true
                case SQLBytes.semicolon: isEnded = true
                case SQLBytes.quote:
                    look.hasQuotes = true
                    isQuoted.toggle()
                case SQLBytes.dollar where index == text.count || !SQLBytes.isDigit(text[index]):
                    look.hasQuotes = true
                    isPlain = false
                case SQLBytes.dash where index > 1 && text[index - 2] == byte:
                    look.found |= words.dashes
                    if !isQuoted { isPlain = false }
                case UInt8(ascii: "\\"): isPlain = false
                case UInt8(ascii: "\"") where !isQuoted: isPlain = false
                case UInt8(ascii: "*") where !isQuoted && index > 1 && text[index - 2] == SQLBytes.slash:
                    isPlain = false
                case UInt8(ascii: "("): if !isQuoted { depth += 1 }
                case UInt8(ascii: ")"): if !isQuoted { depth -= 1 }
                case UInt8(ascii: "="): if isBetweenDigits(text, index - 1) { look.found |= words.tautologies }
                case UInt8(ascii: "@") where index > 1 && text[index - 2] == byte: look.found |= words.ats
                case SQLBytes.slash where index > 2 && text[index - 2] == byte && text[index - 3] == SQLBytes.colon:
                    look.found |= words.slashes
                default: break
                }
                continue
            }
            if isEnded { look.isMany = true }
            let begin = index
            var hash = start
            var part = start
            while index < text.count {
                let letter = letters[Int(text[index])]
                if letter == 0 { break }
                if letter == UInt8(ascii: "_") {
                    if part != start { take(part) }
                    part = start
                } else {
                    part = step(part, letter)
                }
                hash = step(hash, letter)
                index += 1
            }
            take(hash)
            if part != hash, part != start { take(part) }
            if isFirst {
                look.first = hash
                isFirst = false
            }
            if index - begin == 1, index < text.count, text[index] == SQLBytes.ampersand,
                text[begin] | 0x20 == UInt8(ascii: "u")
            {
                look.isEscaped = true
            }
            if index - begin == 35, SQLBytes.matches(text, begin, "MD5") { look.found |= words.verifier }
        }
        if !isPlain || isQuoted || depth != 0 || look.isEscaped {
            look.ruledOut = Patterns()
            if hasQuotedEnd { look.isMany = true }
        }
        look.mayBeCutOff = mayBeCutOff(text)
        return look
    }

    /// True when a line but the first begins as one of a log does.
    @inline(__always)
    private static func hasLogLine(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard var at = text.baseAddress, !text.isEmpty else { return false }
        let end = at + text.count
        while let found = memchr(at, 10, end - at) {
            at = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) + 1
            if startsLogLine(UnsafeBufferPointer(start: at, count: end - at), 0) { return true }
        }
        return false
    }

    /// True when a line of a log may begin here: `2026-…`, or `{"…`.
    static func startsLogLine(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
        guard index + 1 < text.count else { return false }
        return text[index] == UInt8(ascii: "2") && text[index + 1] == UInt8(ascii: "0")
            || text[index] == UInt8(ascii: "{") && text[index + 1] == SQLBytes.doubleQuote
    }

    /// True when a text may end in an empty `--`: nothing but blanks, quotes and parentheses behind it. The normal form of a
    /// long one is cut, and may end in anything.
    static func mayBeCutOff(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        if text.count > 1024 { return true }
        var end = text.count
        while end > 0, SQLBytes.isSpace(text[end - 1]) || text[end - 1] == SQLBytes.quote || text[end - 1] == 41 {
            end -= 1
        }
        return end > 1 && text[end - 1] == SQLBytes.dash && text[end - 2] == SQLBytes.dash
    }

    /// True for the equals sign of `1 = 1`.
    private static func isBetweenDigits(_ text: UnsafeBufferPointer<UInt8>, _ sign: Int) -> Bool {
        var before = sign - 1
        while before >= 0, SQLBytes.isSpace(text[before]) { before -= 1 }
        var after = sign + 1
        while after < text.count, SQLBytes.isSpace(text[after]) { after += 1 }
        return before >= 0 && after < text.count && SQLBytes.isDigit(text[before]) && SQLBytes.isDigit(text[after])
    }
}

extension SQLBytes {
    /// Whether the bytes from a place on begin with `keyword`, given in upper case, without regard to ASCII case.
    static func matches(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ keyword: StaticString) -> Bool {
        guard text.count - start >= keyword.utf8CodeUnitCount else { return false }
        for index in 0..<keyword.utf8CodeUnitCount
        where upper(text[start + index]) != keyword.utf8Start[index] { return false }
        return true
    }
}
