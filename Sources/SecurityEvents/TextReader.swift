import Patterns
import VigilModel

/// What the records of the other logs than the server's mean: which pattern decides, which of a connection's or a span's
/// lines are one event, and which client stands behind a proxy's connection.
struct TextReader {
    /// An event to be.
    struct Found {
        /// What follows, when nothing in the record is in doubt.
        var kind: EventKind
        /// What was read from the record's texts, and from those before it that belong to it.
        var values: [(EventField, String)]
    }

    private let index: TextIndex
    /// Of each pattern what has names for what it reads: the others only had to match.
    private let named: [[(column: LogColumn, regex: Regex)]]
    /// What follows from each pattern, as far as most records need to know.
    private let steps: [Step]
    /// The words under which records are counted, behind each other.
    private let counters: [UInt8]
    private var connections = ConnectionTracker()
    private var spans = SpanTracker()
    private var proxies = ProxyReader()
    private var readings = ReadingMemory()
    private let scratch = Regex.Scratch()

    private struct Step {
        enum Effect { case event, evidence, nothing }

        var effect: Effect
        /// The word it is counted under, in `counters`; nothing for none.
        var counter: Range<Int>
    }

    /// Takes the patterns of all datasets.
    init(_ patterns: [EventPattern]) {
        index = TextIndex(patterns)
        named = index.patterns.map { $0.readings.filter { !$0.regex.groups.isEmpty } }
        var counters: [UInt8] = []
        steps = index.patterns.map { pattern in
            let start = counters.count
            counters += Array((pattern.counter ?? "").utf8)
            return Step(effect: TextReader.effect(pattern.effect), counter: start..<counters.count)
        }
        self.counters = counters
    }

    private static func effect(_ effect: EventPattern.Effect) -> Step.Effect {
        switch effect {
        case .event: .event
        case .evidence: .evidence
        case .login, .statement, .counted: .nothing
        }
    }

    /// The oldest record that a reading must start with to find the same, and the source's time before it.
    func held(at now: LogTime) -> (offset: Int64, clockBefore: LogTime)? {
        [connections.held(at: now), spans.held(at: now), proxies.held(at: now)].compactMap { $0 }
            .min { $0.offset < $1.offset }
    }

    /// How many connections through a proxy were found since the last time.
    var hops: Int { proxies.hops.count }

    /// Gives the connections through a proxy found since the last time.
    mutating func takeHops() -> [ProxyHop] { proxies.take() }

    /// Reads a record; nil when no event begins with it. `counts` takes it into the hourly counts. The look is that of
    /// a sieve with the same patterns.
    mutating func read(
        _ record: LogRecord, _ look: RecordLook, time: LogTime, clockBefore: LogTime,
        countedBy activity: inout ActivityCounter, counts: Bool
    ) -> Found? {
        proxies.read(record, time: time, clockBefore: clockBefore)
        guard let number = look.candidate ?? index.match(record) else { return nil }
        let step = steps[number]
        if counts, !step.counter.isEmpty {
            counters.withUnsafeBufferPointer {
                activity.count(command: UnsafeBufferPointer(rebasing: $0[step.counter]), record, at: time)
            }
        }
        switch step.effect {
        case .nothing: return nil
        case .evidence:
            let found = readings.known(record, number) ?? readings.found(record, named[number], number, scratch)
            connections.note(found, record, time: time, clockBefore: clockBefore)
            return nil
        case .event: return event(record, number, time: time, clockBefore: clockBefore)
        }
    }

    private mutating func event(
        _ record: LogRecord, _ number: Int, time: LogTime, clockBefore: LogTime
    ) -> Found? {
        let pattern = index.patterns[number]
        guard case .event(let kind) = pattern.effect else { return nil }
        let found = EventBuilder.found(record, named[number], scratch)
        switch pattern.once {
        case nil: return Found(kind: kind, values: found)
        case .connection(let part):
            return connections.begin(record, part, time: time, clockBefore: clockBefore)
                .map { Found(kind: kind, values: $0 + found) }
        case .span(let length, let name, let columns):
            let key = SpanTracker.key(record, name: name, columns: columns)
            return spans.begin(key, lasting: length, record, time: time, clockBefore: clockBefore)
                ? Found(kind: kind, values: found) : nil
        }
    }
}
