import EventStore
import Foundation
import Responses
import VigilModel

/// Keeps the files of `blocklists` current while `watch` runs, on a thread of its own: neither a slow disk nor a slow
/// reload holds up reading. Bans come from the store, so those that other commands make are seen, too.
///
/// A file that pgvigil wrote and no longer keeps, since `bans.mode` is `observe` by now or its entry is gone, is emptied
/// once: nobody would end its bans.
final class ListKeeper: @unchecked Sendable {
    // Unchecked: what both threads touch is guarded by the condition; the rest belongs to the keeper's own thread.
    private let condition = NSCondition()
    private var isStopping = false
    private var hasEnded = false
    private var messages: [String] = []

    private let store: Store
    private let current: CurrentList
    private var lists: [KeptList]
    private var leaving: [KeptList]
    private let reason: String
    private var notes = ListNotes()
    /// The list is a new one, and not every file has been brought up to it.
    private var isNew = true
    private var lock: ListLock?
    /// What is wrong with the store, or who else keeps the lists; said once.
    private var problem: String?

    /// Seconds between two looks at the store, and when it cannot be read.
    private static let interval = 0.25, longestInterval = 30.0

    init(store: Store, configuration: Configuration) throws {
        self.store = store
        current = CurrentList(store, configuration)
        let known = try store.lists()
        let isEnforcing = configuration.bans.mode == .enforce
        reason = isEnforcing ? "it is no longer among blocklists" : "bans.mode is observe"
        let kept = configuration.blockLists.map { file in
            KeptList(
                file, configuration.listOptions,
                state: known.first { $0.path == file.name && $0.format == file.format.rawValue })
        }
        lists = isEnforcing ? kept : []
        leaving = []
        for state in known where !lists.contains(where: { $0.state.path == state.path }) {
            let configured = kept.first { $0.state.path == state.path && $0.state.format == state.format }
            guard let list = configured ?? KeptList(state, configuration.listOptions), state.written != nil else {
                continue
            }
            leaving.append(list)
        }
        for state in known
        where lists.contains(where: { $0.state.path == state.path && $0.state.format != state.format }) {
            try store.forgetList(path: state.path, format: state.format)
        }
    }

    /// False when there is nothing to keep, and nothing to empty.
    var isNeeded: Bool { !lists.isEmpty || !leaving.isEmpty }

    func start() {
        Thread.detachNewThread { [self] in
            run()
            lock = nil
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
        var pause = ListKeeper.interval
        while true {
            do {
                if try holdsLock() {
                    try update()
                    problem = nil
                }
                pause = ListKeeper.interval
            } catch {
                let text = "\(error)"
                if problem != text { say("block lists, trying again: \(Shown.text(text, limit: 500))") }
                problem = text
                pause = min(pause * 2, ListKeeper.longestInterval)
            }
            let isOver = condition.withLock {
                if !isStopping { _ = condition.wait(until: Date(timeIntervalSinceNow: pause)) }
                return isStopping
            }
            if isOver || (lists.isEmpty && leaving.isEmpty) { return }
        }
    }

    /// Brings every list up to date once; false when another process keeps them. What fails is told.
    func once() throws -> Bool {
        guard try holdsLock() else { return false }
        try update()
        return true
    }

    /// Lists that are not current.
    var failing: [String] { (lists + leaving).compactMap(\.problem) + [notes.problem].compactMap { $0 } }

    private func holdsLock() throws -> Bool {
        if lock == nil { lock = try ListLock(store: store.path) }
        if lock == nil, problem == nil {
            problem = "another"
            say("another process keeps the lists of this store")
        }
        return lock != nil
    }

    private func update() throws {
        let current = try current.get()
        isNew = isNew || current.isNew
        for index in lists.indices { update(&lists[index], current.list, isSame: !isNew) }
        if !leaving.isEmpty {
            let emptied = current.list.emptied
            for index in leaving.indices.reversed() {
                if try leave(&leaving[index], emptied) { leaving.remove(at: index) }
            }
        }
        isNew = false
        notes.save(in: store) { say($0) }
    }

    /// Writes a list, tells what came of it, and remembers that for the store.
    private func update(_ kept: inout KeptList, _ list: BlockList, isSame: Bool) {
        let before = kept.state
        let outcome = kept.update(list, isSame: isSame)
        let file = kept.file
        var act: BanAct?
        var alert: Alert?
        switch outcome {
        case .nothing: break
        case .done(let bans): say("wrote \(Shown.text(file.path)) (\(file.format.rawValue)): \(bans) bans")
        case .failed(let problem):
            say("list not current, trying again: \(problem)")
            let since = kept.state.failing ?? .wallClock
            act = BanAct(kind: .failed, time: since, cidr: nil, by: "watch", reason: problem)
            alert = BanNotice.failed(file.path, format: file.format.rawValue, problem: problem, since: since)
            say("alert \(BanNotice.severity.rawValue) \(since) \(alert?.message ?? "") [\(BanNotice.listRule.id)]")
        case .recovered:
            say("list current again: \(Shown.text(file.path))")
            act = BanAct(kind: .recovered, time: .wallClock, cidr: nil, by: "watch", reason: file.path)
        }
        guard kept.state != before || act != nil else { return }
        notes.add(kept.state, act: act, alert: alert)
    }

    /// Empties a file that is no longer kept; true when that is done, or the file is none of ours any more.
    private func leave(_ kept: inout KeptList, _ list: BlockList) throws -> Bool {
        let path = Shown.text(kept.file.path)
        if (try? kept.isOurs()) == false {
            say("\(reason): \(path) is left as it is, since others have changed it")
        } else {
            update(&kept, list, isSame: false)
            guard kept.problem == nil, !kept.isWaiting else { return false }
            say("\(reason): \(path) was emptied")
        }
        notes.forget(kept.state)
        try store.forgetList(path: kept.state.path, format: kept.state.format)
        return true
    }

    private func say(_ text: String) {
        condition.withLock { if messages.count < 1000 { messages.append(text) } }
    }
}

extension KeptList {
    /// A file that is no longer configured; nil when its form is not known.
    fileprivate init?(_ state: ListState, _ options: BlockListOptions) {
        guard let format = BlockListFormat(rawValue: state.format) else { return nil }
        self.init(BlockListFile(format: format, name: state.path), options, state: state)
    }
}
