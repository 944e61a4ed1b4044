import GRDB
import VigilModel

/// Events of one commit as rules need them, for rules that follow the writer: they need not read them back.
public struct StoredEvents: Sendable {
    /// One event, in plain values.
    struct Event: Sendable {
        let seq: Int64
        let time: LogTime
        let kind, actor, count, source, offset, mark: Int64
        /// Which of the details handed over so far are its.
        let near: Int32
        /// Which commit it is of.
        let commit: Int32
        /// Which of its commit's actors it is of; -1: none of these, rules have met the actor lately.
        let who: Int32
    }

    /// In the order in which they were stored.
    var events: [Event] = []
    /// Details that come behind those handed over before.
    var details: [NearDetails] = []
    /// Actors that were not met lately, so that rules need not look for them in the store.
    var actors: [EventActor] = []
}

/// Gathers what the one writer stores, commit by commit, as long as nobody else stores anything between.
final class StoredEventsGatherer {
    private var stored = StoredEvents()
    /// Numbers of details by their texts.
    private var numbers: [Texts: Int32] = [:]
    private var recent = RecentTexts<Int32>()
    /// The row of the last event in the store.
    private var row: Int64
    /// Commits handed over so far.
    private var commit: Int32 = 0
    /// Somebody else wrote, or a commit failed, or there are too many different details to remember.
    private var isBroken = false

    /// Application, SQLSTATE and command tag.
    private typealias Texts = RecentTexts<Int32>.Key

    private static let limit = 20_000

    /// Takes the row of the last event in the store.
    init(behind row: Int64) { self.row = row }

    /// Takes an event that was stored, and whether its actor was met lately.
    @inline(__always)
    func add(
        _ event: UnsafePointer<SecurityEvent>, seq: Int64, kind: Int64, actor: Int64, isMet: Bool, source: Int64
    ) {
        guard !isBroken, seq == row + 1 else { return fail() }
        row = seq
        let texts = Texts(
            first: event.pointee.applicationName, second: event.pointee.sqlState, third: event.pointee.operation)
        let near = recent.entry(of: texts) { number(of: texts) }
        if !isMet { stored.actors.append(event.pointee.actor) }
        stored.events.append(
            StoredEvents.Event(
                seq: seq, time: event.pointee.time, kind: kind, actor: actor, count: event.pointee.count,
                source: source, offset: event.pointee.offset, mark: event.pointee.identity.mark,
                near: near, commit: commit, who: isMet ? -1 : Int32(stored.actors.count - 1)))
    }

    /// Nothing can be handed over any more.
    func fail() {
        isBroken = true
        stored = StoredEvents()
    }

    /// What was stored since the last time; nil when that is not all.
    func take() -> StoredEvents? {
        guard !isBroken else { return nil }
        defer {
            stored = StoredEvents()
            commit += 1
        }
        return stored
    }

    private func number(of texts: Texts) -> Int32 {
        if let number = numbers[texts] { return number }
        guard numbers.count < StoredEventsGatherer.limit else {
            fail()
            return 0
        }
        let number = Int32(numbers.count)
        numbers[texts] = number
        stored.details.append(
            NearDetails(
                application: texts.first?.asStored, sqlState: texts.second?.asStored,
                operation: texts.third?.asStored))
        return number
    }
}

/// Events that were stored and that rules have not been over: what is due of them, in the order of their time.
public struct StoredEventsQueue {
    private var waiting: [StoredEvents.Event] = []
    private var details: [NearDetails] = []
    private var actors = CommitActors()
    /// Some are missing, or would have taken too much memory: the store must be asked.
    private var isBroken = false

    private static let limit = 100_000

    /// Nothing was stored yet.
    public init() {}

    /// Takes what a commit stored; nil: not all of it is known.
    public mutating func add(_ stored: StoredEvents?) {
        guard !isBroken, let stored, waiting.count + stored.events.count <= StoredEventsQueue.limit else {
            self = StoredEventsQueue()
            isBroken = true
            return
        }
        waiting += stored.events
        details += stored.details
        actors.lists.append(stored.actors)
    }

    /// Takes out the events up to a moment; nil when the store must be asked for them.
    public mutating func take(through: LogTime) -> StoredEventsSpan? {
        guard !isBroken else { return nil }
        var due: [StoredEvents.Event] = []
        var rest: [StoredEvents.Event] = []
        for event in waiting {
            if event.time <= through { due.append(event) } else { rest.append(event) }
        }
        waiting = rest
        defer { actors.forget(before: rest.lazy.map(\.commit).min()) }
        // What has the same time is put in order where sources are known.
        due.sort { ($0.time, $0.seq) < ($1.time, $1.seq) }
        return StoredEventsSpan(events: due, details: details, actors: actors)
    }
}

/// All events of a time, in its order.
public struct StoredEventsSpan: Sendable {
    let events: [StoredEvents.Event]
    /// Those of earlier spans first.
    let details: [NearDetails]
    let actors: CommitActors
}

/// The actors of some commits, one behind the other.
struct CommitActors: Sendable {
    fileprivate var lists: [[EventActor]] = []
    /// The number of the first of those commits.
    private var first: Int32 = 0

    /// The actor of an event; nil when its commit did not tell who that is.
    subscript(event: StoredEvents.Event) -> EventActor? {
        event.who < 0 ? nil : lists[Int(event.commit - first)][Int(event.who)]
    }

    /// Lets those go that no event is of; nil: all.
    fileprivate mutating func forget(before commit: Int32?) {
        let count = commit.map { Int($0 - first) } ?? lists.count
        lists.removeFirst(count)
        first += Int32(count)
    }
}
