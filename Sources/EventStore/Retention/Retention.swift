import GRDB
import VigilModel

/// Lets go what has had its time, and ordinary events when there is no more room, in transactions of milliseconds.
///
/// Time is event time: an age counts from the newest record that was read, and never from a moment that the clock on the
/// wall has not reached, so that neither an archive that is read late nor a clock that is wrong empties the store.
public final class Retention {
    private let writer: StoreWriter
    private let store: Store
    private let limits: RetentionLimits
    private var round: [any Pruning] = []
    private var isSweepDue = true

    /// Milliseconds of a transaction.
    private static let transaction = 15

    /// Takes the writer of a store: what it remembers of rows that go is forgotten.
    public init(_ writer: StoreWriter, _ limits: RetentionLimits) throws {
        (self.writer, self.limits) = (writer, limits)
        store = writer.store
        // Whatever refers to a row that goes, goes with it: that need not be looked up for each.
        try store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA foreign_keys = OFF") }
    }

    /// True while a round is under way.
    public var isWorking: Bool { !round.isEmpty }

    /// Begins a round, unless one is under way. With `sweep` actors and sources without events are looked for, too, when
    /// events went since the last time.
    public func begin(sweep: Bool = false, now: LogTime = .wallClock) throws {
        guard !isWorking, let newest = try store.lastRecordTime().map({ min($0, now) }) else { return }
        let (events, alerts) = (
            newest.adding(milliseconds: -limits.events), newest.adding(milliseconds: -limits.alerts)
        )
        round = [JournalPruning(table: .alerts, before: alerts), EventPruning(before: events)]
        if try isFull() { round += roomPruning(newest) }
        round += [
            HopPruning(before: events), JournalPruning(table: .bans, before: alerts),
            JournalPruning(table: .acts, before: now.adding(milliseconds: -limits.alerts)),
            LeftoverPruning(events: events, alerts: alerts),
        ]
        isSweepDue = isSweepDue || sweep
        if isSweepDue { round += [ActorPruning(), SourcePruning(before: events)] as [any Pruning] }
    }

    /// Begins to make room when there is none; cheap enough to be asked every few seconds.
    public func beginIfFull(now: LogTime = .wallClock) throws {
        guard !isWorking, try isFull(), let newest = try store.lastRecordTime() else { return }
        round = roomPruning(min(newest, now))
    }

    private func isFull() throws -> Bool {
        guard let size = limits.size else { return false }
        return try store.pool.read(StoreSize.init).used > size
    }

    /// Makes a little more room than is needed, so that it need not be made again at once.
    private func roomPruning(_ newest: LogTime) -> [any Pruning] {
        limits.size.map { [EventPruning(before: newest, room: $0 / 100 * 97)] } ?? []
    }

    /// Goes on with the round for one transaction. Gives what went.
    public func step() throws -> RetentionResult {
        guard var first = round.first else { return RetentionResult() }
        let (went, hasMore) = try store.pool.write { db in
            try first.step(db, Deadline(milliseconds: Retention.transaction))
        }
        if hasMore { round[0] = first } else { round.removeFirst() }
        if !hasMore, let full = first as? EventPruning, full.room != nil, full.reached > .distantPast {
            // Connections that no event came over any more.
            round.insert(HopPruning(before: full.reached), at: 0)
        }
        if first is SourcePruning, !hasMore { isSweepDue = false }
        if went.rows["actors"] != nil || went.rows["sources"] != nil { writer.forget() }
        return went
    }

    /// A whole round at once, for who does nothing else.
    public func run() throws -> RetentionResult {
        var total = RetentionResult()
        try begin(sweep: true)
        while isWorking { total.add(try step()) }
        return total
    }
}
