import LogRecords
import VigilModel

/// When a log begins: files that belong together are read in this order, whatever their names are, since sessions go
/// on from one to the next (`postgresql-Sat.csv` comes before `postgresql-Mon.csv`, `patroni.log.1` before
/// `patroni.log`).
enum LogStart {
    /// The time of the first record in a file's head; nil when there is none.
    static func time(_ format: LogFormat, _ facts: ReadingFacts) -> LogTime? {
        let reader = format.reader(offset: 0, facts)
        var first = First()
        reader.read(facts.head, into: &first)
        return first.time
    }

    private struct First: RecordConsumer {
        var time: LogTime?

        mutating func take(_ records: RecordBatch) {
            if time == nil, records.count > 0 { time = records[0].time }
        }
        mutating func takeUnfinished(_ records: RecordBatch) { take(records) }
        mutating func skip(_ unread: Unread) {}
        mutating func pass(_ line: TextLine) {}
    }
}
