import VigilModel

/// Lines of PgBouncer whose client is in doubt wait here, with all that came behind them, for another line of the same
/// connection that is in no doubt: the lines of one login are written within milliseconds.
struct PgBouncerQueue {
    /// A line that is whole.
    struct Entry {
        var offset: Int64 = 0
        var time = LogTime.distantPast
        /// Its bytes, with the lines that go on from it.
        var bytes: [UInt8] = []
        var pid = 0..<0
        var level = 0..<0
        /// Where its text starts.
        var start = 0
        /// Nothing of it matters but its time.
        var isPassed = false

        /// Text, level and pid for the length of a call.
        func with<Result>(
            _ body: (
                _ text: UnsafeBufferPointer<UInt8>, _ level: UnsafeBufferPointer<UInt8>,
                _ pid: UnsafeBufferPointer<UInt8>
            ) -> Result
        ) -> Result {
            bytes.withUnsafeBufferPointer { bytes in
                body(
                    UnsafeBufferPointer(rebasing: bytes[start...]), UnsafeBufferPointer(rebasing: bytes[level]),
                    UnsafeBufferPointer(rebasing: bytes[pid]))
            }
        }
    }

    /// Milliseconds of log time that a line waits. A log that is followed is taken as quiet after two seconds, so that
    /// it is read as it is in a replay.
    private static let patience: Int64 = 1000
    /// Milliseconds within which the lines of one connection belong together. Events of the same time keep the place
    /// where reading starts again before them, so that this is known again, too.
    private static let span: Int64 = 5000
    /// Lines that wait at a time.
    private static let mostWaiting = 64

    private var waiting: [(entry: Entry, parsed: PgBouncerText)] = []
    /// What connections are known, by pid and pointer.
    private var known = KnownClients(span: span)

    /// Where the oldest line starts that waits.
    var held: Int64? { waiting.first?.entry.offset }

    /// Takes a whole line.
    mutating func take(_ entry: Entry, into rows: inout RowBuffer) {
        let parsed = entry.with { text, level, _ in PgBouncerText(text, level: level) }
        if waiting.isEmpty, parsed.readings.isEmpty {
            remember(entry, parsed, parsed.decided)
            return emit(entry, parsed, parsed.decided, &rows)
        }
        waiting.append((entry, parsed))
        drain(into: &rows, isOver: false)
    }

    /// Takes a record of which nothing matters but its time.
    @inline(__always)
    mutating func pass(offset: Int64, time: LogTime, into rows: inout RowBuffer) {
        guard !waiting.isEmpty else { return rows.append(passedAt: offset, time: time, dataset: .pgbouncer) }
        var entry = Entry()
        (entry.offset, entry.time, entry.isPassed) = (offset, time, true)
        take(entry, into: &rows)
    }

    /// Takes a usual line for what it tells of its connection.
    @inline(__always)
    mutating func remember(_ usual: PgBouncerUsualLine, _ line: UnsafeBufferPointer<UInt8>) {
        let key = PgBouncerQueue.key(pid: line[usual.pid], pointer: line[usual.pointer])
        if usual.isFarewell { return known.remove(key) }
        known.set(key, address: PgBouncerQueue.hash(line, usual.address), time: usual.time)
    }

    /// True when nothing waits.
    var isEmpty: Bool { waiting.isEmpty }

    /// Hands over all that waits.
    mutating func finish(into rows: inout RowBuffer) { drain(into: &rows, isOver: true) }

    private mutating func drain(into rows: inout RowBuffer, isOver: Bool) {
        while let (entry, parsed) = waiting.first {
            let latest = waiting[waiting.count - 1].entry.time.milliseconds
            let place = parsed.readings.isEmpty ? parsed.decided : settled(entry, parsed)
            if place == nil, !parsed.readings.isEmpty, !isOver, waiting.count < PgBouncerQueue.mostWaiting,
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
        return entry.with { text, _, _ in
            if let known = known[key], abs(entry.time.milliseconds - known.time.milliseconds) <= PgBouncerQueue.span,
                let place = parsed.readings.last(where: { PgBouncerQueue.hash(text, $0.address) == known.address })
            {
                return place
            }
            for other in waiting.dropFirst() where PgBouncerQueue.key(other.entry, other.parsed) == key {
                guard let proof = other.parsed.decided else { continue }
                let place = other.entry.with { address, _, _ in
                    parsed.readings.last { text[$0.address].elementsEqual(address[proof.address]) }
                }
                if let place { return place }
            }
            return nil
        }
    }

    private mutating func remember(_ entry: Entry, _ parsed: PgBouncerText, _ place: PgBouncerText.Place?) {
        guard let place, let key = PgBouncerQueue.key(entry, parsed) else { return }
        // The pointer will be used again.
        if parsed.isFarewell { return known.remove(key) }
        let address = entry.with { text, _, _ in PgBouncerQueue.hash(text, place.address) }
        known.set(key, address: address, time: entry.time)
    }

    /// Process and pointer, which no client has a say in.
    private static func key(_ entry: Entry, _ parsed: PgBouncerText) -> UInt64? {
        guard let pointer = parsed.pointer else { return nil }
        return entry.with { text, _, pid in key(pid: pid[...], pointer: text[pointer]) }
    }

    @inline(__always)
    private static func key(
        pid: Slice<UnsafeBufferPointer<UInt8>>, pointer: Slice<UnsafeBufferPointer<UInt8>>
    ) -> UInt64 {
        var hash = PlaceHash()
        hash.combine(UnsafeBufferPointer(rebasing: pid))
        hash.combine(UnsafeBufferPointer(rebasing: pointer))
        return hash.place
    }

    /// The hash of an address, which decides between readings: keyed by a number that each process draws, so that nobody
    /// can write an address into a name that meets his own.
    @inline(__always)
    private static func hash(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(text)[range]))
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    private func emit(_ entry: Entry, _ parsed: PgBouncerText, _ place: PgBouncerText.Place?, _ rows: inout RowBuffer) {
        if entry.isPassed { return rows.append(passedAt: entry.offset, time: entry.time, dataset: .pgbouncer) }
        entry.with { text, level, pid in
            parsed.append(
                to: &rows, text, level: level, pid: pid, offset: entry.offset, time: entry.time, by: place)
        }
    }
}
