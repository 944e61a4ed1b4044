import Foundation
import GRDB
import VigilModel

/// How a store grows, by its events of the last days, and when there is no more room for it.
public struct StoreForecast: Sendable {
    /// Bytes of the file that hold something, and bytes that are free on its disk.
    public let used, free: Int64
    /// Events and bytes that a day brings: the last day, or the mean of the last seven where that is more.
    public let eventsPerDay, bytesPerDay: Double
    /// Bytes that the store may take; nil for no limit.
    public let limit: Int64?
    /// Days until the store has so many bytes, and until the disk is full; nil when events go by age before that.
    public let daysToLimit, daysToFull: Double?

    /// Bytes of an event with all that goes with it, where there are too few to tell.
    private static let usual = 400.0
    private static let day = 86_400_000.0

    init(_ db: Database, path: String, limits: RetentionLimits) throws {
        used = try StoreSize(db).used
        limit = limits.size
        var room = statvfs()
        free = statvfs(path, &room) == 0 ? Int64(room.f_bavail) * Int64(room.f_frsize) : .max
        guard let newest = try Store.lastRecordTime(db)?.milliseconds,
            let oldest = try Int64.fetchOne(db, sql: "SELECT min(time) FROM events")
        else {
            (eventsPerDay, bytesPerDay, daysToLimit, daysToFull) = (0, 0, nil, nil)
            return
        }
        func count(days: Double) throws -> Double {
            let from = newest - Int64(days * StoreForecast.day)
            let count = try Int64.fetchOne(
                db, sql: "SELECT count(*) FROM events WHERE time > ? AND time <= ?", arguments: [from, newest])
            // Of a log that is younger, what an hour of it would come to.
            let span = min(days, max(Double(max(0, newest - oldest)) / StoreForecast.day, 1.0 / 24))
            return Double(count ?? 0) / span
        }
        eventsPerDay = max(try count(days: 1), try count(days: 7))
        let written = try Int64.fetchOne(
            db,
            sql: """
                SELECT last - (SELECT coalesce(sum(p.last - p.first + 1), 0) FROM pruned p WHERE p.tbl = 'events')
                FROM heads WHERE tbl = 'events'
                """)
        let events = Double(written ?? 0)
        let size = events < 1000 ? StoreForecast.usual : Double(used) / events
        bytesPerDay = eventsPerDay * size
        // With age alone it would come to this.
        let steady = bytesPerDay * Double(limits.events) / StoreForecast.day
        let (used, perDay) = (Double(used), bytesPerDay)
        func days(until bytes: Double) -> Double? {
            steady > bytes && perDay > 0 ? max(0, bytes - used) / perDay : nil
        }
        daysToLimit = limits.size.flatMap { days(until: Double($0)) }
        daysToFull = free == .max ? nil : days(until: used + Double(free))
    }

    /// Days until the first of both; nil when neither comes.
    public var days: Double? { [daysToLimit, daysToFull].compactMap { $0 }.min() }
}

extension Store {
    /// How the store grows.
    public func forecast(_ limits: RetentionLimits) throws -> StoreForecast {
        try pool.read { try StoreForecast($0, path: path, limits: limits) }
    }
}
