import Patterns
import VigilModel

/// How a record was read and what became of it.
public struct RecordExplanation: Sendable {
    /// A pattern and where it stands.
    public struct Named: Sendable {
        /// Its id.
        public let id: String
        /// File and line.
        public let place: String
        /// What it recognises.
        public let description: String
    }

    /// Where the record starts.
    public let offset: Int64
    /// When, in UTC.
    public let time: LogTime
    /// Whose record it is.
    public let dataset: LogDataset
    /// Its columns that are not empty, by the names of csvlog.
    public let columns: [(name: String, value: String)]
    /// The pattern that decides.
    public let pattern: Named?
    /// When none does: the nearest ones, and why they do not.
    public let nearest: [(pattern: Named, reason: String)]
    /// Statements in the record and the statement patterns that fit each.
    public let statements: [(command: String, shape: String, patterns: [String])]
    /// The events that start with this record.
    public internal(set) var events: [SecurityEvent] = []
    /// Records of events that started before.
    public internal(set) var evidence: [EventEvidence] = []
}

/// Explains records, as `pgvigil explain` shows it.
public struct Explainer {
    private let catalogue: EventCatalogue
    private var index: PatternIndex
    private var reader: EventReader
    private let scratch = Regex.Scratch()
    private let classifier: StatementClassifier
    private var explanations: [RecordExplanation] = []

    /// Takes the catalogue.
    public init(_ catalogue: EventCatalogue) {
        self.catalogue = catalogue
        index = PatternIndex(catalogue.patterns.filter { $0.condition.dataset == .postgresql })
        reader = EventReader(catalogue: catalogue)
        classifier = StatementClassifier(catalogue.statements)
    }

    /// Reads records.
    public mutating func read(_ records: RecordBatch) {
        for number in 0..<records.count { explain(records[number]) }
        reader.read(records)
    }

    /// Says that no more records come; gives what there is to say, in the order of the records.
    public mutating func finish() -> [RecordExplanation] {
        reader.settle()
        let events = Dictionary(grouping: reader.takeEvents(), by: \.offset)
        let evidence = Dictionary(grouping: reader.takeEvidence(), by: \.offset)
        return explanations.map { explanation in
            var explanation = explanation
            explanation.events = events[explanation.offset] ?? []
            explanation.evidence = evidence[explanation.offset] ?? []
            return explanation
        }
    }

    private mutating func explain(_ record: LogRecord) {
        let pattern = pattern(of: record)
        explanations.append(
            RecordExplanation(
                offset: record.offset, time: record.time, dataset: record.dataset, columns: RecordText.columns(record),
                pattern: pattern.map(named), nearest: pattern == nil ? nearest(to: record) : [],
                statements: statements(in: record, pattern)))
    }

    private mutating func pattern(of record: LogRecord) -> EventPattern? {
        guard record.dataset == .postgresql else {
            return catalogue.patterns.first {
                $0.condition.dataset == record.dataset && EventBuilder.found(record, ifMeant: $0, scratch) != nil
            }
        }
        return index.match(record, state: record.head(.sqlState)).map { index.patterns[$0.pattern] }
    }

    private func named(_ pattern: EventPattern) -> RecordExplanation.Named {
        RecordExplanation.Named(id: pattern.id, place: pattern.place, description: pattern.description)
    }

    /// The patterns of which most conditions hold.
    private func nearest(to record: LogRecord) -> [(pattern: RecordExplanation.Named, reason: String)] {
        let misses = catalogue.patterns.compactMap { pattern in
            pattern.mismatch(record).map { (pattern: pattern, held: $0.held, reason: $0.reason) }
        }
        return misses.enumerated().filter { $0.element.held > 1 }
            .sorted { ($1.element.held, $0.offset) < ($0.element.held, $1.offset) }
            .prefix(3).map { (named($0.element.pattern), $0.element.reason) }
    }

    private func statements(
        in record: LogRecord, _ pattern: EventPattern?
    ) -> [(command: String, shape: String, patterns: [String])] {
        guard let text = text(of: record, pattern) else { return [] }
        let isParsed = !record.equals(.sqlState, Array("42601".utf8))
        let sql = StatementText(text, classifier.words, hasParameters: !record.isEmpty(.detail), isParsed: isParsed)
        return sql.statements.prefix(20).map {
            ($0.command, $0.shape, classifier.ids(matching: $0, sql.context))
        }
    }

    /// The SQL that a record carries.
    private func text(of record: LogRecord, _ pattern: EventPattern?) -> [UInt8]? {
        if case .statement(let carrier)? = pattern?.effect {
            let message = record.uncut(.message)
            if carrier == .audited { return AuditRecord(message)?.statement }
            guard carrier != .ended, let colon = message.firstIndex(of: 58) else { return nil }
            // Behind the verb, and behind a duration's verb.
            let start = carrier == .timed ? message[(colon + 1)...].firstIndex(of: 58) ?? colon : colon
            return Array(message[(start + 1)...])
        }
        return record.isEmpty(.query) ? nil : record.uncut(.query)
    }
}
