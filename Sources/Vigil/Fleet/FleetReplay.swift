import EventStore
import Foundation
import HTTPTransport
import LogSources
import Patterns
import VigilModel

/// Reads a server of logs once, from where an earlier reading ended.
struct FleetReplay {
    private let source: FleetSource
    private let store: Store
    private let reader: FleetReader

    /// Before this there are no logs.
    static let beginning = LogTime(milliseconds: 946_684_800_000)
    /// What came behind the last reading is looked for so far back, in milliseconds.
    static let lookback: Int64 = 3_600_000

    init(_ source: FleetSource, store: Store, catalogue: EventCatalogue) {
        self.source = source
        self.store = store
        reader = FleetReader(store: store, catalogue: catalogue)
    }

    /// Reads rows of a time span, whole without one. `progress` gets the number of rows so far.
    func run(
        since: LogTime?, until: LogTime?, _ summary: inout ReplaySummary, progress: (Int64) -> Void
    ) throws {
        let now = LogTime.wallClock
        let known = try store.cursor(source.cursorName)
        let isWhole = since == nil && until == nil
        let from =
            since ?? known.map { max(FleetReplay.beginning, $0.reached.adding(milliseconds: -FleetReplay.lookback)) }
            ?? FleetReplay.beginning
        let span = TimeWindow(from: from, to: until ?? now.adding(milliseconds: 1000))
        var cursor = known ?? ReadingCursor(name: source.cursorName, reached: from)
        let manner = FleetReader.Manner(isReceived: source.isReceived, timezone: source.timezone)
        let cancellation = HTTPClient.Cancellation()
        if isWhole, let gap = FleetGap(source, from: known?.reached, cancellation) {
            summary.lostRows.append(gap.text)
        }
        let fetcher = WindowFetcher(source, span, cancellation: cancellation)
        defer {
            cancellation.cancel()
            fetcher.end()
        }
        var result = summary
        func take(_ window: WindowFetcher.Window?, through: LogTime?) throws {
            // Of a part nothing is known of what lies before it. What comes late is looked for again.
            let end = min(window?.window.to ?? span.to, now.adding(milliseconds: -source.delay))
            if isWhole { cursor.reached = max(cursor.reached, end) }
            let count = try reader.commit(
                window?.rows ?? [], through: through, cursor: isWhole ? cursor : nil, manner
            ) { ingests, written in
                result.count(ingests)
                result.result.add(written)
            }
            cursor.late += Int64(count.late)
            result.rows += count.read + count.known
            result.repeatedRows += count.known
            result.lateRows += count.late
            progress(Int64(result.rows))
        }
        while let window = try fetcher.next() { try take(window, through: window.window.to) }
        try take(nil, through: nil)
        summary = result
        summary.servers += 1
    }
}
