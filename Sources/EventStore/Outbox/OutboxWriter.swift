import GRDB
import Synchronization
import VigilModel

/// Puts what a transaction wrote into the outbox of the sinks that want it.
final class OutboxWriter: Sendable {
    /// A sink and what it wants.
    fileprivate struct Taker: Sendable {
        let sink: Int64
        let subscription: Subscription
    }

    private let takers = Mutex<[Taker]>([])

    /// From now on these sinks get what they want of what is written.
    func subscribe(_ subscriptions: [(sink: Int64, subscription: Subscription)]) {
        takers.withLock { $0 = subscriptions.map { Taker(sink: $0.sink, subscription: $0.subscription) } }
    }

    /// The last event and alert before a transaction writes; nil when nobody wants any.
    struct Mark {
        fileprivate let takers: [Taker]
        fileprivate let event, alert: Int64
    }

    func mark(_ db: Database) throws -> Mark? {
        let takers = takers.withLock { $0 }
        guard !takers.isEmpty else { return nil }
        return Mark(
            takers: takers, event: try Int64.fetchOne(db, sql: "SELECT max(seq) FROM events") ?? 0,
            alert: try Int64.fetchOne(db, sql: "SELECT max(seq) FROM alerts") ?? 0)
    }

    /// Queues what was written since the mark.
    func queue(since mark: Mark?, _ db: Database) throws {
        guard let mark else { return }
        let now = LogTime.wallClock.milliseconds
        for taker in mark.takers {
            if taker.subscription.events {
                let insert = try db.cachedStatement(
                    sql: """
                        INSERT INTO outbox (sink, kind, item, written)
                        SELECT ?, \(Delivery.Kind.event.rawValue), seq, ? FROM events WHERE seq > ?
                        """)
                try insert.execute(arguments: [taker.sink, now, mark.event])
            }
            if let severity = taker.subscription.alerts {
                let insert = try db.cachedStatement(
                    sql: """
                        INSERT INTO outbox (sink, kind, item, written)
                        SELECT ?, \(Delivery.Kind.alert.rawValue), seq, ? FROM alerts WHERE seq > ? AND time >= ?
                            AND severity IN (\(severity.andAbove))
                        """)
                let oldest = taker.subscription.oldest.map { now - $0 } ?? LogTime.distantPast.milliseconds
                try insert.execute(arguments: [taker.sink, now, mark.alert, oldest])
            }
        }
    }

    /// Queues events that say more than they did, but for those that the transaction wrote itself. `events` is SQL that
    /// gives their numbers.
    func amend(_ events: String, _ arguments: StatementArguments, since mark: Mark?, _ db: Database) throws {
        guard let mark else { return }
        for taker in mark.takers where taker.subscription.events {
            let insert = try db.cachedStatement(
                sql: """
                    INSERT INTO outbox (sink, kind, item, written)
                    SELECT ?, \(Delivery.Kind.event.rawValue), s.seq, ? FROM (\(events)) s JOIN sinks k ON k.id = ?
                    WHERE s.seq <= ? AND s.seq > k.after_event
                    ON CONFLICT DO UPDATE SET version = version + 1
                    """)
            try insert.execute(
                arguments: [taker.sink, LogTime.wallClock.milliseconds] + arguments + [taker.sink, mark.event])
        }
    }
}

extension Severity {
    /// The words for this one and those above it, for SQL's IN.
    var andAbove: String { Severity.allCases.filter { $0 >= self }.map { "'\($0.rawValue)'" }.joined(separator: ", ") }
}

extension Store {
    /// From now on, what is written is queued for these sinks as they want it. Gives the sinks' numbers, in order.
    public func subscribe(_ subscriptions: [Subscription]) throws -> [Int64] {
        let sinks = try pool.write { db in
            try subscriptions.map { subscription in
                try db.execute(
                    sql: """
                        INSERT INTO sinks (name, after_event) VALUES (?, (SELECT coalesce(max(seq), 0) FROM events))
                        ON CONFLICT DO NOTHING
                        """, arguments: [subscription.name])
                return try Int64.fetchOne(
                    db, sql: "SELECT id FROM sinks WHERE name = ?", arguments: [subscription.name]) ?? 0
            }
        }
        outbox.subscribe(zip(sinks, subscriptions).map { ($0, $1) })
        return sinks
    }
}
