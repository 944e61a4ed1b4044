import Patterns
import VigilModel

/// Reads the records of an example and says which patterns they matched, too.
public struct ExampleReader {
    private var index: PatternIndex
    private var reader: EventReader
    private let catalogue: EventCatalogue
    private let classifier: StatementClassifier
    private let texts: TextFinder
    private var lines = LineGapTracker()
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
        classifier = StatementClassifier(catalogue.statements)
        texts = TextFinder(catalogue.texts)
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
            if case .statement(.logged) = index.patterns[match.pattern].effect, let template = index.template(of: match)
            {
                patterns += ids(in: record, template)
            }
        }
        if !record.isEmpty(.context) || !record.isEmpty(.query) {
            patterns +=
                texts.ids(of: record.content(.message), .message) + texts.ids(of: record.content(.detail), .message)
        }
        patterns += texts.ids(of: record.uncut(record.isEmpty(.query) ? .message : .query), .statement)
        reader.read(record)
        var gaps: [LineGap] = []
        lines.take(record, 0) { gaps.append($0) }
        for gap in gaps {
            patterns += catalogue.gaps.filter { $0.counter == gap.counter }.map(\.id)
            reader.note(gap, record)
        }
    }

    /// Ids of the patterns that the statements of a record match.
    private func ids(in record: LogRecord, _ template: MessageTemplate) -> [String] {
        let text = Array(record.uncut(.message)[template.prefix.count...])
        let sql =
            template.endsOpen
            ? StatementText(text, classifier.words, hasParameters: !record.isEmpty(.detail))
            : StatementText.named(text, record, classifier)
        return sql.statements.flatMap { classifier.ids(matching: $0, sql.context) }
    }

    /// Says that the example ends here.
    public mutating func finish() {
        reader.settle()
        events = reader.takeEvents()
        for event in events {
            for name in [event.actor.user, event.actor.database] {
                patterns += texts.ids(of: Array((name ?? "").utf8), .name)
            }
            patterns += texts.ids(of: Array((event.applicationName ?? "").utf8), .application)
        }
    }

    /// What a lone statement gives.
    public static func statement(
        _ sql: String, _ catalogue: EventCatalogue
    ) -> (events: [SecurityEvent], patterns: [String]) {
        let classifier = StatementClassifier(catalogue.statements)
        var events: [SecurityEvent] = []
        let bytes = Array(sql.utf8)
        var patterns = TextFinder(catalogue.texts).ids(of: bytes, .statement)
        let text = StatementText(bytes, classifier.words)
        for (number, statement) in text.statements.enumerated() {
            patterns += classifier.ids(matching: statement, text.context)
            guard let kind = classifier.kind(of: statement, text.context) else { continue }
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
