import Patterns
import VigilModel

/// The SQL in a record, and what tells it from another one.
struct StatementText {
    /// The text.
    let bytes: [UInt8]
    /// Its statements in order.
    let statements: [SQLStatement]
    /// What is known of them beside their text.
    let context: StatementContext
    /// What is remembered of it.
    var known: StatementMemory.Known?

    init(
        _ bytes: [UInt8], _ statements: [SQLStatement], _ context: StatementContext, _ known: StatementMemory.Known
    ) {
        self.bytes = bytes
        self.statements = statements
        self.context = context
        self.known = known
    }

    init(_ bytes: [UInt8], _ words: StatementWords, hasParameters: Bool = false, isParsed: Bool = true) {
        self.bytes = bytes
        // All of it: what a long comment hides is read too, and cut only when it is kept.
        statements = SQLReader.statements(in: bytes, limit: .max)
        context = StatementContext(
            look: bytes.withUnsafeBufferPointer { words.look(at: $0) }, hasParameters: hasParameters,
            isParsed: isParsed)
    }

    /// A statement's text without its secrets.
    func redacted(_ range: Range<Int>) -> String {
        if let known, known.clear.contains(range) { return String(escaping: LongText.cut(Array(bytes[range]))) }
        let text = Array(bytes[range])
        let redacted = SQLReader.redacted(text)
        if redacted == text { known?.note(clear: range) }
        return String(escaping: LongText.cut(redacted))
    }

    /// What its statements are; nil for one that no pattern knows.
    func kinds(_ classifier: StatementClassifier) -> [EventKind?] {
        if let kinds = known?.kinds { return kinds }
        let kinds = statements.map { classifier.kind(of: $0, context) }
        known?.note(kinds: kinds)
        return kinds
    }

    /// Tells one text from another, whoever wrote it: the server, or pgaudit, which since version 17 leaves out blanks
    /// and `;` around a statement and everything behind the word PASSWORD.
    static func digest(_ text: some BidirectionalCollection<UInt8>) -> UInt64 {
        var digest = Digest64()
        let isBlank = { (byte: UInt8) in byte == 32 || (byte >= 9 && byte <= 13) || byte == 59 }
        let start = text.drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return digest.value }
        let body = start[...last]
        let end = passwordStart(in: body) ?? body.endIndex
        // A blank before the word may be missing where the rest was cut.
        let kept = body[..<end]
        guard let stop = kept.lastIndex(where: { !isBlank($0) }) else { return digest.value }
        digest.combine(kept[...stop])
        return digest.value
    }

    /// Where the word PASSWORD first stands, in any case of letters.
    private static func passwordStart<Text: Collection<UInt8>>(in text: Text) -> Text.Index? {
        let word = Array("password".utf8)
        var at = text.startIndex
        while let first = text[at...].firstIndex(where: { $0 | 32 == 112 }) {
            var index = first
            var matched = 0
            while matched < word.count, index < text.endIndex, text[index] | 32 == word[matched] {
                matched += 1
                index = text.index(after: index)
            }
            if matched == word.count { return first }
            at = text.index(after: first)
        }
        return nil
    }

    /// The text behind `NAME/PORTAL: `. The name is the client's and may hold a colon with other SQL behind it, so every
    /// place where the command of the server's own tag can start is looked at. The most severe reading counts, of equals
    /// the last: a name can make a statement look worse, never better.
    static func named(
        _ text: [UInt8], _ record: LogRecord, _ classifier: StatementClassifier, _ memory: StatementMemory? = nil
    ) -> StatementText {
        let tag = record.text(.commandTag) ?? ""
        let word = Array(tag.prefix { $0 != " " }.utf8)
        // While a statement is parsed or bound, the tag does not name its command.
        let isAny = tag == "PARSE" || tag == "BIND" || tag.isEmpty
        var best: (severity: Int, text: StatementText)?
        var tried = 0
        for colon in text.indices where text[colon] == 58 && tried < 256 {
            let sql = text[(colon + 1)...].drop { $0 == 32 || $0 == 10 || $0 == 9 || $0 == 13 }
            let isStart = isAny || sql.first == 47 || sql.first == 45 || StatementText.starts(sql, with: word)
            guard tried == 0 || isStart else { continue }
            tried += 1
            let hasParameters = !record.isEmpty(.detail)
            let found =
                memory?.text(Array(sql), classifier.words, hasParameters: hasParameters)
                ?? StatementText(Array(sql), classifier.words, hasParameters: hasParameters)
            let severity =
                found.kinds(classifier).map { $0?.severity.rank ?? -1 }.max() ?? -1
            if best.map({ severity >= $0.severity }) ?? true { best = (severity, found) }
        }
        return best?.text ?? StatementText([], classifier.words)
    }

    /// True when the text starts with a word, in any case of letters.
    private static func starts(_ text: ArraySlice<UInt8>, with word: [UInt8]) -> Bool {
        text.count >= word.count && zip(text, word).allSatisfy { $0 | 32 == $1 | 32 }
    }
}
