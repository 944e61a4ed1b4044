import Patterns
import VigilModel

/// What the statements of a record mean: one event for each that a pattern knows.
final class StatementReader {
    private let patterns: [StatementPattern]
    /// Numbers of the patterns that name a command, for the commands seen so far.
    private var byCommand: [String: [Int]] = [:]
    /// Kinds made of several patterns, by the numbers of these: equal ones are one.
    private var combined: [[Int]: EventKind] = [:]

    init(_ patterns: [StatementPattern]) { self.patterns = patterns }

    /// The events of a `statement:` or `execute …:` record.
    func events(
        _ record: LogRecord, template: MessageTemplate?, time: LogTime, repeated: Int64? = nil
    ) -> [SecurityEvent] {
        guard let template else { return [] }
        // All of it: what a long comment hides is read too, and cut only when it is kept.
        let text = Array(record.uncut(.message)[template.prefix.count...])
        let (sql, statements) =
            template.endsOpen ? (text, SQLReader.statements(in: text, limit: .max)) : executed(text, record)
        var events: [SecurityEvent] = []
        for (ordinal, statement) in statements.enumerated() {
            guard let kind = kind(of: statement) else { continue }
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

    /// The text behind `execute NAME/PORTAL: `. The name is the client's and may hold a colon with other SQL behind it,
    /// so every place where the command of the server's own tag can start is looked at. The most severe reading
    /// counts, of equals the last: a name can make a statement look worse, never better.
    private func executed(_ text: [UInt8], _ record: LogRecord) -> ([UInt8], [SQLStatement]) {
        let word = Array((record.text(.commandTag) ?? "").prefix { $0 != " " }.utf8)
        var best: (severity: Int, text: [UInt8], statements: [SQLStatement])?
        var tried = 0
        for colon in text.indices where text[colon] == 58 && tried < 256 {
            let sql = text[(colon + 1)...].drop { $0 == 32 || $0 == 10 || $0 == 9 || $0 == 13 }
            let isStart = sql.first == 47 || sql.first == 45 || StatementReader.starts(sql, with: word)
            guard tried == 0 || isStart else { continue }
            tried += 1
            let statements = SQLReader.statements(in: Array(sql), limit: .max)
            let severity = statements.map { kind(of: $0)?.severity.rank ?? -1 }.max() ?? -1
            if best.map({ severity >= $0.severity }) ?? true { best = (severity, Array(sql), statements) }
        }
        return best.map { ($0.text, $0.statements) } ?? ([], [])
    }

    /// True when the text starts with a word, in any case of letters.
    private static func starts(_ text: ArraySlice<UInt8>, with word: [UInt8]) -> Bool {
        text.count >= word.count && zip(text, word).allSatisfy { $0 | 32 == $1 | 32 }
    }

    /// What a statement is: the most severe of the patterns that fit names it, of equals the last; all of them tag it.
    func kind(of statement: SQLStatement) -> EventKind? {
        let numbers = matching(statement)
        guard let first = numbers.first else { return nil }
        if numbers.count == 1 { return patterns[first].kind }
        if let known = combined[numbers] { return known }
        var best = patterns[first].kind
        for number in numbers where patterns[number].kind.severity >= best.severity { best = patterns[number].kind }
        let kind = best.tagged(numbers.reduce(into: []) { $0.formUnion(patterns[$1].kind.tags) })
        combined[numbers] = kind
        return kind
    }

    /// Numbers of the patterns that fit.
    private func matching(_ statement: SQLStatement) -> [Int] {
        let named = named(statement.command)
        if named.isEmpty { return [] }
        let shape = Array(statement.shape.utf8)
        return named.filter { patterns[$0].shape?.match(shape) ?? true }
    }

    private func named(_ command: String) -> [Int] {
        if let known = byCommand[command] { return known }
        let found = patterns.indices.filter { patterns[$0].isMeant(command: command) }
        byCommand[command] = found
        return found
    }

    /// Ids of the patterns that fit.
    func ids(matching statement: SQLStatement) -> [String] { matching(statement).map { patterns[$0].id } }
}
