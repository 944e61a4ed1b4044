import EventStore
import Foundation
import Responses
import VigilModel

/// Keeps the files of `blocklists` current while `watch` runs, on a thread of its own: neither a slow disk nor a slow
/// reload holds up reading. Bans come from the store, so those that other commands make are seen, too.
final class ListKeeper: @unchecked Sendable {
    // Unchecked: what both threads touch is guarded by the condition; the rest belongs to the keeper's own thread.
    private let condition = NSCondition()
    private var isStopping = false
    private var hasEnded = false
    private var messages: [String] = []

    private let store: Store
    private let configuration: Configuration
    private var lists: [KeptList]

    /// Seconds between two looks at the store.
    private static let interval = 0.25

    init(store: Store, configuration: Configuration) {
        self.store = store
        self.configuration = configuration
        lists = configuration.blockLists.map { KeptList($0, configuration.listOptions) }
    }

    func start() {
        Thread.detachNewThread { [self] in
            run()
            condition.withLock {
                hasEnded = true
                condition.broadcast()
            }
        }
    }

    /// Lets what is under way end, and waits for that.
    func stop() {
        condition.withLock {
            isStopping = true
            condition.broadcast()
            while !hasEnded { condition.wait() }
        }
    }

    /// What there is to say since the last time.
    func takeMessages() -> [String] {
        condition.withLock {
            defer { messages = [] }
            return messages
        }
    }

    private func run() {
        let current = CurrentList(store, configuration)
        while true {
            do {
                try update(try current.get())
            } catch { say("block lists: \(error)") }
            let isOver = condition.withLock {
                if !isStopping { _ = condition.wait(until: Date(timeIntervalSinceNow: ListKeeper.interval)) }
                return isStopping
            }
            if isOver { return }
        }
    }

    private func update(_ list: BlockList) throws {
        for index in lists.indices {
            let file = lists[index].file
            switch lists[index].update(list) {
            case .nothing: break
            case .done(let bans): say("wrote \(file.path) (\(file.format.rawValue)): \(bans) bans")
            case .failed(let problem):
                say("list not current, trying again: \(problem)")
                try note(.failed, problem)
            case .recovered:
                say("list current again: \(file.path)")
                try note(.recovered, file.path)
            }
        }
    }

    /// A failure stands in the store: whoever looks at bans must know that a list did not hold them.
    private func note(_ kind: BanAct.Kind, _ reason: String) throws {
        let now = LogTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        try store.add(BanAct(kind: kind, time: now, cidr: nil, by: "watch", reason: reason), written: now)
    }

    private func say(_ text: String) {
        condition.withLock { if messages.count < 1000 { messages.append(text) } }
    }
}
