import Patterns
import VigilModel

/// What the records of one source mean, in file order.
public struct EventReader {
    /// What was found since it was last taken, in file order.
    public private(set) var events: [SecurityEvent] = []
    /// Records read so far.
    public private(set) var records: Int64 = 0
    private var index: PatternIndex
    /// Patterns of the other datasets, in file order.
    private let textPatterns: [[EventPattern]]
    private let statements: StatementReader
    private var clock: SourceClock
    private var logins = LoginTracker()
    private var repetitions = RepetitionCounter()
    private var connections = ConnectionTracker()
    private var activity = ActivityCounter()
    private let scratch = Regex.Scratch()
    private var isCounted = true
    /// Records before this offset were counted by an earlier run.
    private let countFrom: Int64
    /// Severity and tag of a login that was refused after authorization.
    private let startupTag = Array("startup".utf8)
    private let authenticationTag = Array("authentication".utf8)
    private let fatal: [[UInt8]]

    /// Takes the catalogue, the source's time where reading starts (`LogTime.distantPast` at the start of a file), and
    /// the offset from which on records feed the hourly counters.
    public init(catalogue: EventCatalogue, clock: LogTime = .distantPast, countFrom: Int64 = 0) {
        index = PatternIndex(catalogue.patterns.filter { $0.condition.dataset == .postgresql })
        textPatterns = LogDataset.allCases.map { dataset in
            dataset == .postgresql ? [] : catalogue.patterns.filter { $0.condition.dataset == dataset }
        }
        statements = StatementReader(catalogue.statements)
        self.clock = SourceClock(now: clock)
        self.countFrom = countFrom
        fatal = catalogue.fatalWords
    }

    /// The source's time: that of its last record, clamped.
    public var now: LogTime { clock.now }

    /// How often the source's clock was set back by more than ten minutes.
    public var clockSteps: Int { clock.rebased }

    /// The oldest record that must be read again after a restart, with the source's time before it.
    public var held: (offset: Int64, clock: LogTime)? {
        [logins.oldest, repetitions.held(at: now), connections.held(at: now)].compactMap { $0 }
            .min { $0.offset < $1.offset }
            .map { ($0.offset, $0.clockBefore) }
    }

    /// Reads records. Those that will be read again are not counted.
    public mutating func read(_ batch: RecordBatch, isCounted: Bool = true) {
        self.isCounted = isCounted
        for number in 0..<batch.count { read(batch[number]) }
        if isCounted { records += Int64(batch.count) }
    }

    /// Says that no more records will come for now: sessions that are coming in are in.
    public mutating func settle() { emit(logins.expired(at: nil)) }

    /// Gives the events found since the last time.
    public mutating func takeEvents() -> [SecurityEvent] {
        defer {
            events = []
            events.reserveCapacity(1024)
        }
        return events
    }

    /// Gives the hourly counts since the last time.
    public mutating func takeActivity() -> [Activity: Int64] { activity.take() }

    /// Reads one record.
    @inline(__always)
    mutating func read(_ record: LogRecord) {
        let before = clock.now
        let time = clock.advance(to: record.time)
        // A clock that was set back says nothing about how long logins have waited.
        if time < before { settle() }
        if record.dataset != .postgresql { return readText(record, time: time, before: before) }
        if !logins.isEmpty { advanceLogins(record, time) }
        let state = record.head(.sqlState)
        if state == PatternIndex.success, index.isUnknown(messageHead: record.head(.message)) { return }
        classify(record, state: state, time: time, before: before)
    }

    private mutating func advanceLogins(_ record: LogRecord, _ time: LogTime) {
        if logins.mayExpire(at: time) { emit(logins.expired(at: time)) }
        let key = SessionKey(record)
        guard logins.mayHold(key) else { return }
        // Authenticated and authorized lines belong to the login and are seen to below.
        if record.head(.sqlState) == PatternIndex.success, record.equals(.commandTag, authenticationTag) { return }
        guard let login = logins.end(key) else { return }
        let refused = record.equals(.commandTag, startupTag) && fatal.contains { record.equals(.severity, $0) }
        if !refused { emit([login]) }
    }

    private mutating func emit(_ ended: [LoginTracker.Login]) {
        for login in ended {
            guard let event = login.takeEvent() else { continue }
            events.append(event)
        }
    }

    private mutating func classify(_ record: LogRecord, state: UInt64, time: LogTime, before: LogTime) {
        guard let match = index.match(record, state: state) else { return }
        let number = match.pattern
        if let counter = index.patterns[number].counter, isCounted, record.offset >= countFrom {
            activity.count(counter, record, at: time)
        }
        switch index.patterns[number].effect {
        case .counted: break
        case .event(let kind):
            let repeated = repetition(of: record, before: before)
            var event = EventBuilder.event(record, kind: kind, time: time, repeated: repeated)
            EventBuilder.read(record, index.patterns[number].readings, scratch, into: &event)
            if let object = index.patterns[number].object(of: record) {
                event.objectType = object.type
                event.objectName = String(escaping: object.name)
            }
            events.append(event)
        case .statement:
            events += statements.events(
                record, template: index.template(of: match), time: time,
                repeated: repetition(of: record, before: before))
        case .evidence:
            let found = EventBuilder.found(record, index.patterns[number].readings, scratch)
            hold(record, time: time, before: before) { $0.found += found }
        case .login(let kind):
            // Its message says what the columns say; logins are most of what a busy server's store holds.
            let repeated = repetition(of: record, before: before)
            var event = EventBuilder.event(
                record, kind: kind, time: time, repeated: repeated, keepsMessage: false)
            EventBuilder.read(record, index.patterns[number].readings, scratch, into: &event)
            hold(record, time: time, before: before) { $0.event = event }
        }
    }

    /// A record of another log than the server's: the first pattern that fits decides.
    private mutating func readText(_ record: LogRecord, time: LogTime, before: LogTime) {
        for pattern in textPatterns[Int(record.dataset.rawValue)] {
            guard let found = EventBuilder.found(record, ifMeant: pattern, scratch) else { continue }
            if let counter = pattern.counter, isCounted, record.offset >= countFrom {
                activity.count(counter, record, at: time)
            }
            guard case .event(let kind) = pattern.effect else { return }
            // The lines of one failed connection are one event: the first that suffices.
            if pattern.isOncePerConnection, !connections.isFirst(record, time: time, clockBefore: before) { return }
            var event = EventBuilder.event(
                record, kind: kind, time: time, repeated: repetitions.count(record, clockBefore: before))
            for (field, value) in found { event.take(field, value) }
            events.append(event)
            return
        }
    }

    /// The number that tells the record from others like it, where it has no session id and line of its own.
    private mutating func repetition(of record: LogRecord, before: LogTime) -> Int64? {
        guard record.isEmpty(.sessionID) || record.isEmpty(.sessionLine) else { return nil }
        return repetitions.count(record, clockBefore: before)
    }

    private mutating func hold(
        _ record: LogRecord, time: LogTime, before: LogTime, _ change: (LoginTracker.Login) -> Void
    ) {
        let key = SessionKey(record)
        let login = logins.login(key, offset: record.offset, clockBefore: before)
        login.time = time
        change(login)
    }
}
