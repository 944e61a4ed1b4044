import Glibc
import Synchronization

/// Who is connected, and until when each may take for what it does. One that is late is shut down, which ends its
/// reading and writing: so no read needs a clock of its own.
final class ConnectionTable: Sendable {
    enum Phase: Sendable { case head, idle, body, handler, answer, leaving }

    private struct Entry {
        var phase = Phase.head
        var deadline: ContinuousClock.Instant
        var since: ContinuousClock.Instant
    }

    private struct State {
        var entries: [Int32: Entry] = [:]
        /// Those that were shut down to make room and are not closed yet.
        var leaving = 0
        var bodyBytes = 0
    }

    private let limits: HTTPLimits
    private let state = Mutex(State())

    init(_ limits: HTTPLimits) { self.limits = limits }

    /// True when another client can be let in. Whoever floods makes room for others by what it does not finish.
    func makeRoom() -> Bool {
        state.withLock { state in
            if state.entries.count - state.leaving < limits.connections { return true }
            guard state.leaving < limits.connections else { return false }
            let waiting = state.entries.filter { $0.value.phase == .idle || $0.value.phase == .head }
            let oldestFirst = waiting.sorted { $0.value.since < $1.value.since }.map(\.key)
            // One whose bytes are there waits for us, and not we for it.
            guard let oldest = oldestFirst.first(where: { !ConnectionTable.hasSent($0) }) ?? oldestFirst.first else {
                return false
            }
            state.entries[oldest]?.phase = .leaving
            state.leaving += 1
            shutdown(oldest, Int32(SHUT_RDWR))
            return true
        }
    }

    private static func hasSent(_ file: Int32) -> Bool {
        var count: Int32 = 0
        return ioctl(file, UInt(FIONREAD), &count) == 0 && count > 0
    }

    /// Takes a connection in.
    func admit(_ file: Int32, now: ContinuousClock.Instant = .now) {
        state.withLock { $0.entries[file] = Entry(deadline: now + limits.head, since: now) }
    }

    /// Says what a connection does now, and how long it may. One that was shut down stays so.
    func enter(_ file: Int32, _ phase: Phase, for time: Duration) {
        let now = ContinuousClock.now
        state.withLock { state in
            guard let entry = state.entries[file], entry.phase != .leaving else { return }
            state.entries[file] = Entry(phase: phase, deadline: now + time, since: now)
        }
    }

    /// Forgets a connection; only then is its descriptor closed, since another may get the same number.
    func leave(_ file: Int32) {
        state.withLock { state in
            if state.entries.removeValue(forKey: file)?.phase == .leaving { state.leaving -= 1 }
        }
    }

    /// Ends those that are late.
    func expire(now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            for (file, entry) in state.entries where entry.deadline < now { shutdown(file, Int32(SHUT_RDWR)) }
        }
    }

    /// Ends all.
    func stop() {
        state.withLock { state in
            for file in state.entries.keys { shutdown(file, Int32(SHUT_RDWR)) }
        }
    }

    /// Room for a body; false when others have taken it.
    func reserve(_ bytes: Int) -> Bool {
        state.withLock { state in
            guard bytes <= limits.bodyBytes - state.bodyBytes else { return false }
            state.bodyBytes += bytes
            return true
        }
    }

    func release(_ bytes: Int) { state.withLock { $0.bodyBytes -= bytes } }

    var count: Int { state.withLock { $0.entries.count } }
}
