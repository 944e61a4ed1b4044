import VigilModel

/// What is known of the triples of texts met last, found at less cost than by a dictionary; of those that share a place
/// the one met longest ago makes room.
struct RecentTexts<Entry> {
    struct Key: Hashable {
        let first, second, third: String?
    }

    private static var ways: Int { 4 }
    private static var bits: UInt64 { 11 }

    /// Hashes of the texts, to be compared before any text is. 0: none.
    private var hashes = [UInt64](repeating: 0, count: RecentTexts.ways << RecentTexts.bits)
    private var known = [(key: Key, entry: Entry)?](
        repeating: nil, count: RecentTexts.ways << RecentTexts.bits)
    /// Which of those that share a place makes room next.
    private var next = [UInt8](repeating: 0, count: 1 << RecentTexts.bits)

    /// What is known of texts, or what `find` gives.
    @inline(__always)
    mutating func entry(of key: Key, _ find: () throws -> Entry) rethrows -> Entry {
        let hash = RecentTexts.hash(key)
        let place = Int(truncatingIfNeeded: hash >> (64 - RecentTexts.bits))
        let first = place * RecentTexts.ways
        for way in first..<(first + RecentTexts.ways) where hashes[way] == hash {
            if let known = known[way], known.key == key { return known.entry }
        }
        let entry = try find()
        let way = first + Int(next[place])
        next[place] = (next[place] + 1) % UInt8(RecentTexts.ways)
        hashes[way] = hash
        known[way] = (key, entry)
        return entry
    }

    mutating func forget() { self = RecentTexts() }

    @inline(__always)
    private static func hash(_ key: Key) -> UInt64 {
        var hash = PlaceHash()
        mix(key.first, into: &hash)
        mix(key.second, into: &hash)
        mix(key.third, into: &hash)
        return hash.place | 1
    }

    @inline(__always)
    private static func mix(_ text: String?, into hash: inout PlaceHash) {
        guard var text else { return hash.combineNothing() }
        text.withUTF8 { hash.combine($0) }
    }
}
