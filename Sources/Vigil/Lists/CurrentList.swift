import EventStore
import Foundation
import Responses
import VigilModel

/// The list as it is now, asked for again and again. Of the events only new ones are looked at, and the list is made
/// anew only when something may have changed: bans, acts, who is known, or a moment at which one begins or ends.
final class CurrentList {
    private let store: Store
    private let configuration: Configuration
    private let known: KnownAddresses
    private var last: Last?

    private struct Last {
        let list: BlockList
        let version: [Int64]
        let known: Int
        /// The list is the same before this.
        let until: LogTime
    }

    init(_ store: Store, _ configuration: Configuration) {
        self.store = store
        self.configuration = configuration
        known = KnownAddresses(store, monitors: configuration.topology.monitors)
    }

    /// The list, and whether it was made anew.
    func get(at now: LogTime = .wallClock) throws -> (list: BlockList, isNew: Bool) {
        let version = try store.banVersion()
        let policy = try known.policy(configuration.bans)
        if policy.aggregate != nil { try known.lookForGood() }
        // A clock that was set back shows a moment that was not looked at.
        if let last, last.version == version, last.known == known.version, last.list.moment <= now, now < last.until {
            let list = last.list.at(now)
            self.last = Last(list: list, version: version, known: known.version, until: last.until)
            return (list, false)
        }
        let book = BanBook(store, policy: policy, known: known)
        let ledger = try book.ledger(at: now)
        let list = try ledger.list(under: policy, at: now) { try known.good(in: $0, by: now) }
        let soon = try store.firstBan(after: now)
        let since = policy.topology.map(\.since)
        // Once an hour in any case: an unban, too, is forgotten some day.
        let hour = now.adding(milliseconds: BlockList.memory)
        let until = ([soon].compactMap { $0 } + since).filter { $0 > now }.reduce(hour, min)
        self.last = Last(
            list: list, version: version, known: known.version, until: min(until, ledger.nextChange(after: now)))
        return (list, true)
    }
}
