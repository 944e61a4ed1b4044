import EventStore
import Foundation
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
    private var countedBytes: Int64 = 0
    private var headLength: Int
    private let ahead: ReadAhead?
    /// Cuts records on another thread; nil when that has come to the end, and this one reads by itself.
    private var cutter: RecordsAhead?
    /// Where reading is, as far as the cutter's records were taken.
    private var reached: (position: Int64, consumed: Int64)
    /// Where the last lines of sessions were kept last.
    private var savedLines: Int64 = 0
    private var isFinished = false
    /// Bytes on the disk, once an archive has been read to its end and every record in it was whole.
    private var packed: Int64?

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
        /// Finds records that are missing; nil for formats whose records are not numbered, and for what is no file.
        var lines: LineGapTracker?
        let countFrom: Int64

        mutating func take(_ records: RecordBatch) { events.read(records, gaps: lines?.take(records) ?? []) }

        mutating func take(_ portion: RecordsAhead.Portion) {
            for item in portion.items {
                switch item {
                case .records(let records, let looks):
                    events.read(records, looks: looks, gaps: lines?.take(records) ?? [])
                case .unfinished(let records): takeUnfinished(records)
                case .unread(let span): skip(span)
                case .text(let line): pass(line)
                }
            }
        }

        // It is read again when its line feed has come, so it must not be counted now.
        mutating func takeUnfinished(_ records: RecordBatch) { events.read(records, isCounted: false) }

        mutating func skip(_ unread: Unread) {
            lines?.lose(at: unread.offset)
            guard unread.offset >= countFrom else { return }
            self.unread.append(unread)
        }

        mutating func pass(_ line: TextLine) {
            lines?.lose(at: line.offset)
            if line.offset >= countFrom { textLines += 1 }
        }
    }

    init(
        file: LogFile, format: LogFormat, about: ReadingFacts, state: SourceState, catalogue: EventCatalogue,
        span: TimeSpan = TimeSpan(), readsAhead: Bool = false, cutsAhead: Bool = false
    ) {
        self.file = file
        self.state = state
        self.span = span
        headLength = state.headLength
        let start = span.isWhole ? state.position : 0
        let lines = SessionLines.before(start, of: file, format, about, state)
        file.seek(to: start)
        var about = about
        about.clock = span.isWhole ? state.clock : .distantPast
        ahead = readsAhead && file.isArchive ? ReadAhead(file) : nil
        about.wanted = catalogue.messageHeads(of: .pgbouncer, severity: "LOG")
        records = format.reader(offset: start, about)
        collector = Collector(
            events: EventReader(
                catalogue: catalogue, clock: span.isWhole ? state.clock : .distantPast, countFrom: state.counted,
                // A copy is read from its start: of it, nothing is known to be stored.
                storedBefore: span.isWhole && start > 0 && state.counted < .max ? state.counted : 0,
                sessions: span.isWhole ? state.sessions : [], recent: span.isWhole ? state.recent : []),
            lines: lines?.tracker, countFrom: state.counted)
        // Who pipes a log through other programs may leave much of it out.
        if file.isRegular, span.isWhole {
            collector.events.rhythm = state.rhythm.flatMap { LogRhythm(text: $0) } ?? LogRhythm()
        }
        savedLines = lines?.saved ?? 0
        reached = (start, 0)
        if cutsAhead { cutter = RecordsAhead(records, of: file, ahead, catalogue) }
    }

    /// The source's time.
    var now: LogTime { collector.events.now }

    /// True when a login waits for what its session does next.
    var isHolding: Bool { collector.events.held != nil }

    /// When what was read was last taken for a commit.
    private(set) var takenAt = ContinuousClock.now

    /// True when something was read or decided since the last commit.
    var hasNews: Bool { hasFindings || collector.events.records > committedRecords || collector.textLines > 0 }

    /// True when there is something of which the store should hear at once.
    var hasFindings: Bool {
        !collector.events.events.isEmpty || collector.events.hasEvidence || !collector.unread.isEmpty
    }

    /// How many rows wait for a commit.
    var rows: Int { collector.events.found }

    var clockSteps: Int { collector.events.clockSteps }
    var unknownZones: Set<String> { records.unknownZones }

    /// Bytes taken from the file since this was asked last.
    func takeBytes() -> Int64 {
        defer { countedBytes = bytesRead }
        return bytesRead - countedBytes
    }

    /// Reads one buffer full; false at the end of what is there.
    func step() throws -> Bool {
        if let cutter { return try take(cutter.next()) }
        let count = try records.fill { try ahead?.read(into: $0) ?? file.read(into: $0) }
        bytesRead += Int64(count)
        records.drain(into: &collector, atEnd: false)
        return count > 0
    }

    /// Takes what another thread has cut.
    private func take(_ portion: RecordsAhead.Portion) throws -> Bool {
        if portion.isLast { cutter = nil }
        collector.take(portion)
        bytesRead += Int64(portion.bytes)
        reached = (portion.position, portion.consumed)
        if let problem = portion.problem { throw problem }
        return portion.bytes > 0
    }

    /// Where reading can go on.
    private var position: Int64 { cutter == nil ? records.position : reached.position }

    /// Bytes of the file on the disk that reading has come past.
    var consumed: Int64 { cutter == nil ? ahead?.consumed ?? file.consumed : reached.consumed }

    /// Says that no more bytes will come; `isWhole` when the file ended well.
    func finish(isWhole: Bool = true) {
        records.drain(into: &collector, atEnd: true)
        collector.events.settle()
        isFinished = true
        let end = (span.isWhole ? state.position : 0) + bytesRead
        if isWhole, file.isArchive, file.isRegular, records.position == end { packed = consumed }
    }

    /// True when this archive was read to its end before and has not changed: nothing in it is new.
    static func isKnown(_ file: LogFile, _ state: SourceState) -> Bool {
        file.isArchive && state.packed != nil && state.packed == file.size
    }

    /// Says that the log has been quiet for two seconds: sessions that are coming in are in.
    func settle() {
        records.settle(into: &collector)
        collector.events.rest()
    }

    /// Says that reading stops for now: how many events one stands for is told, nothing else is decided.
    func pause() { collector.events.tellCounts() }

    /// The silence that has lasted long enough at a moment by the clock on the wall; nil when there is none.
    func silence(at now: LogTime) -> EventNote? {
        collector.events.silence(at: now).map { EventNote(source: state.id, event: $0) }
    }

    /// What became of a file of this log, as an event.
    func note(_ loss: FileLoss) -> EventNote? {
        collector.events.lossKind.map { EventNote(source: state.id, event: loss.event(kind: $0)) }
    }

    /// What was read since the last time, for a commit.
    func takeIngest() throws -> Ingest {
        takenAt = ContinuousClock.now
        let read = position
        let held = collector.events.held
        var ingest = Ingest(
            source: state.id, position: min(read, held?.offset ?? read), clock: held?.clock ?? now, counted: read)
        ingest.readAt = LogTime.wallClock
        ingest.events = collector.events.takeEvents()
        ingest.evidence = collector.events.takeEvidence()
        ingest.hops = collector.events.takeHops()
        ingest.sessions = collector.events.takeSessions(from: ingest.position)
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
            ingest.sessions = OpenSession.Changes(void: [], rows: [])
            return ingest
        }
        ingest.activity = activity
        ingest.rhythm = collector.events.rhythm?.text
        ingest.packed = packed
        // A reading that goes on reads what lies behind the kept lines once more: not much, and most often nothing.
        if let lines = collector.lines, read > savedLines, isFinished || read - savedLines >= SessionLines.span {
            ingest.lines = (read, lines.state(at: read))
            savedLines = read
        }
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
