import EventStore
import LogRecords
import LogSources
import Patterns
import SecurityEvents
import VigilModel

/// Reads one source from its position: bytes → records → events, gathered until they are taken for a commit.
final class SourceReader {
    let file: LogFile
    let state: SourceState
    private let records: any RecordReader
    private var collector: Collector
    private let span: TimeSpan
    /// Records and bytes handed to earlier commits.
    private var committedRecords: Int64 = 0
    /// Bytes taken from the file by this reader.
    private(set) var bytesRead: Int64 = 0
    private var headLength: Int

    /// Only events of this time are kept; a reading of a part moves no position.
    struct TimeSpan {
        var since = LogTime.distantPast
        var until = LogTime.distantFuture

        var isWhole: Bool { since == .distantPast && until == .distantFuture }
        func contains(_ time: LogTime) -> Bool { since <= time && time < until }
    }

    /// Where records and unread bytes go.
    private struct Collector: RecordConsumer {
        var events: EventReader
        var unread: [Unread] = []
        var textLines: Int64 = 0
        let countFrom: Int64

        mutating func take(_ records: RecordBatch) { events.read(records) }

        // It is read again when its line feed has come, so it must not be counted now.
        mutating func takeUnfinished(_ records: RecordBatch) { events.read(records, isCounted: false) }

        mutating func skip(_ unread: Unread) {
            guard unread.offset >= countFrom else { return }
            self.unread.append(unread)
        }

        mutating func pass(_ line: TextLine) {
            if line.offset >= countFrom { textLines += 1 }
        }
    }

    init(
        file: LogFile, format: LogFormat, about: ReadingFacts, state: SourceState, catalogue: EventCatalogue,
        span: TimeSpan = TimeSpan()
    ) {
        self.file = file
        self.state = state
        self.span = span
        headLength = state.headLength
        let start = span.isWhole ? state.position : 0
        file.seek(to: start)
        var about = about
        about.clock = span.isWhole ? state.clock : .distantPast
        records = format.reader(offset: start, about)
        collector = Collector(
            events: EventReader(
                catalogue: catalogue, clock: span.isWhole ? state.clock : .distantPast, countFrom: state.counted),
            countFrom: state.counted)
    }

    /// The source's time.
    var now: LogTime { collector.events.now }

    /// True when a login waits for what its session does next.
    var isHolding: Bool { collector.events.held != nil }

    /// True when something was read or decided since the last commit.
    var hasNews: Bool {
        !collector.events.events.isEmpty || collector.events.records > committedRecords || !collector.unread.isEmpty
            || collector.textLines > 0
    }

    /// How many events wait for a commit.
    var eventCount: Int { collector.events.events.count }

    var clockSteps: Int { collector.events.clockSteps }
    var unknownZones: Set<String> { records.unknownZones }

    /// Reads one buffer full; false at the end of what is there.
    func step() throws -> Bool {
        let count = try records.fill { try file.read(into: $0) }
        bytesRead += Int64(count)
        records.drain(into: &collector, atEnd: false)
        return count > 0
    }

    /// Says that no more bytes will come.
    func finish() {
        records.drain(into: &collector, atEnd: true)
        collector.events.settle()
    }

    /// Says that the log has been quiet for two seconds: sessions that are coming in are in.
    func settle() {
        records.settle(into: &collector)
        collector.events.settle()
    }

    /// What was read since the last time, for a commit.
    func takeIngest() throws -> Ingest {
        let read = records.position
        let held = collector.events.held
        var ingest = Ingest(
            source: state.id, position: min(read, held?.offset ?? read), clock: held?.clock ?? now, counted: read)
        ingest.events = collector.events.takeEvents()
        ingest.records = collector.events.records - committedRecords
        committedRecords = collector.events.records
        ingest.unread = collector.unread.map { span in
            var span = span
            span.isPending = span.offset >= read
            return span
        }
        collector.unread = []
        ingest.textLines = collector.textLines
        collector.textLines = 0
        let activity = collector.events.takeActivity()
        guard span.isWhole else {
            ingest.events = ingest.events.filter { span.contains($0.time) }
            ingest.position = state.position
            ingest.clock = state.clock
            ingest.counted = state.counted
            return ingest
        }
        ingest.activity = activity
        // A file that was shorter than a fingerprint when it was opened.
        if headLength < FileIdentity.headLength, file.isRegular {
            let head = try file.head(FileIdentity.headLength)
            if head.count > headLength {
                headLength = head.count
                ingest.head = (head.count, Fingerprint.sha256(head))
            }
        }
        return ingest
    }
}
