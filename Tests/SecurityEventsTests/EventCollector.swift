import LogRecords
import SecurityEvents
import Testing
import VigilModel

/// Hands records to an event reader; bytes that are no record fail the test.
struct EventCollector: RecordConsumer {
    var reader: EventReader
    mutating func take(_ records: RecordBatch) { reader.read(records) }
    mutating func takeUnfinished(_ records: RecordBatch) { reader.read(records) }
    mutating func skip(_ unread: Unread) { Issue.record("unread: \(unread.reason)") }
    mutating func pass(_ line: TextLine) {}
}
