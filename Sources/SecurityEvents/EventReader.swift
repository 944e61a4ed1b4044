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
    private var statements: StatementReader
    private var clock: SourceClock
    private var logins = LoginTracker()
    private var repetitions = RepetitionCounter()
    private var connections = ConnectionTracker()
    private var proxies = ProxyReader()
    private var activity = ActivityCounter()
    private let scratch = Regex.Scratch()
    private var isCounted = true
    /// Records before this offset were counted by an earlier run.
    private let countFrom: Int64
    /// Severity and tag of a login that was refused after authorization.
    private let startupTag = Array("startup".utf8)
    private let authenticationTag = Array("authentication".utf8)
    private let fatal: [[UInt8]]
    private let error: [[UInt8]]

    /// Takes the catalogue, the source's time where reading starts (`LogTime.distantPast` at the start of a file), and
    /// the offset from which on records feed the hourly counters, and what was known of open sessions.
    public init(
        catalogue: EventCatalogue, clock: LogTime = .distantPast, countFrom: Int64 = 0, sessions: [OpenSession] = []
    ) {
        index = PatternIndex(catalogue.patterns.filter { $0.condition.dataset == .postgresql })
        textPatterns = LogDataset.allCases.map { dataset in
            dataset == .postgresql ? [] : catalogue.patterns.filter { $0.condition.dataset == dataset }
        }
        statements = StatementReader(catalogue.statements, groups: sessions.compactMap(\.group))
        self.clock = SourceClock(now: clock)
        self.countFrom = countFrom
        fatal = catalogue.fatalWords
        error = catalogue.errorWords
    }

    /// The source's time: that of its last record, clamped.
    public var now: LogTime { clock.now }

    /// How often the source's clock was set back by more than ten minutes.
    public var clockSteps: Int { clock.rebased }

    /// The oldest record that must be read again after a restart, with the source's time before it.
    public var held: (offset: Int64, clock: LogTime)? {
        [logins.oldest, repetitions.held(at: now), connections.held(at: now), proxies.held(at: now)].compactMap { $0 }
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

    /// Gives the evidence found since the last time.
    public mutating func takeEvidence() -> [EventEvidence] {
        defer { statements.evidence = [] }
        return statements.evidence
    }

    /// What changed, since the last time, of what a reading that goes on at that offset must know of open sessions.
    public mutating func takeSessions(from offset: Int64) -> OpenSession.Changes {
        let changes = statements.changes(from: offset)
        return OpenSession.Changes(void: changes.void, rows: changes.rows.map(OpenSession.init))
    }

    /// Gives the connections through a proxy found since the last time.
    public mutating func takeHops() -> [ProxyHop] { proxies.take() }

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
        guard let match = index.match(record, state: state) else { return readFailure(record, nil, nil, time, before) }
        let number = match.pattern
        if let counter = index.patterns[number].counter, isCounted, record.offset >= countFrom {
            activity.count(counter, record, at: time)
        }
        switch index.patterns[number].effect {
        case .counted: break
        case .event(let kind):
            let object = index.patterns[number].object(of: record).map { ($0.type, String(escaping: $0.name)) }
            if isFailedStatement(record) { return readFailure(record, kind, object, time, before) }
            let repeated = repetition(of: record, before: before)
            var event = EventBuilder.event(record, kind: kind, time: time, repeated: repeated)
            EventBuilder.read(record, index.patterns[number].readings, scratch, into: &event)
            if let object { (event.objectType, event.objectName) = object }
            events.append(event)
        case .statement(let carrier):
            guard let template = index.template(of: match) else { break }
            let context = context(record, time: time, before: before)
            switch carrier {
            case .logged: statements.logged(context, template)
            case .timed: statements.timed(context, template)
            case .ended: statements.ended(context)
            case .audited: readAudit(context)
            }
            takeStatements()
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
        proxies.read(record, time: time, clockBefore: before)
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

    private mutating func context(
        _ record: LogRecord, time: LogTime, before: LogTime
    ) -> StatementReader.Context {
        StatementReader.Context(record: record, time: time, repeated: repetition(of: record, before: before))
    }

    /// Counts a record of pgaudit's, whatever else becomes of it.
    private mutating func readAudit(_ context: StatementReader.Context) {
        guard let audit = AuditRecord(context.record.content(.message)) else { return }
        if isCounted, context.record.offset >= countFrom { activity.count(audit, context.record, at: context.time) }
        statements.audited(context, audit)
    }

    /// True for the error of a statement whose text stands in the record.
    private func isFailedStatement(_ record: LogRecord) -> Bool {
        !record.isEmpty(.query) && error.contains { record.equals(.severity, $0) }
    }

    /// A statement that failed. `kind` is what a pattern says of the error, `object` what the error is about.
    private mutating func readFailure(
        _ record: LogRecord, _ kind: EventKind?, _ object: (type: String, name: String)?, _ time: LogTime,
        _ before: LogTime
    ) {
        guard isFailedStatement(record) else { return }
        statements.failed(context(record, time: time, before: before), kind, object)
        takeStatements()
    }

    private mutating func takeStatements() {
        guard !statements.events.isEmpty else { return }
        events += statements.events
        statements.events.removeAll(keepingCapacity: true)
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
