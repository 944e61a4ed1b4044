import VigilModel

/// Lines of PgBouncer whose client is in doubt wait here, with all that came behind them, for another line of the same
/// connection that is in no doubt: the lines of one login are written within milliseconds.
struct PgBouncerQueue {
    /// A line that is whole.
    struct Entry {
        var offset: Int64 = 0
        var time = LogTime.distantPast
        var pid: [UInt8] = []
        var level: [UInt8] = []
        var text: [UInt8] = []
    }

    private struct Known {
        var address: [UInt8]
        var time: LogTime
    }

    /// Milliseconds of log time that a line waits. A log that is followed is taken as quiet after two seconds, so that
    /// it is read as it is in a replay.
    private static let patience: Int64 = 1000
    /// Milliseconds within which the lines of one connection belong together. Events of the same time keep the place
    /// where reading starts again before them, so that this is known again, too.
    private static let span: Int64 = 5000
    private static let most = 64

    private var draft = DraftRecord()
    private var waiting: [(entry: Entry, parsed: PgBouncerText)] = []
    /// Addresses of connections with made-up names, by pid and pointer.
    private var known: [[UInt8]: Known] = [:]

    /// Where the oldest line starts that waits.
    var held: Int64? { waiting.first?.entry.offset }

    /// Takes a whole line.
    mutating func take(_ entry: Entry, into rows: inout RowBuffer) {
        let parsed = entry.text.withUnsafeBufferPointer { text in
            entry.level.withUnsafeBufferPointer { PgBouncerText(text, level: $0) }
        }
        if waiting.isEmpty, !parsed.isDisputed { return emit(entry, parsed, parsed.decided, &rows) }
        waiting.append((entry, parsed))
        drain(into: &rows, isOver: false)
    }

    /// Hands over all that waits.
    mutating func finish(into rows: inout RowBuffer) { drain(into: &rows, isOver: true) }

    private mutating func drain(into rows: inout RowBuffer, isOver: Bool) {
        while let (entry, parsed) = waiting.first {
            let latest = waiting[waiting.count - 1].entry.time.milliseconds
            let place = parsed.readings.count < 2 ? parsed.decided : settled(entry, parsed)
            if place == nil, parsed.readings.count > 1, !isOver, waiting.count < PgBouncerQueue.most,
                latest - entry.time.milliseconds <= PgBouncerQueue.patience
            {
                return
            }
            waiting.removeFirst()
            if parsed.isDisputed, let place { remember(entry, parsed, place) }
            emit(entry, parsed, place, &rows)
        }
    }

    /// The reading that another line of the connection proves.
    private func settled(_ entry: Entry, _ parsed: PgBouncerText) -> PgBouncerText.Place? {
        guard let key = PgBouncerQueue.key(entry, parsed) else { return nil }
        return entry.text.withUnsafeBufferPointer { text in
            if let known = known[key], abs(entry.time.milliseconds - known.time.milliseconds) <= PgBouncerQueue.span,
                let place = parsed.reading(at: known.address, text)
            {
                return place
            }
            for other in waiting.dropFirst() where PgBouncerQueue.key(other.entry, other.parsed) == key {
                guard let proof = other.parsed.decided else { continue }
                if let place = parsed.reading(at: other.entry.text[proof.address], text) { return place }
            }
            return nil
        }
    }

    private mutating func remember(_ entry: Entry, _ parsed: PgBouncerText, _ place: PgBouncerText.Place) {
        guard let key = PgBouncerQueue.key(entry, parsed) else { return }
        if known.count >= PgBouncerQueue.most {
            known = known.filter { entry.time.milliseconds - $0.value.time.milliseconds <= PgBouncerQueue.span }
            if known.count >= PgBouncerQueue.most { known = [:] }
        }
        known[key] = Known(address: Array(entry.text[place.address]), time: entry.time)
    }

    private static func key(_ entry: Entry, _ parsed: PgBouncerText) -> [UInt8]? {
        parsed.pointer.map { entry.pid + [32] + entry.text[$0] }
    }

    private mutating func emit(
        _ entry: Entry, _ parsed: PgBouncerText, _ place: PgBouncerText.Place?, _ rows: inout RowBuffer
    ) {
        draft.begin(offset: entry.offset, time: entry.time, dataset: .pgbouncer)
        draft.set(.processID, entry.pid)
        entry.text.withUnsafeBufferPointer { text in
            entry.level.withUnsafeBufferPointer { parsed.fill(&draft, text, level: $0, by: place) }
        }
        rows.append(draft)
    }
}
