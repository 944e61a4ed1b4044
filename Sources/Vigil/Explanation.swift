import LogRecords
import Patterns
import SecurityEvents
import VigilModel

/// What is said of one record.
public typealias RecordReport = RecordExplanation

/// Says of each record of some bytes how it is read and what follows from it.
public struct Explanation {
    /// The format that was found or given; nil when none fits.
    public let format: String?
    /// The records in order.
    public let records: [RecordExplanation]
    /// Bytes that should have been a record.
    public let unread: [Unread]
    /// Lines that are no records.
    public let textLines: Int
    private let rules: [Rule]
    private let publicNetworks: Set<EventMatch.Network>

    /// Reads bytes of one format. Throws what is wrong with the catalogue.
    public init(_ bytes: [UInt8], format: String?, prefix: String?, configuration: Configuration) throws {
        let catalogue = try configuration.catalogue()
        rules = catalogue.rules
        publicNetworks = configuration.publicNetworks
        let head = Array(bytes.prefix(LogFormat.sniffLength))
        // Lines cut out of a log may start in the middle of a record.
        let found =
            format.flatMap(LogFormat.init) ?? LogFormat.detect(head, path: "") ?? LogFormat.detect(head, path: ".csv")
        self.format = found?.rawValue
        guard let found else {
            (records, unread, textLines) = (
                [], [Unread(offset: 0, length: Int64(bytes.count), reason: LogFormat.describe(head))], 0
            )
            return
        }
        let reader = found.reader(ReadingFacts(timezone: nil, prefix: prefix, head: head))
        var collector = Collector(explainer: Explainer(catalogue.events))
        reader.read(bytes, into: &collector)
        records = collector.explainer.finish()
        unread = collector.unread
        textLines = collector.textLines
    }

    /// Ids of the rules that look at an event.
    public func rules(for event: SecurityEvent) -> [String] {
        let seen = DetectionEvent(event, seq: 0)
        return rules.filter { rule in
            rule.enabled
                && rule.matches.contains { $0.matches(seen, publicNetworks: publicNetworks) }
                && !rule.except.contains { $0.match.matches(seen, publicNetworks: publicNetworks) }
        }.map(\.about.id)
    }

    private struct Collector: RecordConsumer {
        var explainer: Explainer
        var unread: [Unread] = []
        var textLines = 0

        mutating func take(_ records: RecordBatch) { explainer.read(records) }
        mutating func takeUnfinished(_ records: RecordBatch) { explainer.read(records) }
        mutating func skip(_ unread: Unread) { self.unread.append(unread) }
        mutating func pass(_ line: TextLine) { textLines += 1 }
    }
}
