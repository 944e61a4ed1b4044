import EventStore
import LogRecords
import Patterns
import SecurityEvents
import VigilModel

/// Reads one stream of rows: tells which of them are new, and reads those.
///
/// A stream has no bytes to count. A record's offset is made of its time, in milliseconds, and its place among the rows
/// of that moment, so that a later reading gives it again. Rows that come behind later ones are read apart, as a file of
/// their own would be: they neither change what is known of open sessions nor wait for it.
final class StreamReader {
    private let stream: VectorStream
    private let state: SourceState
    private let isReceived: Bool
    private let timezone: String?
    /// Knows nothing, to be copied.
    private let blank: EventReader
    private var main: RecordStream
    /// Records that were handed over.
    private var handed: Int64 = 0
    /// Offset of the last row that was read in order.
    private var last: Int64
    /// Offset up to which what was read before has been read again, to know what was known there.
    private var resumed: Int64
    /// When what was seen was last thinned out, by the rows' time.
    private var thinned = LogTime.distantPast

    /// What became of rows.
    struct Count: Sendable {
        var read = 0
        var late = 0
        var known = 0

        mutating func add(_ other: Count) {
            read += other.read
            late += other.late
            known += other.known
        }
    }

    /// Bits of an offset for the rows of one millisecond.
    private static let places: Int64 = 12
    private static let hour: Int64 = 3_600_000

    init(
        _ stream: VectorStream, state: SourceState, isReceived: Bool, timezone: String?, catalogue: EventCatalogue,
        blank: EventReader
    ) {
        self.stream = stream
        self.state = state
        self.isReceived = isReceived
        self.timezone = timezone
        self.blank = blank
        last = state.counted - 1
        resumed = state.position - 1
        main = RecordStream(
            stream, timezone: timezone,
            events: EventReader(
                catalogue: catalogue, clock: state.clock, countFrom: state.counted,
                storedBefore: state.position > 0 ? state.counted : 0, sessions: state.sessions,
                recent: state.recent),
            isWhole: true)
    }

    /// True when a login waits for what its session does next.
    var isHolding: Bool { main.isHolding }

    /// Reads rows in the order of `VectorRow.isBefore`. `through` is the moment up to which all rows are there; nil: it
    /// is not known, and nothing waits for more.
    func take(_ rows: [VectorRow], through: LogTime?, _ store: Store) throws -> (ingest: Ingest, count: Count) {
        var seen = try SeenRows(rows, of: state.id, store)
        var ingest = Ingest(source: state.id, position: last + 1, clock: main.now, counted: last + 1)
        var late: RecordStream?
        var count = Count()
        var place: Int64 = -1
        for row in rows {
            place = max(max(0, row.time.milliseconds) << StreamReader.places, place + 1)
            let verdict = seen.take(row)
            if verdict == .known {
                count.known += 1
                if last < state.counted, row.fault == nil, place > resumed, place < state.counted {
                    resumed = place
                    main.read(row, offset: place)
                }
                continue
            }
            count.read += 1
            if let fault = row.fault {
                ingest.unread.append(Unread(offset: place, length: Int64(row.line.count), reason: fault))
                continue
            }
            if stream.kind == .events {
                take(event: row, place, into: &ingest)
                continue
            }
            if row.time.milliseconds >= last >> StreamReader.places, verdict == .new {
                place = max(place, last + 1)
                last = place
                main.read(row, offset: place)
            } else {
                if late == nil { late = RecordStream(stream, timezone: timezone, events: blank, isWhole: false) }
                late?.read(row, offset: place)
                count.late += 1
            }
        }
        late?.finish()
        late?.settle()
        late?.take(into: &ingest, position: nil)
        finish(through: through, into: &ingest)
        ingest.isShipped = stream.kind == .events
        ingest.stream = seen.progress
        if let newest = rows.last?.time, newest.milliseconds - thinned.milliseconds > StreamReader.hour {
            ingest.stream?.forgetsBefore = newest.adding(milliseconds: -StreamProgress.memory)
            thinned = newest
        }
        return (ingest, count)
    }

    /// Ends what a session waits for when all rows up to a moment are there; nil when nothing came of it.
    func settle(through: LogTime?) -> Ingest? {
        guard isHolding else { return nil }
        var ingest = Ingest(source: state.id, position: last + 1, clock: main.now, counted: last + 1)
        finish(through: through, into: &ingest)
        return ingest.events.isEmpty && ingest.evidence.isEmpty ? nil : ingest
    }

    private func finish(through: LogTime?, into ingest: inout Ingest) {
        main.finish()
        // As with a file that has been quiet for two seconds.
        if through.map({ $0.milliseconds - main.now.milliseconds >= 2000 }) ?? true { main.settle() }
        let before = handed
        handed = main.records
        main.take(into: &ingest, position: (last + 1, before))
        if isReceived, stream.kind == .postgres {
            for index in ingest.events.indices { ingest.events[index].takeSessionStart() }
        }
    }

    private func take(event row: VectorRow, _ place: Int64, into ingest: inout Ingest) {
        guard let shipped = ShippedEvent(row.line, time: row.time, offset: place) else {
            ingest.unread.append(
                Unread(offset: place, length: Int64(row.line.count), reason: "no event that could be read"))
            return
        }
        ingest.records += 1
        ingest.events.append(shipped.event)
        if let hop = shipped.hop { ingest.hops.append(hop) }
        last = max(last, place)
    }
}

extension SecurityEvent {
    /// A login happens right after the start of its session, which the session's id tells to the second: nearer to the
    /// truth than the time at which its record was received.
    fileprivate mutating func takeSessionStart() {
        guard kind.category == "authentication", let digits = sessionID?.prefix(while: { $0 != "." }),
            let seconds = Int64(digits, radix: 16), seconds > 0
        else { return }
        let start = LogTime(milliseconds: seconds * 1000)
        if start < time { time = start }
    }
}
