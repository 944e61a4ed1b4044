import VigilModel

/// A half-open span of time on whole seconds: rows of one moment are never parted.
public struct TimeWindow: Sendable, Equatable {
    /// From this moment on.
    public let from: LogTime
    /// Before that.
    public let to: LogTime

    /// Takes both, widened to whole seconds.
    public init(from: LogTime, to: LogTime) {
        self.from = LogTime(milliseconds: TimeWindow.second(from.milliseconds))
        self.to = LogTime(milliseconds: TimeWindow.second(to.milliseconds + 999))
    }

    /// The whole second before, or at, a moment.
    private static func second(_ milliseconds: Int64) -> Int64 {
        let rest = milliseconds % 1000
        return milliseconds - (rest < 0 ? rest + 1000 : rest)
    }

    /// True when nothing is in it.
    public var isEmpty: Bool { from >= to }

    /// Both halves; nil for one second, which is not divided.
    public var halves: (TimeWindow, TimeWindow)? {
        let seconds = (to.milliseconds - from.milliseconds) / 1000
        guard seconds > 1 else { return nil }
        let middle = from.adding(milliseconds: seconds / 2 * 1000)
        return (TimeWindow(from: from, to: middle), TimeWindow(from: middle, to: to))
    }

    /// As LogsQL writes it (`_time:[a, b)`): never by the server's own `start` and `end`, which mean different things in
    /// different versions.
    public var condition: String { "_time:[\(from), \(to))" }
}

/// Cuts a span into windows that are not too large, in order.
public struct WindowPlan: Sendable {
    /// How much a window holds.
    public struct Load: Sendable {
        /// Rows.
        public var rows: Int
        /// Bytes of their long texts.
        public var bytes: Int

        /// Takes both.
        public init(rows: Int, bytes: Int) {
            self.rows = rows
            self.bytes = bytes
        }
    }

    private var waiting: [TimeWindow]
    private let limit: Load

    /// Cuts that span.
    public init(_ whole: TimeWindow, limit: Load) {
        waiting = whole.isEmpty ? [] : [whole]
        self.limit = limit
    }

    /// The next window that holds something; `load` asks how much one does. Nil at the end.
    public mutating func next(_ load: (TimeWindow) throws -> Load) rethrows -> TimeWindow? {
        while let window = waiting.last {
            let found = try load(window)
            waiting.removeLast()
            if found.rows == 0 { continue }
            guard found.rows > limit.rows || found.bytes > limit.bytes, let (first, second) = window.halves else {
                return window
            }
            waiting += [second, first]
        }
        return nil
    }
}
