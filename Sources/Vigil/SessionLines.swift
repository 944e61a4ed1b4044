import EventStore
import LogRecords
import LogSources
import SecurityEvents
import VigilModel

/// The last line of each session of a file where reading goes on: as it was kept some bytes before, and brought up to
/// date by reading these once more. So an interrupted reading finds the same missing lines as one that was not.
enum SessionLines {
    /// Bytes after which they are kept again.
    static let span: Int64 = 16 << 20

    /// What is known before an offset, and where it was kept; nil when the file's records are not numbered, or it is no
    /// file: who pipes records through other programs takes some out.
    static func before(
        _ start: Int64, of file: LogFile, _ format: LogFormat, _ about: ReadingFacts, _ state: SourceState
    ) -> (tracker: LineGapTracker, saved: Int64)? {
        guard file.isRegular, format == .csvlog || format == .jsonlog else { return nil }
        guard start > 0 else { return (LineGapTracker(), 0) }
        let saved = state.lines.flatMap { $0.offset <= state.counted ? $0 : nil }
        var feeder = Feeder(tracker: LineGapTracker(), end: state.counted)
        if let saved { feeder.tracker.restore(saved.state) }
        if !feeder.read(file, format, about, from: saved?.offset ?? 0) { feeder.tracker = LineGapTracker() }
        feeder.tracker.resume(at: state.counted)
        return (feeder.tracker, saved?.offset ?? 0)
    }

    /// Reads records for nothing but their numbers.
    private struct Feeder: RecordConsumer {
        var tracker: LineGapTracker
        let end: Int64
        var isDone = false

        /// False when the file could not be read.
        mutating func read(_ file: LogFile, _ format: LogFormat, _ about: ReadingFacts, from start: Int64) -> Bool {
            guard start < end else { return true }
            file.seek(to: start)
            let reader = format.reader(offset: start, about)
            do {
                while !isDone, reader.position < end {
                    guard try reader.fill({ try file.read(into: $0) }) > 0 else { break }
                    reader.drain(into: &self, atEnd: false)
                }
                return true
            } catch { return false }
        }

        mutating func take(_ records: RecordBatch) {
            for number in 0..<records.count {
                guard records.offset(of: number) < end else {
                    isDone = true
                    return
                }
                tracker.take(records[number])
            }
        }

        mutating func takeUnfinished(_ records: RecordBatch) {}
        mutating func skip(_ unread: Unread) { if unread.offset < end { tracker.lose(at: unread.offset) } }
        mutating func pass(_ line: TextLine) { if line.offset < end { tracker.lose(at: line.offset) } }
    }
}
