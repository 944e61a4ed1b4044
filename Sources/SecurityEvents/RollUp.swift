import VigilModel

/// Keeps a flood of like events from filling the store: beyond 1,000 in one minute of event time, one event stands for
/// the rest, and evidence says how many they are.
///
/// Like are events of the same kind (action, outcome, reason, tags), address, user and database, and for statements the
/// same operation and object. Holes in a log are alike whoever's session they are in. That one event is written when it comes, so that rules see it in time; its number follows
/// when the minute is over, or when reading pauses. Until then reading would go on from its record: a number told twice
/// is the same evidence, and the largest holds.
struct RollUp {
    /// Like events in a minute that are kept one by one.
    static let limit: Int64 = 1000
    /// Milliseconds behind a minute's end within which an event of it may still come: sessions that are coming in wait.
    fileprivate static let patience: Int64 = 5000
    /// So many different events a minute are counted; others are kept one by one.
    fileprivate static let mostKeys = 1 << 18

    /// How many there were, of which evidence is due.
    private(set) var evidence: [EventEvidence] = []
    private var newer = Minute(number: .min)
    private var older = Minute(number: .min)
    /// Kinds of events that tell of the log and not of who is named in them, by their words.
    private let kindsOfLog: Set<Int>

    /// Takes the kinds of events that tell of the log itself.
    init(ofLog kinds: [EventKind] = []) { kindsOfLog = Set(kinds.map(\.words)) }

    fileprivate struct Minute {
        let number: Int64
        var counts: [Int: Int64] = [:]
        var groups: [Int: Group] = [:]

        init(number: Int64) { self.number = number }

        /// The first moment at which no event of it comes any more.
        var end: Int64 { number == .min ? .min : (number + 1) * 60_000 + RollUp.patience }
    }

    /// Events that one stands for.
    fileprivate struct Group {
        let first: EventIdentity
        let content: Int64
        let kind: EventKind
        let address: String?
        var oldest: (offset: Int64, clock: LogTime)
        var last: LogTime
        var count: Int64 = 1
        var told: Int64 = 1
    }

    private static func minute(_ time: LogTime) -> Int64 { time.milliseconds.flooredQuotient(60_000) }

    /// True when an event is to be kept; otherwise it was added to the one that stands for it. `now` is the source's time.
    mutating func keeps(_ event: borrowing SecurityEvent, at now: LogTime) -> Bool {
        turn(to: RollUp.minute(now))
        let minute = RollUp.minute(event.time)
        if minute == newer.number { return newer.keeps(event, likeness(event)) }
        return minute != older.number || older.keeps(event, likeness(event))
    }

    /// Adds an event that tells of the log to the one that stands for its like, if there is one by now: it need not be made.
    mutating func absorbs(_ kind: EventKind, time: LogTime, offset: Int64, at now: LogTime) -> Bool {
        turn(to: RollUp.minute(now))
        guard RollUp.minute(time) == newer.number, kindsOfLog.contains(kind.words) else { return false }
        return newer.absorbs(kind.words, time: time, offset: offset)
    }

    /// Counts an event that was kept by an earlier reading.
    mutating func recall(_ event: borrowing SecurityEvent, at now: LogTime) {
        turn(to: RollUp.minute(now))
        let minute = RollUp.minute(event.time)
        if minute == newer.number { newer.counts[likeness(event), default: 0] += event.count }
        // What was late may belong to the minute before.
        if minute == newer.number - 1 {
            if older.number != minute { older = Minute(number: minute) }
            older.counts[likeness(event), default: 0] += event.count
        }
    }

    /// Ends minutes that are over.
    mutating func advance(to now: LogTime) {
        guard newer.groups.count + older.groups.count > 0 else { return }
        if older.end <= now.milliseconds { evidence += older.close() }
        if newer.end <= now.milliseconds { evidence += newer.close() }
    }

    /// Says how many there are so far.
    mutating func tell() {
        guard newer.groups.count + older.groups.count > 0 else { return }
        evidence += older.tell() + newer.tell()
    }

    /// Gives the evidence that is due.
    mutating func take() -> [EventEvidence] {
        defer { evidence = [] }
        return evidence
    }

    /// The oldest record of an event whose number is not known yet, and the source's time there.
    var held: (offset: Int64, clockBefore: LogTime)? {
        guard newer.groups.count + older.groups.count > 0 else { return nil }
        return [older, newer].flatMap(\.groups.values).map(\.oldest).min { $0.offset < $1.offset }
            .map { ($0.offset, $0.clock) }
    }

    private mutating func turn(to minute: Int64) {
        guard minute != newer.number else { return }
        evidence += older.close()
        older = newer
        newer = Minute(number: minute)
    }

    /// A number that tells like events from others: seeded anew in each process, so that nobody can make names that meet.
    private func likeness(_ event: borrowing SecurityEvent) -> Int {
        if kindsOfLog.contains(event.kind.words) { return event.kind.words }
        var hasher = Hasher()
        hasher.combine(event.kind.words)
        hasher.combine(event.actor)
        if let operation = event.operation {
            hasher.combine(operation)
            hasher.combine(event.objectType)
            hasher.combine(event.objectName)
            hasher.combine(event.targetUser)
        }
        return hasher.finalize()
    }
}

extension RollUp.Minute {
    /// Tells what is known, and lets go of it: no event will be added.
    fileprivate mutating func close() -> [EventEvidence] {
        guard !groups.isEmpty else { return [] }
        defer { groups = [:] }
        return tell()
    }

    /// The numbers that grew since they were told last, in the order of the events.
    fileprivate mutating func tell() -> [EventEvidence] {
        let grown = groups.filter { $0.value.count > $0.value.told }
        return grown.sorted { $0.value.oldest.offset < $1.value.oldest.offset }.map { key, group in
            groups[key]?.told = group.count
            return EventEvidence(
                counting: group.count, increase: group.count - group.told, event: group.first, content: group.content,
                kind: group.kind, address: group.address,
                time: group.last, offset: group.oldest.offset)
        }
    }

    fileprivate mutating func keeps(_ event: borrowing SecurityEvent, _ key: Int) -> Bool {
        guard let count = counts[key] else {
            if counts.count < RollUp.mostKeys { counts[key] = 1 }
            return true
        }
        counts[key] = count + 1
        if count < RollUp.limit { return true }
        if absorbs(key, time: event.time, offset: event.offset) { return false }
        groups[key] = RollUp.Group(
            first: event.identity, content: event.content, kind: event.kind, address: event.actor.address,
            oldest: (event.offset, event.time), last: event.time)
        return true
    }

    fileprivate mutating func absorbs(_ key: Int, time: LogTime, offset: Int64) -> Bool {
        guard let index = groups.index(forKey: key) else { return false }
        groups.values[index].count += 1
        groups.values[index].last = max(groups.values[index].last, time)
        if offset < groups.values[index].oldest.offset { groups.values[index].oldest = (offset, time) }
        return true
    }
}

extension Int64 {
    /// Division that rounds down.
    fileprivate func flooredQuotient(_ divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
