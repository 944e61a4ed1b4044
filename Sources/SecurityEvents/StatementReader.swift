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
    func events(_ record: LogRecord, template: MessageTemplate?, time: LogTime) -> [SecurityEvent] {
        guard let template else { return [] }
        let message = record.content(.message)
        let text = Array(message[template.prefix.count...])
        let (sql, statements) = template.endsOpen ? (text, SQLReader.statements(in: text)) : executed(text, record)
        var events: [SecurityEvent] = []
        for (ordinal, statement) in statements.enumerated() {
            guard let kind = kind(of: statement) else { continue }
            var event = EventBuilder.event(record, kind: kind, time: time, ordinal: ordinal, isStatement: true)
            let query = String(escaping: SQLReader.redacted(Array(sql[statement.range])))
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

    /// The text behind `execute NAME/PORTAL: `. The name is the client's and may hold a colon, even one with harmless
    /// SQL behind it, so the server's own command tag says where the statement starts.
    private func executed(_ text: [UInt8], _ record: LogRecord) -> ([UInt8], [SQLStatement]) {
        let tag = record.text(.commandTag) ?? ""
        var first: ([UInt8], [SQLStatement])?
        var from = 0
        for _ in 0..<16 {
            guard let colon = text[from...].firstIndex(of: 58), colon + 1 < text.count else { break }
            from = colon + 1
            guard text[from] == 32 else { continue }
            let sql = Array(text[(from + 1)...])
            let statements = SQLReader.statements(in: sql)
            if statements.first?.command == tag { return (sql, statements) }
            if first == nil { first = (sql, statements) }
        }
        return first ?? ([], [])
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
