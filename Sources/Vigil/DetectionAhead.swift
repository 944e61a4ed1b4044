import EventStore
import Foundation
import VigilModel

/// Runs rules on a thread of its own beside reading, over events that are stored and before which none will come. What
/// is found is the same as in one pass at the end, of which it becomes a part: should an event come late after all, or
/// be told of otherwise, that pass begins at its beginning.
final class DetectionAhead: @unchecked Sendable {
    // Unchecked: the state is under the lock; the pass is the thread's until it has ended.
    private let condition = NSCondition()
    private let pass: DetectionPass
    /// Up to where rules may go.
    private var target = LogTime.distantPast
    /// Up to where they have gone, or are going.
    private var begun = LogTime.distantPast
    /// What was stored and rules have not been over.
    private var waiting = StoredEventsQueue()
    private var isVoid = false
    private var isClosed = false
    private var hasEnded = false

    /// Milliseconds of event time that rules stay behind: further records tell of an event a little later.
    private static let lag: Int64 = 2000

    init(_ pass: DetectionPass) {
        self.pass = pass
        Thread.detachNewThread { self.run() }
    }

    /// Says what a commit changed, and that all events before a moment are stored. `stored` are its events, if they are at
    /// hand: they are not read back then.
    func note(earliest: LogTime?, complete: LogTime, _ stored: StoredEvents? = nil) {
        condition.withLock {
            waiting.add(stored)
            if let earliest, earliest <= begun { isVoid = true }
            // What comes when all files have ended is the pass's.
            if complete < .distantFuture { target = max(target, complete.adding(milliseconds: -DetectionAhead.lag)) }
            condition.broadcast()
        }
    }

    /// The pass, to be brought to its end.
    func finish() -> DetectionPass {
        condition.withLock {
            isClosed = true
            condition.broadcast()
            while !hasEnded { condition.wait() }
        }
        if isVoid { pass.giveUp() }
        return pass
    }

    private func run() {
        while let (moment, stored) = next() {
            // What goes wrong here does so again, and is told of, in the pass at the end.
            do { try pass.goAhead(through: moment, stored) } catch { condition.withLock { isVoid = true } }
        }
        condition.withLock {
            hasEnded = true
            condition.broadcast()
        }
    }

    private func next() -> (LogTime, StoredEventsSpan?)? {
        condition.withLock {
            while target <= begun, !isClosed, !isVoid { condition.wait() }
            if isClosed || isVoid { return nil }
            begun = target
            return (begun, waiting.take(through: begun))
        }
    }
}
