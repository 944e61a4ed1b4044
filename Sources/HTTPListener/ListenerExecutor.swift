import Foundation

/// Threads of the listener's own: whatever else runs in this program, however long, clients are answered; and however
/// long an answer takes, nothing else waits for it. The threads of Dispatch and of tasks are as many as cores, and others
/// may block them.
final class ListenerExecutor: TaskExecutor, @unchecked Sendable {
    // Unchecked: the jobs are touched under the condition's lock only.
    static let shared = ListenerExecutor(threads: 6)

    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    /// The first job that was not taken yet.
    private var next = 0

    private init(threads: Int) {
        for _ in 0..<threads { Thread.detachNewThread { [unowned self] in work() } }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.withLock {
            jobs.append(job)
            condition.signal()
        }
    }

    private func work() -> Never {
        while true { take().runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func take() -> UnownedJob {
        condition.withLock {
            while next == jobs.count { condition.wait() }
            defer {
                next += 1
                if next == jobs.count || next == 1024 {
                    jobs.removeFirst(next)
                    next = 0
                }
            }
            return jobs[next]
        }
    }

    /// Starts a task on these threads.
    @discardableResult
    static func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: shared) { await body() }
    }
}
