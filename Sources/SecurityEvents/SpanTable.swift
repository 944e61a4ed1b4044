import VigilModel

/// What is known of open sessions, with the span of the file it holds for. A reading that goes on in the middle after a
/// restart reads some records again; the spans let it see what the first reading saw there.
struct SpanTable<Value: Sendable> {
    struct Span: Sendable {
        var key: SessionKey
        /// Offset of the record that opened it: it holds behind that.
        var opened: Int64
        /// Offset of the record that closed it; `.max` while it is open.
        var closed: Int64 = .max
        var value: Value
    }

    private var spans: [SessionKey: [Span]] = [:]
    /// Keys in the order they were opened in, to drop the oldest when there are too many.
    private var order: [SessionKey] = []
    private var front = 0
    private let limit: Int
    private let weigh: @Sendable (Value) -> Int
    /// What was opened since it was last looked how much is held, and what was held then.
    private var grown = 0

    /// What spans that are over may weigh together: in a flood they stay until its number is known. Beyond, the oldest go;
    /// a reading that starts again in the midst of them would not know what belonged to these.
    static var mostWeight: Int { 1 << 17 }
    /// Keys that changed since `changes` was last asked for, and keys that have rows in the store.
    private var changed: Set<SessionKey> = []
    private var known: Set<SessionKey> = []
    /// How many keys have a slot: a record of any other session ends here. A full counter stays.
    private var filter = [UInt8](repeating: 0, count: 4096)
    /// Nothing of a slot's keys holds behind this offset: a busy session's statements are mostly over.
    private var ends = [Int64](repeating: .max, count: 4096)

    init(limit: Int, _ spans: [Span] = [], weigh: @escaping @Sendable (Value) -> Int = { _ in 1 }) {
        self.limit = limit
        self.weigh = weigh
        for span in spans.sorted(by: { $0.opened < $1.opened }) { add(span) }
        known = Set(self.spans.keys)
    }

    var isEmpty: Bool { spans.isEmpty }

    /// False when surely nothing is known of the key.
    @inline(__always)
    func mayHold(_ key: SessionKey) -> Bool { filter[key.slot] != 0 }

    /// False when surely nothing holds of any key with that slot for a record at that offset.
    @inline(__always)
    func mayHold(slot: Int, at offset: Int64) -> Bool { filter[slot] != 0 && offset <= ends[slot] }

    private mutating func forget(_ key: SessionKey) {
        guard spans.removeValue(forKey: key) != nil, filter[key.slot] != 255 else { return }
        filter[key.slot] -= 1
    }

    /// What is known of a key for a record at that offset.
    subscript(key: SessionKey, at offset: Int64) -> Value? {
        guard mayHold(slot: key.slot, at: offset), let index = index(of: key, at: offset), let spans = spans[key],
            offset <= spans[index].closed
        else { return nil }
        return spans[index].value
    }

    /// The span of a key that opened last up to an offset: no other can hold there, since one ends where the next begins.
    private func index(of key: SessionKey, at offset: Int64) -> Int? {
        guard let spans = spans[key] else { return nil }
        var (low, high) = (0, spans.count)
        while low < high {
            let middle = (low + high) / 2
            if spans[middle].opened <= offset { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? low - 1 : nil
    }

    /// Changes what is known of a key for a record at that offset.
    mutating func update(_ key: SessionKey, at offset: Int64, _ change: (inout Value) -> Void) {
        guard let index = index(of: key, at: offset), let closed = spans[key]?[index].closed, offset <= closed else {
            return
        }
        // In place.
        change(&spans[key, default: []][index].value)
        changed.insert(key)
    }

    /// From that record on a key has another value. The same record read again changes nothing.
    mutating func open(_ key: SessionKey, at offset: Int64, _ value: Value) {
        if let known = spans[key]?.last, known.opened >= offset { return }
        close(key, before: offset)
        add(Span(key: key, opened: offset, value: value))
        grown += weigh(value)
        if grown > SpanTable.mostWeight { lighten(at: offset) }
    }

    /// Lets the oldest spans go that are over at an offset, when all such weigh too much.
    private mutating func lighten(at offset: Int64) {
        let over = spans.values.joined().filter { $0.closed < offset }.sorted { $0.opened < $1.opened }
        grown = over.reduce(0) { $0 + weigh($1.value) }
        guard grown > SpanTable.mostWeight / 2 else { return }
        var gone: [SessionKey: Int64] = [:]
        for span in over where grown > SpanTable.mostWeight / 2 {
            grown -= weigh(span.value)
            gone[span.key] = span.opened
        }
        for (key, last) in gone {
            spans[key]?.removeAll { $0.opened <= last }
            changed.insert(key)
            if spans[key]?.isEmpty ?? false { forget(key) }
        }
    }

    /// The record at that offset is the last for which the value holds.
    mutating func close(_ key: SessionKey, at offset: Int64) {
        guard let index = index(of: key, at: offset), let closed = spans[key]?[index].closed, offset < closed else {
            return
        }
        spans[key]?[index].closed = offset
        changed.insert(key)
        if filter[key.slot] == 1 { ends[key.slot] = spans[key]?.last?.closed ?? .max }
    }

    /// The record at that offset no longer belongs to it.
    mutating func close(_ key: SessionKey, before offset: Int64) { close(key, at: offset - 1) }

    private mutating func add(_ span: Span) {
        if spans[span.key] == nil, filter[span.key.slot] != 255 { filter[span.key.slot] += 1 }
        spans[span.key, default: []].append(span)
        ends[span.key.slot] = .max
        changed.insert(span.key)
        order.append(span.key)
        while spans.count > limit, front < order.count {
            forget(order[front])
            changed.insert(order[front])
            front += 1
        }
        if order.count > 4096, order.count > 4 * spans.count {
            var seen: Set<SessionKey> = []
            order = order[front...].reversed().filter { spans[$0] != nil && seen.insert($0).inserted }.reversed()
            front = 0
        }
    }

    /// What changed, since it was last asked for, of what a reading that goes on at that offset must know: keys whose
    /// rows are void, and the rows that take their place.
    mutating func changes(from offset: Int64) -> (void: [SessionKey], rows: [Span]) {
        var void: [SessionKey] = []
        var rows: [Span] = []
        var open: Set<SessionKey> = []
        for key in changed {
            let useful = spans[key]?.filter { $0.closed >= offset } ?? []
            if useful.isEmpty { forget(key) } else { spans[key] = useful }
            if known.remove(key) != nil { void.append(key) }
            let kept = useful.filter { $0.opened < offset }
            if !kept.isEmpty { known.insert(key) }
            rows += kept
            // What opened or closed behind the offset is to be looked at again.
            if useful.contains(where: { $0.opened >= offset || $0.closed < .max }) { open.insert(key) }
        }
        changed = open
        return (void, rows)
    }
}
