import Patterns
import VigilModel

/// What the records of one source mean, in file order.
public struct EventReader {
    /// What was found since it was last taken, in file order.
    public private(set) var events: [SecurityEvent] = []
    /// Records read so far.
    public private(set) var records: Int64 = 0
    private var index: PatternIndex
    /// For records of the other datasets.
    private var otherTexts: TextReader
    private var statements: StatementReader
    private let texts: TextFinder
    private let secrets: SecretMarker
    private let catalogue: EventCatalogue
    /// For records that nobody has looked at before.
    private var sieve: RecordSieve?
    private var clock: SourceClock
    private var logins = LoginTracker()
    private let variants = KindVariants()
    private var repetitions = RepetitionCounter()
    private var rollUp: RollUp
    private var facts: SessionFactsReader
    private var diverted: DivertedLogins
    /// What a hole in numbers is, by what is counted.
    private let gapKinds: [GapPattern.Counter: EventKind]
    /// The logins that patterns make, by the pattern's id, for those that wait in a file of pgauditlogtofile.
    private let loginKinds: [String: EventKind]
    private var activity = ActivityCounter()
    private var readings = ReadingMemory()
    private let scratch = Regex.Scratch()
    private var isCounted = true
    /// Records before this offset were counted by an earlier run.
    private let countFrom: Int64
    /// Events of other logs before this offset were stored by an earlier run: records are read again only to know what
    /// was before.
    private let storedBefore: Int64
    /// Severity and tag of a login that was refused after authorization.
    private let startupTag = Array("startup".utf8)
    private let authenticationTag = Array("authentication".utf8)
    private let fatal: [[UInt8]]
    private let error: [[UInt8]]

    /// Takes the catalogue, the source's time where reading starts (`LogTime.distantPast` at the start of a file), the
    /// offset from which on records feed the hourly counters, the offset before which events are stored already, and
    /// what was known of open sessions, and events of the last two minutes that come of records before.
    public init(
        catalogue: EventCatalogue, clock: LogTime = .distantPast, countFrom: Int64 = 0, storedBefore: Int64 = 0,
        sessions: [OpenSession] = [], recent: [SecurityEvent] = []
    ) {
        self.storedBefore = storedBefore
        self.catalogue = catalogue
        index = PatternIndex(catalogue.patterns.filter { $0.condition.dataset == .postgresql })
        otherTexts = TextReader(catalogue.patterns)
        texts = TextFinder(catalogue.texts)
        secrets = SecretMarker(catalogue.secretKey, variants)
        statements = StatementReader(
            catalogue.statements, texts, secrets, groups: sessions.compactMap { $0.span(of: .statement) })
        facts = SessionFactsReader(sessions.compactMap { $0.span(of: .facts) })
        diverted = DivertedLogins(sessions.compactMap { $0.span(of: .login) })
        loginKinds = catalogue.patterns.reduce(into: [:]) { kinds, pattern in
            if case .login(let kind) = pattern.effect { kinds[pattern.id] = kind }
        }
        gapKinds = catalogue.gaps.reduce(into: [:]) { $0[$1.counter] = $0[$1.counter] ?? $1.kind }
        rollUp = RollUp(ofLog: catalogue.gaps.map(\.kind))
        self.clock = SourceClock(now: clock)
        self.countFrom = countFrom
        fatal = catalogue.fatalWords
        error = catalogue.errorWords
        for event in recent { rollUp.recall(event, at: clock) }
    }

    /// Events of one record's statements on their way, the last first.
    private var made: [SecurityEvent] = []
    /// When the server was told to stop, of the records being read.
    private var stops: [LogTime] = []
    /// Whose log it is.
    private var dataset = LogDataset.postgresql

    /// When the log speaks; nil when nobody listens for its silence.
    public var rhythm: LogRhythm?

    /// The source's time: that of its last record, clamped.
    public var now: LogTime { clock.now }

    /// How often the source's clock was set back by more than ten minutes.
    public var clockSteps: Int { clock.rebased }

    /// The oldest record that must be read again after a restart, with the source's time before it.
    public var held: (offset: Int64, clock: LogTime)? {
        [
            logins.oldest, rollUp.held, repetitions.held(at: now), otherTexts.held(at: now),
        ].compactMap { $0 }
            .min { $0.offset < $1.offset }
            .map { ($0.offset, $0.clockBefore) }
    }

    /// Reads records. Those that will be read again are not counted. `looks` is what a sieve of the same catalogue saw
    /// of them.
    public mutating func read(
        _ batch: RecordBatch, looks: [RecordLook]? = nil, gaps: [LineGap] = [], isCounted: Bool = true
    ) {
        self.isCounted = isCounted
        let looks = looks ?? look(at: batch)
        var next = 0
        for gap in gaps {
            read(batch, looks, next..<(gap.record + 1))
            next = gap.record + 1
            note(gap, batch[gap.record])
        }
        read(batch, looks, next..<batch.count)
        rollUp.advance(to: now)
        if isCounted { records += count(batch) }
        if rhythm != nil { listen(to: batch) }
    }

    /// Records that no earlier run over this source has counted. Those of a copy are its own.
    private func count(_ batch: RecordBatch) -> Int64 {
        guard batch.count > 0, batch.offset(of: 0) < storedBefore else { return Int64(batch.count) }
        return Int64((0..<batch.count).count { batch.offset(of: $0) >= storedBefore })
    }

    /// Looks for a silence between records. After they were read, since who was told to stop may be silent; each stop
    /// counts from its own record on, wherever batches end.
    private mutating func listen(to batch: RecordBatch) {
        if batch.count > 0 { dataset = batch[0].dataset }
        var stops = stops[...]
        for number in 0..<batch.count {
            let time = batch.time(of: number)
            while let stop = stops.first, stop < time {
                rhythm?.stop(at: stop)
                stops.removeFirst()
            }
            if let silence = rhythm?.take(time) { note(silence) }
        }
        for stop in stops { rhythm?.stop(at: stop) }
        self.stops = []
    }

    private mutating func note(_ silence: LogRhythm.Silence) {
        guard let kind = silenceKind else { return }
        events.append(SecurityEvent(silence, kind: kind))
    }

    /// What a silence of this log is.
    private var silenceKind: EventKind? { gapKinds[.time].map { $0.of(dataset.name) } }

    /// What a loss of bytes of this log's file is.
    public var lossKind: EventKind? { gapKinds[.bytes].map { $0.of(dataset.name) } }

    /// The silence that has lasted long enough at a moment by the clock on the wall; nil when there is none.
    public func silence(at now: LogTime) -> SecurityEvent? {
        guard let kind = silenceKind, let silence = rhythm?.due(at: now) else { return nil }
        return SecurityEvent(silence, kind: kind)
    }

    @inline(__always)
    private mutating func read(_ batch: RecordBatch, _ looks: [RecordLook], _ numbers: Range<Int>) {
        for number in numbers {
            if looks[number].isPassed {
                let printed = batch.time(of: number)
                if printed != .distantPast { _ = clock.advance(to: printed) }
            } else if !passes(looks[number], batch, number) {
                read(batch[number], looks[number])
            }
        }
    }

    /// Numbers of the record's session are missing before it: an event of the time of that record, which is what is known
    /// of the ones that are not there.
    mutating func note(_ gap: LineGap, _ record: LogRecord) {
        guard let kind = gapKinds[gap.counter],
            !rollUp.absorbs(kind, time: clock.now, offset: record.offset, at: clock.now),
            let session = record.text(.sessionID)
        else { return }
        let context = RecordContext(record: record, time: clock.now, before: clock.now, repeated: 0, facts: nil)
        var event = EventBuilder.event(context, kind: kind, keepsMessage: false)
        event.tell(of: gap, in: session)
        keep(event)
    }

    private mutating func look(at batch: RecordBatch) -> [RecordLook] {
        if sieve == nil { sieve = RecordSieve(catalogue) }
        return sieve?.look(at: batch) ?? []
    }

    /// True when a record changes nothing but the time: alone it means nothing, and nothing waits for its session.
    @inline(__always)
    private mutating func passes(_ look: RecordLook, _ batch: RecordBatch, _ number: Int) -> Bool {
        guard look.isQuiet else { return false }
        let printed = batch.time(of: number)
        guard printed >= clock.now, !logins.mayHold(slot: look.slot), !logins.mayExpire(at: printed),
            look.isNothing || !statements.mayHold(slot: look.slot, at: batch.offset(of: number))
        else { return false }
        _ = clock.advance(to: printed)
        return true
    }

    /// Says that no more records will come for now: sessions that are coming in are in, and how many events one stands
    /// for is told as far as it is known.
    public mutating func settle() {
        for login in logins.expired(at: nil) { emit(login) }
        tellCounts()
    }

    /// Says that the log is quiet, and may go on: sessions that were authorized are in. Of one of which less was written yet
    /// nothing is decided.
    public mutating func rest() {
        for login in logins.settled() { emit(login) }
        tellCounts()
    }

    /// Tells how many events one stands for, as far as it is known.
    public mutating func tellCounts() { rollUp.tell() }

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
        return statements.evidence + rollUp.take()
    }

    /// How many events, records that tell more of some, and connections through a proxy were found and not taken.
    public var found: Int { events.count + statements.evidence.count + rollUp.evidence.count + otherTexts.hops }

    /// True when there is evidence that was not taken.
    public var hasEvidence: Bool { !statements.evidence.isEmpty || !rollUp.evidence.isEmpty }

    /// What changed, since the last time, of what a reading that goes on at that offset must know of open sessions.
    public mutating func takeSessions(from offset: Int64) -> OpenSession.Changes {
        let groups = OpenSession.changes(statements.changes(from: offset), of: .statement)
        let facts = OpenSession.changes(facts.changes(from: offset), of: .facts)
        let logins = OpenSession.changes(diverted.changes(from: offset), of: .login)
        return OpenSession.Changes(
            void: groups.void + facts.void + logins.void, rows: groups.rows + facts.rows + logins.rows)
    }

    /// Gives the connections through a proxy found since the last time.
    public mutating func takeHops() -> [ProxyHop] { otherTexts.takeHops() }

    /// Gives the hourly counts since the last time.
    public mutating func takeActivity() -> [Activity: Int64] { activity.take() }

    /// Reads one record.
    mutating func read(_ record: LogRecord, _ look: RecordLook = .unseen) {
        if record.dataset != .postgresql { return readText(record, look) }
        let before = clock.now
        let time = clock.advance(to: record.time)
        // A clock that was set back says nothing about how long logins have waited.
        if time < before { settle() }
        if record.form == .diverted { advanceDiverted(record, time, before) }
        if !logins.isEmpty { advanceLogins(record, look, time) }
        if look.isQuiet, look.isNothing || !statements.isOpen(record) { return }
        if let head = look.counted, !statements.isOpen(record) { return count(audited: record, head, at: time) }
        let state = record.head(.sqlState)
        if state == PatternIndex.success, index.isUnknown(messageHead: record.head(.message)) {
            if TextFinder.mayBeRaised(record) { readRaised(record, time, before) }
            return
        }
        classify(record, look, state: state, time: time, before: before)
    }

    private mutating func advanceLogins(_ record: LogRecord, _ look: RecordLook, _ time: LogTime) {
        if logins.mayExpire(at: time) { for login in logins.expired(at: time) { emit(login) } }
        if look.hasSlot, !logins.mayHold(slot: look.slot) { return }
        let key = SessionKey(record)
        guard logins.mayHold(slot: key.slot) else { return }
        // Authenticated and authorized lines belong to the login and are seen to below.
        if record.head(.sqlState) == PatternIndex.success, record.equals(.commandTag, authenticationTag) { return }
        guard let login = logins.end(key) else { return }
        let refused = record.equals(.commandTag, startupTag) && fatal.contains { record.equals(.severity, $0) }
        if !refused { emit(login) }
    }

    /// A record of pgauditlogtofile: a login that waited for it is one, unless this refuses it.
    private mutating func advanceDiverted(_ record: LogRecord, _ time: LogTime, _ before: LogTime) {
        if record.head(.sqlState) == PatternIndex.success, record.equals(.commandTag, authenticationTag) { return }
        guard let login = diverted.next(record), let kind = loginKinds[login.pattern] else { return }
        if fatal.contains(where: { record.equals(.severity, $0) }) { return }
        let context = RecordContext(record: record, time: time, before: before, repeated: 0, facts: nil)
        var event = EventBuilder.event(context, kind: kind, keepsMessage: false)
        event.become(login)
        WeakLogins.mark(&event, variants)
        keep(event)
    }

    private mutating func emit(_ ended: LoginTracker.Login) {
        guard var event = ended.takeEvent() else { return }
        WeakLogins.mark(&event, variants)
        keep(event)
    }

    /// Keeps an event, with the words for what its names are made to look like.
    private mutating func keep(_ event: consuming SecurityEvent, isStored: Bool = false) {
        if rhythm != nil, event.kind.action == "server.stop" { stops.append(event.time) }
        events.append(event)
        texts.mark(&events[events.count - 1])
        let isKept = rollUp.keeps(events[events.count - 1], at: now)
        // Of what is read again, only how many there are is news.
        if !isKept || isStored { events.removeLast() }
    }

    private mutating func classify(
        _ record: LogRecord, _ look: RecordLook, state: UInt64, time: LogTime, before: LogTime
    ) {
        let seen = look.candidate.map { index.match(ofCandidate: $0) }
        guard let match = seen ?? index.match(record, state: state) else {
            if isFailedStatement(record) { return readFailure(record, nil, nil, time, before) }
            return readRaised(record, time, before)
        }
        let number = match.pattern
        if let counter = index.patterns[number].counter, isCounted, record.offset >= countFrom {
            activity.count(counter, record, at: time)
        }
        if record.form == .prefixed { facts.read(record, index.patterns[number]) }
        switch index.patterns[number].effect {
        case .counted:
            if index.patterns[number].session == .ended {
                statements.ended(context(record, time: time, before: before))
            }
        case .event(let kind):
            let object = index.patterns[number].object(of: record).map { ($0.type, String(escaping: $0.name)) }
            if isFailedStatement(record) { return readFailure(record, kind, object, time, before) }
            var event = EventBuilder.event(
                context(record, time: time, before: before), kind: variant(kind, of: record))
            EventBuilder.read(record, index.patterns[number].readings, scratch, into: &event)
            if let object { (event.objectType, event.objectName) = object }
            secrets.mark(message: &event, record)
            keep(event)
        case .statement(let carrier):
            // Most statements of a busy log end here, before anything is made of them.
            guard let template = index.template(of: match),
                seen != nil || statements.mayConcern(record, carrier, template)
            else { break }
            let context = context(record, time: time, before: before)
            switch carrier {
            case .logged: statements.logged(context, template)
            case .prepared: statements.timed(context, template, isPreparation: true)
            case .timed: statements.timed(context, template, isPreparation: false)
            case .ended: statements.ended(context)
            case .audited: readAudit(context)
            }
            takeStatements()
        case .evidence:
            let found = readings.found(record, index.patterns[number].readings, number, scratch)
            if record.form == .diverted { return diverted.note(record, found) }
            let login = login(of: record, time: time, before: before)
            if login.found.count < LoginTracker.mostFound { login.found += found }
        case .login(let kind):
            // Its message says what the columns say; logins are most of what a busy server's store holds.
            var event = EventBuilder.event(
                context(record, time: time, before: before), kind: variant(kind, of: record), keepsMessage: false)
            let found = readings.found(record, index.patterns[number].readings, number, scratch)
            if record.form == .diverted {
                return diverted.authorized(record, event, found, by: index.patterns[number].id)
            }
            for (field, value) in found { event.take(field, value) }
            login(of: record, time: time, before: before).event = event
        }
    }

    /// A record of another log than the server's.
    private mutating func readText(_ printed: LogRecord, _ look: RecordLook) {
        let before = clock.now
        let time =
            printed.time == .distantPast
            ? max(before, LogTime(milliseconds: 0)) : clock.advance(to: printed.time)
        let record = printed.time == .distantPast ? printed.dated(time) : printed
        let found = otherTexts.read(
            record, look, time: time, clockBefore: before, countedBy: &activity,
            counts: isCounted && record.offset >= countFrom)
        guard let found else { return }
        let kind = record.form == .disputed ? variants.tagged(found.kind, "forgery.attempt") : found.kind
        var event = EventBuilder.event(context(record, time: time, before: before), kind: kind)
        for (field, value) in found.values { event.take(field, value) }
        secrets.mark(message: &event, record)
        keep(event, isStored: record.offset < storedBefore)
    }

    /// What is known of a record beside its columns. Where it has no session id and line of its own, a number tells it
    /// from others like it.
    private mutating func context(_ record: LogRecord, time: LogTime, before: LogTime) -> RecordContext {
        let isNumbered =
            record.dataset == .postgresql && !record.isEmpty(.sessionID) && !record.isEmpty(.sessionLine)
        return RecordContext(
            record: record, time: time, before: before,
            repeated: isNumbered ? nil : repetitions.count(record, clockBefore: before), facts: facts.facts(of: record))
    }

    private func variant(_ kind: EventKind, of record: LogRecord) -> EventKind {
        EventBuilder.isReplicationLogin(record, kind) ? variants.tagged(kind, "conn.replication") : kind
    }

    /// Counts a record of pgaudit's that is nothing else.
    private mutating func count(audited record: LogRecord, _ head: Range<Int>, at time: LogTime) {
        if isCounted, record.offset >= countFrom { activity.count(audited: record, head, at: time) }
    }

    /// Counts a record of pgaudit's, whatever else becomes of it.
    private mutating func readAudit(_ context: RecordContext) {
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
        var kind = kind
        if let text = texts.kind(ofMessage: record) { kind = kind.map { texts.merge($0, text) } ?? text }
        statements.failed(context(record, time: time, before: before), kind, object)
        takeStatements()
    }

    /// A message that no pattern knows. What a client made the server write may be made to look like something else.
    private mutating func readRaised(_ record: LogRecord, _ time: LogTime, _ before: LogTime) {
        guard TextFinder.mayBeRaised(record), let kind = texts.kind(ofMessage: record) else { return }
        keep(EventBuilder.event(context(record, time: time, before: before), kind: kind))
    }

    private mutating func takeStatements() {
        guard !statements.events.isEmpty else { return }
        while let event = statements.events.popLast() { made.append(event) }
        while let event = made.popLast() { keep(event) }
    }

    /// The login that a record is part of, held until it is known whether the session gets in.
    private mutating func login(of record: LogRecord, time: LogTime, before: LogTime) -> LoginTracker.Login {
        let key = SessionKey(record)
        if let oldest = logins.displaced(by: key) { emit(oldest) }
        let login = logins.login(key, offset: record.offset, clockBefore: before)
        login.time = time
        return login
    }
}
