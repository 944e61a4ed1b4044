import Patterns
import VigilModel

/// What the statements of a record mean: one event for each that a pattern knows.
final class StatementReader {
    private let patterns: [StatementPattern]
    /// Numbers of the patterns that name a command, for the commands seen so far.
    private var byCommand: [String: [Int]] = [:]
    /// Kinds made of several patterns, by the numbers of these: equal ones are one.
    private var combined: [[Int]: EventKind] = [:]
    private let words: StatementWords
    private let asksForWords: [Bool]
    private let scratch = Regex.Scratch()

    init(_ patterns: [StatementPattern]) {
        self.patterns = patterns
        words = StatementWords(patterns)
        asksForWords = patterns.map { !$0.firstLook.isEmpty }
    }

    /// The events of a `statement:` or `execute …:` record.
    func events(
        _ record: LogRecord, template: MessageTemplate?, time: LogTime, repeated: Int64? = nil
    ) -> [SecurityEvent] {
        guard let (sql, statements, context) = read(record, template) else { return [] }
        var events: [SecurityEvent] = []
        for (ordinal, statement) in statements.enumerated() {
            guard let kind = kind(of: statement, context) else { continue }
            var event = EventBuilder.event(
                record, kind: kind, time: time, repeated: repeated, ordinal: ordinal, keepsMessage: false)
            let query = String(escaping: LongText.cut(SQLReader.redacted(Array(sql[statement.range]))))
            event.query = query
            event.message = query
            event.operation = statement.command
            event.objectName = statement.objectName
            event.objectType = statement.objectType
            event.targetUser = statement.targetRole
            events.append(event)
        }
        return events
    }

    /// The statements of a record; nil when surely none is a pattern's.
    private func read(
        _ record: LogRecord, _ template: MessageTemplate?
    ) -> (sql: [UInt8], statements: [SQLStatement], context: StatementContext)? {
        guard let template, let context = look(at: record, template) else { return nil }
        // All of it: what a long comment hides is read too, and cut only when it is kept.
        let text = Array(record.uncut(.message)[template.prefix.count...])
        if template.endsOpen { return (text, SQLReader.statements(in: text, limit: .max), context) }
        let (sql, statements) = executed(text, record, context)
        return (sql, statements, context)
    }

    /// Looks at a record's statements where they stand, before anything is copied; nil when surely no pattern fits.
    private func look(at record: LogRecord, _ template: MessageTemplate) -> StatementContext? {
        let look = record.withContent(.message) { raw in
            words.look(at: UnsafeBufferPointer(rebasing: raw[min(template.quotedPrefix.count, raw.count)...]))
        }
        // A name stands before the SQL of `execute`, but the tag is the server's.
        let verb = template.endsOpen ? nil : record.withContent(.commandTag) { StatementWords.hash(tag: $0) }
        let hasParameters = !record.isEmpty(.detail)
        guard words.mayFit(look, verb: verb, hasParameters: hasParameters) else { return nil }
        return StatementContext(look: look, hasParameters: hasParameters)
    }

    /// The text behind `execute NAME/PORTAL: `. The name is the client's and may hold a colon with other SQL behind it,
    /// so every place where the command of the server's own tag can start is looked at. The most severe reading
    /// counts, of equals the last: a name can make a statement look worse, never better.
    private func executed(
        _ text: [UInt8], _ record: LogRecord, _ context: StatementContext
    ) -> ([UInt8], [SQLStatement]) {
        let word = Array((record.text(.commandTag) ?? "").prefix { $0 != " " }.utf8)
        var best: (severity: Int, text: [UInt8], statements: [SQLStatement])?
        var tried = 0
        for colon in text.indices where text[colon] == 58 && tried < 256 {
            let sql = text[(colon + 1)...].drop { $0 == 32 || $0 == 10 || $0 == 9 || $0 == 13 }
            let isStart = sql.first == 47 || sql.first == 45 || StatementReader.starts(sql, with: word)
            guard tried == 0 || isStart else { continue }
            tried += 1
            let statements = SQLReader.statements(in: Array(sql), limit: .max)
            let severity = statements.map { kind(of: $0, context)?.severity.rank ?? -1 }.max() ?? -1
            if best.map({ severity >= $0.severity }) ?? true { best = (severity, Array(sql), statements) }
        }
        return best.map { ($0.text, $0.statements) } ?? ([], [])
    }

    /// True when the text starts with a word, in any case of letters.
    private static func starts(_ text: ArraySlice<UInt8>, with word: [UInt8]) -> Bool {
        text.count >= word.count && zip(text, word).allSatisfy { $0 | 32 == $1 | 32 }
    }

    /// What a statement is: the most severe of the patterns that fit names it, of equals the last; all of them tag it.
    func kind(of statement: SQLStatement, _ context: StatementContext) -> EventKind? {
        let numbers = matching(statement, context)
        guard let first = numbers.first else { return nil }
        if numbers.count == 1 { return patterns[first].kind }
        if let known = combined[numbers] { return known }
        var best = patterns[first].kind
        for number in numbers where patterns[number].kind.severity >= best.severity { best = patterns[number].kind }
        let kind = best.tagged(numbers.reduce(into: []) { $0.formUnion(patterns[$1].kind.tags) })
        combined[numbers] = kind
        return kind
    }

    /// Ids of the patterns that fit.
    func ids(matching statement: SQLStatement, _ context: StatementContext) -> [String] {
        matching(statement, context).map { patterns[$0].id }
    }

    /// Ids of the patterns that fit the statements of a record.
    func ids(matching record: LogRecord, _ template: MessageTemplate?) -> [String] {
        guard let (_, statements, context) = read(record, template) else { return [] }
        return statements.flatMap { ids(matching: $0, context) }
    }

    /// What is known of a text that no record gave.
    func context(of text: [UInt8]) -> StatementContext {
        StatementContext(look: text.withUnsafeBufferPointer { words.look(at: $0) }, hasParameters: false)
    }

    /// Numbers of the patterns that fit the statement, or one in its body, in order.
    private func matching(_ statement: SQLStatement, _ context: StatementContext) -> [Int] {
        let own = numbers(fitting: statement, context)
        var inner: Set<Int> = []
        for part in SQLBlock.statements(in: statement) { inner.formUnion(numbers(fitting: part, context)) }
        if statement.command != "DO" {
            // What a new function would do counts only where it must not be overlooked.
            inner = inner.filter { patterns[$0].kind.severity >= .high }
        }
        return inner.isEmpty ? own : inner.union(own).sorted()
    }

    private func numbers(fitting statement: SQLStatement, _ context: StatementContext) -> [Int] {
        var reading = StatementReading(statement: statement, context: context, scratch: scratch)
        return named(statement.command).filter { number in
            let pattern = patterns[number]
            return (!asksForWords[number] || context.look.allows(number)) && reading.fits(pattern)
        }
    }

    private func named(_ command: String) -> [Int] {
        if let known = byCommand[command] { return known }
        let found = patterns.indices.filter { patterns[$0].isMeant(command: command) }
        byCommand[command] = found
        return found
    }
}

/// What is known of a statement beside its own text.
struct StatementContext {
    /// The words of the text that it stands in.
    let look: StatementWords.Look
    /// The values of its parameters stand in the log.
    let hasParameters: Bool
}

/// Reads of a statement what patterns ask for, each thing once.
private struct StatementReading {
    let statement: SQLStatement
    let context: StatementContext
    let scratch: Regex.Scratch
    private lazy var shape = statement.shapeBytes
    private lazy var object = Array("\(statement.objectType ?? "") \(statement.objectName ?? "")".utf8)
    private lazy var secrets = statement.secrets

    init(statement: SQLStatement, context: StatementContext, scratch: Regex.Scratch) {
        self.statement = statement
        self.context = context
        self.scratch = scratch
    }

    mutating func fits(_ pattern: StatementPattern) -> Bool {
        if pattern.needsParameters, !context.hasParameters { return false }
        if !pattern.calls.isEmpty, !statement.calls(pattern.calls) { return false }
        if !pattern.names.isEmpty, !statement.names(pattern.names) { return false }
        if let regex = pattern.object, !regex.match(object, scratch) { return false }
        if let regex = pattern.shape, !regex.match(shape, scratch) { return false }
        if let regex = pattern.literal, !statement.hasConstant(where: { regex.match($0, scratch) }) { return false }
        if let kind = pattern.secret.flatMap(SQLSecretKind.init), !secrets.contains(kind) { return false }
        return true
    }
}
