import EventStore
import LogRecords
import Patterns
import SecurityEvents
import VigilModel

/// Reads the rows of one stream that come in the order of time: rows → records → events.
struct RecordStream {
    private let lines: VectorReader
    private var collector: Collector

    /// Where records go.
    private struct Collector: RecordConsumer {
        var events: EventReader
        var unread: [Unread] = []
        var textLines: Int64 = 0
        /// A row that is missing was lost or is late, and says nothing. But between rows that are all there, statements
        /// that pgaudit counted and nobody wrote do.
        var lines: LineGapTracker?

        mutating func take(_ records: RecordBatch) {
            events.read(records, gaps: lines?.take(records).filter { $0.counter == .audit } ?? [])
        }

        mutating func takeUnfinished(_ records: RecordBatch) { take(records) }
        mutating func skip(_ unread: Unread) { self.unread.append(unread) }
        mutating func pass(_ line: TextLine) { textLines += 1 }
    }

    /// `isWhole`: of its sessions, rows come in order.
    init(_ stream: VectorStream, timezone: String?, events: EventReader, isWhole: Bool) {
        lines = VectorReader(stream, timezone: timezone)
        collector = Collector(events: events, lines: isWhole ? LineGapTracker() : nil)
    }

    /// The time of the last record.
    var now: LogTime { collector.events.now }

    /// True when a login waits for what its session does next.
    var isHolding: Bool { collector.events.held != nil }

    mutating func read(_ row: VectorRow, offset: Int64) { lines.read(row, offset: offset, into: &collector) }

    /// Nothing that came so far waits for lines behind it.
    mutating func finish() { lines.finish(into: &collector) }

    /// Sessions that are coming in are in.
    mutating func settle() { collector.events.settle() }

    /// Moves what was found into an ingest; with `position`, what a later reading must know as well.
    mutating func take(into ingest: inout Ingest, position: (next: Int64, records: Int64)?) {
        if let position {
            let held = collector.events.held
            ingest.position = min(position.next, held?.offset ?? position.next)
            ingest.clock = held?.clock ?? now
            ingest.counted = position.next
            ingest.sessions = collector.events.takeSessions(from: ingest.position)
        }
        ingest.records += collector.events.records - (position?.records ?? 0)
        ingest.events += collector.events.takeEvents()
        ingest.evidence += collector.events.takeEvidence()
        ingest.hops += collector.events.takeHops()
        ingest.activity.merge(collector.events.takeActivity(), uniquingKeysWith: +)
        ingest.unread += collector.unread
        ingest.textLines += collector.textLines
        collector.unread = []
        collector.textLines = 0
    }

    /// Records read so far.
    var records: Int64 { collector.events.records }
}
