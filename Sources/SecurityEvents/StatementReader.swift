import Patterns
import VigilModel

/// What the statements of a record mean: one event for each that a pattern knows.
struct StatementReader: Sendable {
    private let patterns: [StatementPattern]

    init(_ patterns: [StatementPattern]) { self.patterns = patterns }

    /// The events of a `statement:` or `execute …:` record.
    func events(_ record: LogRecord, condition: RecordCondition, time: LogTime) -> [SecurityEvent] {
        guard let template = condition.template(of: record) else { return [] }
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
        let shape = Array(statement.shape.utf8)
        var best: EventKind?
        var tags: Set<String> = []
        for pattern in patterns where pattern.matches(command: statement.command, shape: shape) {
            tags.formUnion(pattern.kind.tags)
            if best.map({ pattern.kind.severity >= $0.severity }) ?? true { best = pattern.kind }
        }
        best?.tags = tags.sorted()
        return best
    }
}

extension StatementReader {
    /// Every pattern that fits, for `patterns check`.
    func matching(_ statement: SQLStatement) -> [String] {
        let shape = Array(statement.shape.utf8)
        return patterns.filter { $0.matches(command: statement.command, shape: shape) }.map(\.id)
    }
}
