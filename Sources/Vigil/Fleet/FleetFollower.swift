import EventStore
import Foundation
import HTTPTransport
import LogRecords
import LogSources
import VigilModel

/// Follows a server of logs while `watch` runs, on a thread of its own.
///
/// The server numbers nothing and promises no order, so what was read is read again: at each look the last two minutes,
/// and now and then the last hour. Which rows are new the store knows.
final class FleetFollower: @unchecked Sendable {
    // Unchecked: what threads share is guarded by the condition; the rest belongs to the follower's thread.
    private let condition = NSCondition()
    private var isStopping = false
    private var isRunning = false
    private var messages: [String] = []
    private var reached: LogTime?
    private var workedAt = Date.distantPast

    private let source: FleetSource
    private let store: Store
    private let reader: FleetReader
    private let meter: WatchMeter
    private let cancellation = HTTPClient.Cancellation()
    private var cursor: ReadingCursor?
    private var deepAt = Date.distantPast
    private var problem: String?

    /// Seconds between two looks, and between two that look far back.
    private static let interval = 5.0
    private static let deepInterval = 600.0
    /// Milliseconds that are read again.
    private static let lookback: (usual: Int64, deep: Int64) = (120_000, FleetReplay.lookback)
    /// Seconds after which rules do not wait any more for a server that does not answer.
    private static let patience = 60.0
    /// Milliseconds by which a login's own time may lie before that of its row.
    private static let slack: Int64 = 8000

    init(_ source: FleetSource, store: Store, reader: FleetReader, meter: WatchMeter = WatchMeter()) {
        self.source = source
        self.store = store
        self.reader = reader
        self.meter = meter
    }

    /// Up to where its events are known; nil while the server does not answer.
    var horizon: LogTime? {
        condition.withLock {
            guard Date().timeIntervalSince(workedAt) < FleetFollower.patience else { return nil }
            return reached.map { $0.adding(milliseconds: source.isReceived ? -FleetFollower.slack : 0) }
        }
    }

    /// What there is to say since the last time.
    func takeMessages() -> [String] {
        condition.withLock {
            defer { messages = [] }
            return messages
        }
    }

    func start() throws {
        cursor = try store.cursor(source.cursorName)
        condition.withLock {
            isRunning = true
            // Rules wait for the first look, not for ever.
            workedAt = Date()
            reached = cursor?.reached ?? FleetReplay.beginning
        }
        Thread.detachNewThread { [self] in
            warnOfGap()
            while !condition.withLock({ isStopping }) {
                let isDone = look()
                condition.withLock {
                    if !isStopping, isDone {
                        _ = condition.wait(until: Date(timeIntervalSinceNow: FleetFollower.interval))
                    }
                }
            }
            condition.withLock {
                isRunning = false
                condition.broadcast()
            }
        }
    }

    /// Ends what is under way, and waits for that.
    func stop() {
        cancellation.cancel()
        condition.withLock {
            isStopping = true
            condition.broadcast()
            while isRunning { condition.wait() }
        }
    }

    private func say(_ text: String) {
        condition.withLock { if messages.count < 1000 { messages.append(text) } }
    }

    /// Reads what is there; true when it is time to wait.
    private func look() -> Bool {
        do {
            try read()
            if problem != nil { say("\(Shown.text(source.name)): answers again") }
            problem = nil
        } catch {
            if !cancellation.isCancelled, problem == nil {
                meter.note(rows: StreamReader.Count(), of: source.name, kind: "victorialogs", isUp: false)
                say("cannot read \(error); it is tried again from where it was")
                problem = "\(error)"
            }
        }
        return true
    }

    private func read() throws {
        let now = LogTime.wallClock
        let end = TimeWindow(from: now, to: now).from.adding(milliseconds: -source.delay)
        let isDeep = Date().timeIntervalSince(deepAt) >= FleetFollower.deepInterval
        let from: LogTime
        if let cursor {
            let back = isDeep ? FleetFollower.lookback.deep : FleetFollower.lookback.usual
            from = cursor.reached.adding(milliseconds: -back)
        } else {
            from = source.span.map { end.adding(milliseconds: -$0) } ?? FleetReplay.beginning
        }
        let span = TimeWindow(from: max(from, FleetReplay.beginning), to: end)
        guard !span.isEmpty else { return }
        let fetcher = WindowFetcher(source, span, cancellation: cancellation)
        defer { fetcher.end() }
        while let window = try fetcher.next() { try take(window.rows, upTo: window.window.to) }
        try take([], upTo: span.to)
        if isDeep { deepAt = Date() }
    }

    private func take(_ rows: [VectorRow], upTo end: LogTime) throws {
        var next = cursor ?? ReadingCursor(name: source.cursorName, reached: end)
        let isNews = end > next.reached || cursor == nil
        next.reached = max(next.reached, end)
        let count = try reader.commit(
            rows, through: end, cursor: isNews ? next : nil,
            FleetReader.Manner(isReceived: source.isReceived, timezone: source.timezone))
        next.late += Int64(count.late)
        cursor = next
        meter.note(rows: count, of: source.name, kind: "victorialogs", isUp: true, lastRecord: end)
        condition.withLock {
            workedAt = Date()
            reached = next.reached
        }
    }

    /// What the server no longer has was never read.
    private func warnOfGap() {
        guard let gap = FleetGap(source, from: cursor?.reached, cancellation) else { return }
        meter.note { $0.sources[source.name, default: .init()].gapSeconds = gap.seconds }
        say(gap.text)
    }
}
