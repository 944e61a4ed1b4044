import Patterns
import VigilModel

/// What events must share to be counted together.
struct Group: Hashable {
    var ip: IPAddress?
    var user: String?
    var database: String?

    /// Nil when the event lacks one of the keys. IPv6 counts by its /64: one customer has as many addresses as there
    /// are.
    init?(_ event: DetectionInput, by keys: [GroupKey]) {
        for key in keys {
            switch key {
            case .sourceIP:
                guard let address = event.ip else { return nil }
                ip = address.isV4 ? address : address.masked(64)
            case .user:
                guard event.user != nil else { return nil }
                user = event.user
            case .database:
                guard event.database != nil else { return nil }
                database = event.database
            }
        }
    }

    /// The parts one behind the other, each with its length, so that no name can look like two parts.
    var text: String {
        [ip.map(\.description), user, database].map { part in part.map { "\($0.utf8.count):\($0)" } ?? "-" }
            .joined(separator: " ")
    }
}

/// The events of one group that are in a rule's window.
struct Window {
    /// One event that counts.
    struct Entry {
        var time: LogTime
        var seq: Int64
        var count: Int64
        var ip: IPAddress?
        var user: String?
        var database: String?
    }

    /// No window keeps more: a group that fails without end must not grow without end.
    static let limit = 1000

    private(set) var entries: [Entry] = []
    private var front = 0
    private(set) var lastTime = LogTime.distantPast

    /// Takes an event and lets those go that are a whole window old.
    mutating func add(_ entry: Entry, window: Int64) {
        expire(at: entry.time, window: window)
        entries.append(entry)
        lastTime = max(lastTime, entry.time)
        if entries.count - front > Window.limit { front += 1 }
        compact()
    }

    /// Lets events go that are a whole window old.
    mutating func expire(at now: LogTime, window: Int64) {
        while front < entries.count, now.milliseconds - entries[front].time.milliseconds >= window { front += 1 }
        compact()
    }

    private mutating func compact() {
        guard front > 32, front * 2 > entries.count else { return }
        entries.removeSubrange(..<front)
        front = 0
    }

    /// Those in the window, oldest first.
    var current: ArraySlice<Entry> { entries[front...] }

    /// How many events they stand for.
    var count: Int64 { current.reduce(0) { $0 + $1.count } }
}
