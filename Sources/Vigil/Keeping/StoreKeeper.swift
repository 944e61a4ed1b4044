import EventStore
import Foundation
import VigilModel

/// What `watch` does for its store beside writing events: lets go what has had its time, writes the head of the chain to
/// the log, looks how long there will be room. All of it between two commits, in milliseconds.
final class StoreKeeper {
    private let store: Store
    private let retention: Retention
    private let limits: RetentionLimits
    private let meter: WatchMeter
    private var roundAt = Date().addingTimeInterval(60)
    private var fullAt = Date().addingTimeInterval(5)
    private var headAt = Date().addingTimeInterval(3600)
    private var sweptAt = Date()
    private var saidFullAt = Date.distantPast
    private var went = RetentionResult()

    /// Transactions at a time while a flood fills the store.
    private static let mostSteps = 20
    /// With fewer days left it is said.
    private static let nearDays = 7.0

    init(_ store: Store, _ writer: StoreWriter, _ limits: RetentionLimits, meter: WatchMeter) throws {
        (self.store, self.limits, self.meter) = (store, limits, meter)
        retention = try Retention(writer, limits)
    }

    /// A line with the head of the chain: kept elsewhere, it proves what was there by now.
    func head() throws -> String { "head \(try store.head())" }

    /// True while there is something to let go.
    var isWorking: Bool { retention.isWorking }

    /// Does what is due, for some milliseconds. Gives what there is to say.
    func turn(at now: Date = Date()) throws -> [String] {
        var messages: [String] = []
        if now >= headAt {
            headAt = now.addingTimeInterval(3600)
            messages.append(try head())
        }
        if !retention.isWorking {
            if now >= roundAt {
                roundAt = now.addingTimeInterval(3600)
                let isDaily = now.timeIntervalSince(sweptAt) > 86_400
                if isDaily { sweptAt = now }
                try retention.begin(sweep: isDaily)
                messages += try forecast(now)
            } else if now >= fullAt {
                fullAt = now.addingTimeInterval(5)
                try retention.beginIfFull()
            }
        }
        if retention.isWorking {
            var steps = 0
            repeat {
                let step = try retention.step()
                went.add(step)
                meter.note { counts in step.rows.forEach { counts.pruned[$0.key, default: 0] += Int64($0.value) } }
                steps += 1
            } while went.isPressing && steps < StoreKeeper.mostSteps
            if !retention.isWorking { messages += said(now) }
        }
        return messages
    }

    /// What a round came to.
    private func said(_ now: Date) -> [String] {
        defer { went = RetentionResult() }
        var messages: [String] = []
        if went.count > 0 {
            let rows = went.rows.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            messages.append("retention: \(rows.joined(separator: ", ")) went")
        }
        if went.isOverfull, now.timeIntervalSince(saidFullAt) > 86_400 {
            saidFullAt = now
            messages.append(
                "retention: the store is larger than `size`, and nothing ordinary is left that may go: give it more room"
            )
        }
        return messages
    }

    private func forecast(_ now: Date) throws -> [String] {
        let forecast = try store.forecast(limits)
        meter.note { $0.forecastDays = forecast.days }
        guard let days = forecast.days, days < StoreKeeper.nearDays else { return [] }
        return [
            "warning: at the rate of the last days (\(Int64(forecast.eventsPerDay)) events, "
                + "\(Int64(forecast.bytesPerDay / 1_000_000)) MB a day) "
                + (days == forecast.daysToLimit
                    ? "the store reaches `retention: size` in \(StoreKeeper.text(days)): then the oldest ordinary events go"
                    : "the disk is full in \(StoreKeeper.text(days)): give it room, or set `retention: size` lower")
        ]
    }

    private static func text(_ days: Double) -> String {
        days < 1.0 / 24 ? "less than an hour" : Shown.duration(Int64(days * 86_400_000))
    }
}
