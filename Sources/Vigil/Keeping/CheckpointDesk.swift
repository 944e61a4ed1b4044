import EventStore
import Foundation

/// Keeps the write-ahead log short while `watch` runs, on a thread of its own: a record is in the store in milliseconds,
/// however slow the disk is.
final class CheckpointDesk: @unchecked Sendable {
    // Unchecked: what threads share is guarded by the condition; the checkpointer belongs to the thread.
    private let condition = NSCondition()
    private var isStopping = false
    private var isRunning = false

    /// Seconds between two looks.
    private static let interval = 1.0
    /// A shorter log is left alone.
    private static let least: Int64 = 4 << 20

    /// Begins.
    func start(_ store: Store) throws {
        try store.prepareForCheckpointer()
        let checkpointer = Handed(checkpointer: try Checkpointer(store))
        isRunning = true
        Thread.detachNewThread { [self] in
            while !isOver() {
                // What cannot be copied now stays in the log; the writer copies it at last, and says what is wrong.
                try? checkpointer.checkpointer.run(above: CheckpointDesk.least)
            }
            condition.withLock {
                isRunning = false
                condition.broadcast()
            }
        }
    }

    /// Ends, and waits for that.
    func stop() {
        condition.withLock {
            isStopping = true
            condition.broadcast()
            while isRunning { condition.wait() }
        }
    }

    private func isOver() -> Bool {
        condition.withLock {
            if !isStopping { _ = condition.wait(until: Date(timeIntervalSinceNow: CheckpointDesk.interval)) }
            return isStopping
        }
    }

    /// Used by the one thread it is handed to.
    private struct Handed: @unchecked Sendable {
        let checkpointer: Checkpointer
    }
}
