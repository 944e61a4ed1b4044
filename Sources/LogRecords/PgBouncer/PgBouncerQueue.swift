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

    /// The address of a connection, as a hash of its text.
    private struct Known {
        var address: UInt64
        var time: LogTime
    }

    /// Milliseconds of log time that a line waits. A log that is followed is taken as quiet after two seconds, so that
    /// it is read as it is in a replay.
    private static let patience: Int64 = 1000
    /// Milliseconds within which the lines of one connection belong together. Events of the same time keep the place
    /// where reading starts again before them, so that this is known again, too.
    private static let span: Int64 = 5000
    private static let most = (waiting: 64, known: 1024)

    private var draft = DraftRecord()
    private var waiting: [(entry: Entry, parsed: PgBouncerText)] = []
    /// What connections are known, by pid and pointer.
    private var known: [UInt64: Known] = [:]

    /// Where the oldest line starts that waits.
    var held: Int64? { waiting.first?.entry.offset }

    /// Takes a whole line.
    mutating func take(_ entry: Entry, into rows: inout RowBuffer) {
        let parsed = entry.text.withUnsafeBufferPointer { text in
            entry.level.withUnsafeBufferPointer { PgBouncerText(text, level: $0) }
        }
        if waiting.isEmpty, parsed.readings.count < 2 {
            remember(entry, parsed, parsed.decided)
            return emit(entry, parsed, parsed.decided, &rows)
        }
        waiting.append((entry, parsed))
        drain(into: &rows, isOver: false)
    }

    /// Hands over all that waits.
    mutating func finish(into rows: inout RowBuffer) { drain(into: &rows, isOver: true) }

    private mutating func drain(into rows: inout RowBuffer, isOver: Bool) {
        while let (entry, parsed) = waiting.first {
            let latest = waiting[waiting.count - 1].entry.time.milliseconds
            let place = parsed.readings.count < 2 ? parsed.decided : settled(entry, parsed)
            if place == nil, parsed.readings.count > 1, !isOver, waiting.count < PgBouncerQueue.most.waiting,
                latest - entry.time.milliseconds <= PgBouncerQueue.patience
            {
                return
            }
            waiting.removeFirst()
            remember(entry, parsed, place)
            emit(entry, parsed, place, &rows)
        }
    }

    /// The reading that another line of the connection proves.
    private func settled(_ entry: Entry, _ parsed: PgBouncerText) -> PgBouncerText.Place? {
        guard let key = PgBouncerQueue.key(entry, parsed) else { return nil }
        return entry.text.withUnsafeBufferPointer { text in
            if let known = known[key], abs(entry.time.milliseconds - known.time.milliseconds) <= PgBouncerQueue.span,
                let place = parsed.readings.last(where: { PgBouncerQueue.hash(text[$0.address]) == known.address })
            {
                return place
            }
            for other in waiting.dropFirst() where PgBouncerQueue.key(other.entry, other.parsed) == key {
                guard let proof = other.parsed.decided else { continue }
                let address = other.entry.text[proof.address]
                if let place = parsed.readings.last(where: { text[$0.address].elementsEqual(address) }) { return place }
            }
            return nil
        }
    }

    private mutating func remember(_ entry: Entry, _ parsed: PgBouncerText, _ place: PgBouncerText.Place?) {
        guard let place, let key = PgBouncerQueue.key(entry, parsed) else { return }
        // The pointer will be used again.
        if parsed.isFarewell { return known[key] = nil }
        if known.count >= PgBouncerQueue.most.known {
            known = known.filter { abs(entry.time.milliseconds - $0.value.time.milliseconds) <= PgBouncerQueue.span }
            if known.count >= PgBouncerQueue.most.known { known = [:] }
        }
        known[key] = Known(address: PgBouncerQueue.hash(entry.text[place.address]), time: entry.time)
    }

    private static func key(_ entry: Entry, _ parsed: PgBouncerText) -> UInt64? {
        parsed.pointer.map { hash(entry.pid) &* 31 &+ hash(entry.text[$0]) }
    }

    private static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var digest = Digest64()
        digest.combine(bytes)
        return digest.value
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
