import VigilModel

/// A key whose hash says at once where to look.
protocol PlacedKey: Equatable {
    /// Evenly spread in all bits.
    var place: UInt64 { get }
}

/// State by group that stays bounded whatever comes: of two generations the older one is let go when the younger one is
/// full, or when it has been idle for longer than anybody asks. So the quietest go first, and nothing is ever sorted.
struct RecentTable<Key: PlacedKey, Value> {
    private struct Cell {
        let key: Key
        /// The era whose younger generation it belongs to.
        var era: Int
        var value: Value
    }

    /// What the last search for a key found: the next one for the same key is spared.
    struct Bookmark {
        fileprivate var cell = -1
        /// How many groups the table had taken when it had none of that key.
        fileprivate var missed = -1
    }

    /// All that is held, side by side.
    private var cells: [Cell] = []
    /// Where a key's cell stands, at the place that the key says or behind it; `none` where nothing is. A power of two,
    /// never more than half of it full.
    private var slots: [Int32] = []
    private static var none: Int32 { -1 }
    /// How many are of the younger generation.
    private var young = 0
    /// Generations that began so far. The older one is of the era before.
    private var era = 1
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
    var count: Int { cells.count }

    var isEmpty: Bool { cells.isEmpty }

    subscript(key: Key) -> Value? { search(key).map { cells[$0].value } }

    /// The state of a key whose last search is known.
    func value(of key: Key, _ bookmark: inout Bookmark) -> Value? { find(key, &bookmark).map { cells[$0].value } }

    @inline(__always)
    private func find(_ key: Key, _ bookmark: inout Bookmark) -> Int? {
        if bookmark.cell >= 0, bookmark.cell < cells.count, cells[bookmark.cell].key == key { return bookmark.cell }
        if bookmark.missed == taken { return nil }
        let cell = search(key)
        bookmark.cell = cell ?? -1
        bookmark.missed = cell == nil ? taken : -1
        return cell
    }

    private func search(_ key: Key) -> Int? {
        guard !slots.isEmpty else { return nil }
        var slot = place(of: key)
        while slots[slot] != RecentTable.none {
            let cell = Int(slots[slot])
            if cells[cell].key == key { return cell }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private func place(of key: Key) -> Int { Int(truncatingIfNeeded: key.place) & (slots.count - 1) }

    mutating func remove(_ key: Key) {
        var bookmark = Bookmark()
        remove(key, &bookmark)
    }

    /// Removes the state of a key whose last search is known.
    mutating func remove(_ key: Key, _ bookmark: inout Bookmark) {
        guard let cell = find(key, &bookmark) else { return }
        if cells[cell].era == era {
            weight -= weigh(cells[cell].value)
            young -= 1
        }
        vacate(slot(of: cell))
        // The last one takes its place.
        if cell < cells.count - 1 {
            slots[slot(of: cells.count - 1)] = Int32(cell)
            cells.swapAt(cell, cells.count - 1)
        }
        cells.removeLast()
        bookmark = Bookmark()
        bookmark.missed = taken
    }

    private func slot(of cell: Int) -> Int {
        var slot = place(of: cells[cell].key)
        while Int(slots[slot]) != cell { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }

    /// Empties a slot, and moves up what had to stand behind it.
    private mutating func vacate(_ slot: Int) {
        let mask = slots.count - 1
        var (free, next) = (slot, (slot + 1) & mask)
        while slots[next] != RecentTable.none {
            let home = place(of: cells[Int(slots[next])].key)
            if (next &- home) & mask >= (next &- free) & mask {
                slots[free] = slots[next]
                free = next
            }
            next = (next + 1) & mask
        }
        slots[free] = RecentTable.none
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
        if young >= limit || weight >= weightLimit {
            // Those of the older generation that nobody touched since are lost, unless their time is over anyway.
            if age < window { evictions += cells.count - young }
            turn(at: now)
        } else if age >= window {
            turn(at: now)
        }
        guard let cell = find(key, &bookmark) else {
            var value = fresh()
            change(&value)
            weight += weigh(value)
            taken += 1
            young += 1
            cells.append(Cell(key: key, era: era, value: value))
            if cells.count * 2 > slots.count { makeSlots() } else { fill(cells.count - 1) }
            bookmark.cell = cells.count - 1
            bookmark.missed = -1
            return
        }
        let (wasYoung, growth) = RecentTable.change(&cells[cell], in: era, weigh, change)
        if !wasYoung { young += 1 }
        weight += growth
    }

    /// Changes a cell in place; gives whether it was of the younger generation, and how much heavier that has become.
    private static func change(
        _ cell: inout Cell, in era: Int, _ weigh: (Value) -> Int, _ change: (inout Value) -> Void
    ) -> (wasYoung: Bool, growth: Int) {
        let wasYoung = cell.era == era
        let before = wasYoung ? weigh(cell.value) : 0
        cell.era = era
        change(&cell.value)
        return (wasYoung, weigh(cell.value) - before)
    }

    private mutating func turn(at now: LogTime) {
        if young == 0 {
            cells = []
            slots = []
        } else if young < cells.count {
            // Moved, not copied: each holds references.
            cells.withUnsafeMutableBufferPointer { cells in
                var kept = 0
                for cell in cells.indices where cells[cell].era == era {
                    cells.swapAt(cell, kept)
                    kept += 1
                }
            }
            cells.removeLast(cells.count - young)
            makeSlots()
        }
        era += 1
        young = 0
        weight = 0
        since = now
    }

    private mutating func makeSlots() {
        var count = 16
        while count < cells.count * 3 { count *= 2 }
        slots = Array(repeating: RecentTable.none, count: count)
        for cell in cells.indices { fill(cell) }
    }

    private mutating func fill(_ cell: Int) {
        var slot = place(of: cells[cell].key)
        while slots[slot] != RecentTable.none { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(cell)
    }
}
