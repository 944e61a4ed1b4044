import Patterns
import VigilModel

/// Reads the records of an example and says which patterns they matched, too.
public struct ExampleReader {
    private var index: PatternIndex
    private var reader: EventReader
    private let catalogue: EventCatalogue
    private let statements: StatementReader
    private let scratch = Regex.Scratch()
    /// Ids of the patterns that matched, in order.
    public private(set) var patterns: [String] = []
    /// What the records give.
    public private(set) var events: [SecurityEvent] = []

    /// Takes the catalogue.
    public init(_ catalogue: EventCatalogue) {
        self.catalogue = catalogue
        index = PatternIndex(catalogue.patterns.filter { $0.condition.dataset == .postgresql })
        reader = EventReader(catalogue: catalogue)
        statements = StatementReader(catalogue.statements)
    }

    /// Reads one record of a batch that was read by nobody else.
    public mutating func read(_ record: LogRecord, _ batch: RecordBatch) {
        if record.dataset != .postgresql {
            let match = catalogue.patterns.first {
                $0.condition.dataset == record.dataset && EventBuilder.found(record, ifMeant: $0, scratch) != nil
            }
            if let match { patterns.append(match.id) }
        } else if let match = index.match(record, state: record.head(.sqlState)) {
            patterns.append(index.patterns[match.pattern].id)
            if case .statement = index.patterns[match.pattern].effect {
                patterns += statements.ids(matching: record, index.template(of: match))
            }
        }
        reader.read(record)
    }

    /// Says that the example ends here.
    public mutating func finish() {
        reader.settle()
        events = reader.takeEvents()
    }

    /// What a lone statement gives.
    public static func statement(
        _ sql: String, _ catalogue: EventCatalogue
    ) -> (events: [SecurityEvent], patterns: [String]) {
        let reader = StatementReader(catalogue.statements)
        var events: [SecurityEvent] = []
        var patterns: [String] = []
        let context = reader.context(of: Array(sql.utf8))
        for (number, statement) in SQLReader.statements(in: Array(sql.utf8)).enumerated() {
            patterns += reader.ids(matching: statement, context)
            guard let kind = reader.kind(of: statement, context) else { continue }
            var event = SecurityEvent(
                identity: EventIdentity(origin: "", line: 0, hash: 0, ordinal: number),
                time: LogTime(milliseconds: 0), kind: kind,
                actor: EventActor(address: nil, user: nil, database: nil))
            event.operation = statement.command
            event.objectName = statement.objectName
            event.objectType = statement.objectType
            event.targetUser = statement.targetRole
            events.append(event)
        }
        return (events, patterns)
    }
}
