import EventStore
import LogRecords
import VigilModel

/// Which rows of a batch were seen before, and what is to be remembered of them.
struct SeenRows {
    private(set) var progress = StreamProgress()
    private var sessions: [String: StreamProgress.Session]
    /// How often rows were seen in earlier batches, and in this one.
    private let before: [StreamProgress.Row: Int64]
    private var now: [StreamProgress.Row: Int64] = [:]

    /// Asks the store about the rows of a batch, which are sorted.
    init(_ rows: [VectorRow], of source: Int64, _ store: Store) throws {
        let numbered = Set(rows.lazy.filter { $0.number > 0 }.map(\.session))
        sessions = numbered.isEmpty ? [:] : try store.seen(numbered, of: source)
        if let first = rows.first, let last = rows.last, rows.contains(where: { $0.number <= 0 }) {
            before = try store.seenRows(from: first.time, through: last.time, of: source)
        } else {
            before = [:]
        }
    }

    mutating func take(_ row: VectorRow) -> NumberRanges.Verdict {
        row.number > 0 ? takeNumbered(row) : takeBare(row)
    }

    /// A server's row: its session and line say it all.
    private mutating func takeNumbered(_ row: VectorRow) -> NumberRanges.Verdict {
        var session = sessions[row.session] ?? StreamProgress.Session(lines: NumberRanges(), seen: row.time)
        sessions[row.session] = nil
        let verdict = session.lines.take(row.number)
        // Sent again, it is remembered for longer; once an hour is enough.
        let isStale = row.time.milliseconds - session.seen.milliseconds > 3_600_000
        session.seen = max(session.seen, row.time)
        sessions[row.session] = session
        if verdict == .new || isStale { progress.sessions[row.session] = session }
        return verdict
    }

    /// Equal lines of one moment are real: as many as there are more than before are new. An event is one, however often
    /// it is told.
    private mutating func takeBare(_ row: VectorRow) -> NumberRanges.Verdict {
        let key = StreamProgress.Row(time: row.time, digest: row.digest)
        let count = now[key, default: 0] + 1
        now[key] = count
        if count <= before[key] ?? 0 || (row.stream.kind == .events && count > 1) { return .known }
        progress.rows[key] = count
        return .new
    }
}
