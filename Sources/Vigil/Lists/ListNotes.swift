import EventStore
import Foundation
import VigilModel

/// How lists stand, on the way to the store. A store that cannot be written, since the disk is full, holds up no list: who
/// is freed is free, and what there is to note is noted later.
struct ListNotes {
    /// How a list stands, with the act and the alert that go with it.
    private struct Note {
        let state: ListState
        let act: BanAct?
        let alert: Alert?
    }

    private var waiting: [Note] = []
    private var triesAt = Date.distantPast
    /// Why the store does not take them.
    private(set) var problem: String?

    /// Seconds between two tries, and how many wait at most.
    private static let pause = 2.0, limit = 1000

    mutating func add(_ state: ListState, act: BanAct?, alert: Alert?) {
        // Of states alone the last one counts.
        if waiting.count >= ListNotes.limit { waiting.removeAll { $0.alert == nil && $0.act == nil } }
        waiting.append(Note(state: state, act: act, alert: alert))
    }

    /// A list that is forgotten needs no state; alerts about it stay.
    mutating func forget(_ state: ListState) {
        waiting.removeAll { $0.alert == nil && $0.state.path == state.path && $0.state.format == state.format }
    }

    /// Puts them into the store, in order; a new problem is told once.
    mutating func save(in store: Store, tell: (String) -> Void) {
        let left = triesAt.timeIntervalSinceNow
        guard left <= 0 || left > ListNotes.pause else { return }
        do {
            while let first = waiting.first {
                try store.keep(first.state, act: first.act, alert: first.alert, written: .wallClock)
                waiting.removeFirst()
            }
            problem = nil
        } catch {
            let text = Shown.text("\(error)", limit: 500)
            if problem != text { tell("the store does not take how lists stand, trying again: \(text)") }
            problem = text
            triesAt = Date(timeIntervalSinceNow: ListNotes.pause)
        }
    }
}
