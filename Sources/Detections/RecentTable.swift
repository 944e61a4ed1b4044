import VigilModel

/// State by group that stays bounded whatever comes: of two generations the older one is let go when the younger one is
/// full, or when it has been idle for longer than anybody asks. So the quietest go first, and nothing is ever sorted.
struct RecentTable<Key: Hashable, Value> {
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
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

    subscript(key: Key) -> Value? { young[key] ?? old[key] }

    var isEmpty: Bool { young.isEmpty && old.isEmpty }

    mutating func remove(_ key: Key) {
        if let index = young.index(forKey: key) { weight -= weigh(young.remove(at: index).value) }
        if let index = old.index(forKey: key) { old.remove(at: index) }
    }

    /// Changes the state of a group, which becomes one of the younger generation. What is older than `window` is of no
    /// use to anybody.
    mutating func change(
        _ key: Key, at now: LogTime, window: Int64, fresh: @autoclosure () -> Value, _ change: (inout Value) -> Void
    ) {
        let age = now.milliseconds - since.milliseconds
        if young.count >= limit || weight >= weightLimit {
            // Those of the older generation that nobody touched since are lost, unless their time is over anyway.
            if age < window { evictions += old.count }
            turn(at: now)
        } else if age >= window {
            turn(at: now)
        }
        if let index = young.index(forKey: key) {
            let before = weigh(young.values[index])
            change(&young.values[index])
            weight += weigh(young.values[index]) - before
            return
        }
        var value = fresh()
        if let index = old.index(forKey: key) { value = old.remove(at: index).value }
        change(&value)
        weight += weigh(value)
        young[key] = value
    }

    private mutating func turn(at now: LogTime) {
        old = young
        young = [:]
        weight = 0
        since = now
    }
}
