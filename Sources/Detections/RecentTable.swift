import VigilModel

/// State by group that stays bounded whatever comes: of two generations the older one is let go when the younger one is
/// full, or when it has been idle for longer than anybody asks. So the quietest go first, and nothing is ever sorted.
struct RecentTable<Key: Hashable, Value> {
    /// A group's state. A class, so that who has found it once need not search for it again.
    fileprivate final class Cell {
        var value: Value
        /// The era whose younger generation it belongs to.
        var era: Int

        init(_ value: Value, era: Int) {
            self.value = value
            self.era = era
        }
    }

    /// What the last search for a key found: the next one for the same key is spared.
    struct Bookmark {
        fileprivate var cell: Cell?
        /// How many groups the table had taken when it had none of that key.
        fileprivate var missed = -1

        fileprivate mutating func set(_ cell: Cell?, missed: Int) {
            self.cell = cell
            self.missed = missed
        }
    }

    private var young: [Key: Cell] = [:]
    private var old: [Key: Cell] = [:]
    /// Generations that began so far. The older one is of the era before; cells that were removed are of none.
    private var era = 1
    private static var none: Int { -1 }
    /// Groups taken so far.
    private var taken = 0
    /// When the younger generation began, in event time.
    private var since = LogTime.distantPast
    /// What the younger generation weighs.
    private var weight = 0
    /// Groups that were let go before their time.
    private(set) var evictions = 0

    private let limit: Int
    private let weightLimit: Int
    private let weigh: @Sendable (Value) -> Int

    /// Takes how many groups a generation holds, what they may weigh together, and how much one weighs.
    init(limit: Int, weightLimit: Int = .max, weigh: @escaping @Sendable (Value) -> Int = { _ in 1 }) {
        self.limit = limit
        self.weightLimit = weightLimit
        self.weigh = weigh
    }

    /// How many groups are held.
    var count: Int { young.count + old.count }

    var isEmpty: Bool { young.isEmpty && old.isEmpty }

    subscript(key: Key) -> Value? { (young[key] ?? old[key])?.value }

    /// The state of a key whose last search is known.
    func value(of key: Key, _ bookmark: inout Bookmark) -> Value? { find(key, &bookmark)?.value }

    @inline(__always)
    private func find(_ key: Key, _ bookmark: inout Bookmark) -> Cell? {
        if let cell = bookmark.cell, cell.era >= era - 1 { return cell }
        if bookmark.missed == taken { return nil }
        let cell = young[key] ?? old[key]
        bookmark.set(cell, missed: cell == nil ? taken : -1)
        return cell
    }

    mutating func remove(_ key: Key) {
        var bookmark = Bookmark()
        remove(key, &bookmark)
    }

    /// Removes the state of a key whose last search is known.
    mutating func remove(_ key: Key, _ bookmark: inout Bookmark) {
        guard let cell = find(key, &bookmark) else { return }
        if cell.era == era {
            weight -= weigh(cell.value)
            young[key] = nil
        } else {
            old[key] = nil
        }
        cell.era = RecentTable.none
        bookmark.set(nil, missed: taken)
    }

    /// Changes the state of a group, which becomes one of the younger generation. What is older than `window` is of no
    /// use to anybody.
    mutating func change(
        _ key: Key, at now: LogTime, window: Int64, fresh: @autoclosure () -> Value, _ change: (inout Value) -> Void
    ) {
        var bookmark = Bookmark()
        self.change(key, &bookmark, at: now, window: window, fresh: fresh(), change)
    }

    /// The same for a key whose last search is known.
    mutating func change(
        _ key: Key, _ bookmark: inout Bookmark, at now: LogTime, window: Int64, fresh: @autoclosure () -> Value,
        _ change: (inout Value) -> Void
    ) {
        let age = now.milliseconds - since.milliseconds
        if young.count >= limit || weight >= weightLimit {
            // Those of the older generation that nobody touched since are lost, unless their time is over anyway.
            if age < window { evictions += old.count }
            turn(at: now)
        } else if age >= window {
            turn(at: now)
        }
        guard let cell = find(key, &bookmark) else {
            let cell = Cell(fresh(), era: era)
            taken += 1
            young[key] = cell
            bookmark.set(cell, missed: -1)
            change(&cell.value)
            weight += weigh(cell.value)
            return
        }
        if cell.era == era {
            let before = weigh(cell.value)
            change(&cell.value)
            weight += weigh(cell.value) - before
            return
        }
        old[key] = nil
        young[key] = cell
        cell.era = era
        change(&cell.value)
        weight += weigh(cell.value)
    }

    private mutating func turn(at now: LogTime) {
        old = young
        young = [:]
        era += 1
        weight = 0
        since = now
    }
}
