import Foundation
import HTTPTransport
import LogRecords
import LogSources
import VigilModel

/// Reads the windows of a span, a few at a time, and gives them in order. Who is ahead waits.
final class WindowFetcher: @unchecked Sendable {
    // Unchecked: what threads share is guarded by the condition; each client belongs to its own thread.
    private let condition = NSCondition()
    private let planning = NSLock()
    private let source: FleetSource
    private let cancellation: HTTPClient.Cancellation
    private var plan: WindowPlan
    private var planned = 0
    private var taken = 0
    private var workers: Int
    private var results: [Int: Result<Window, any Error>] = [:]
    private var isOver = false

    /// Rows of a window.
    struct Window: Sendable {
        var window: TimeWindow
        var rows: [VectorRow]
    }

    /// Windows that are read at a time.
    private static let parallel = 3
    /// What a window may hold, unless it is a second.
    private static let limit = WindowPlan.Load(rows: 50_000, bytes: 32 << 20)
    /// Bytes of an answer beyond which it is given up: a second of a fleet that writes more cannot be held.
    private static let answerLimit = 512 << 20
    /// How often a window is asked for.
    private static let attempts = 4

    /// Begins to read.
    init(_ source: FleetSource, _ span: TimeWindow, cancellation: HTTPClient.Cancellation) {
        self.source = source
        self.cancellation = cancellation
        plan = WindowPlan(span, limit: WindowFetcher.limit)
        workers = WindowFetcher.parallel
        for _ in 0..<workers {
            Thread.detachNewThread { [self] in
                work()
                condition.withLock {
                    workers -= 1
                    condition.broadcast()
                }
            }
        }
    }

    /// The next window that holds something, nil at the end. Throws what went wrong with it; there is no next one then.
    func next() throws -> Window? {
        condition.lock()
        defer { condition.unlock() }
        while results[taken] == nil {
            if workers == 0 { return nil }
            condition.wait()
        }
        defer {
            taken += 1
            condition.broadcast()
        }
        return try results.removeValue(forKey: taken)?.get()
    }

    /// Waits until no thread is at work any more.
    func end() {
        condition.withLock {
            isOver = true
            condition.broadcast()
            while workers > 0 { condition.wait() }
        }
    }

    private func work() {
        let reader = VictoriaLogsReader(source.server, cancellation: cancellation)
        while true {
            guard let (place, window) = step(reader) else { return }
            let result = Result { try read(window, reader) }
            finish(place, result)
            if case .failure = result { return }
        }
    }

    /// The next window and its number; waits while others are too far ahead. Nil at the end.
    private func step(_ reader: VictoriaLogsReader) -> (Int, TimeWindow)? {
        planning.withLock {
            condition.withLock {
                while planned - taken > WindowFetcher.parallel, !isOver { condition.wait() }
            }
            guard !condition.withLock({ isOver }) else { return nil }
            do {
                let found = try patiently { [self] in try plan.next { try reader.load(source.query, $0) } }
                guard let window = found else { return nil }
                return condition.withLock {
                    planned += 1
                    return (planned - 1, window)
                }
            } catch {
                // Windows behind one that is not known must not be taken: nobody plans on.
                finish(condition.withLock { planned }, .failure(error))
                return nil
            }
        }
    }

    private func finish(_ place: Int, _ result: Result<Window, any Error>) {
        condition.withLock {
            results[place] = result
            if case .failure = result { isOver = true }
            condition.broadcast()
        }
    }

    private func read(_ window: TimeWindow, _ reader: VictoriaLogsReader) throws -> Window {
        try patiently {
            var rows: [VectorRow] = []
            try reader.read(source.query, window, limit: WindowFetcher.answerLimit) { line in
                do { rows.append(try VectorRow(line)) } catch VectorRow.Problem.broken {
                    throw HTTPProblem(url: source.server.endpoint.url, reason: "a row that is no JSON with a time")
                } catch {}
            }
            return Window(window: window, rows: rows)
        }
    }

    /// Tries again what fails: a server that is busy, or that was started anew.
    private func patiently<Value>(_ body: () throws -> Value) throws -> Value {
        for attempt in 1..<WindowFetcher.attempts {
            do { return try body() } catch {
                if cancellation.isCancelled { throw error }
                Thread.sleep(forTimeInterval: 0.25 * Double(1 << attempt))
            }
        }
        return try body()
    }
}
