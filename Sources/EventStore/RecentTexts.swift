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

    /// What is known of texts, or what `find` gives.
    @inline(__always)
    mutating func entry(of key: Key, _ find: () throws -> Entry) rethrows -> Entry {
        let hash = RecentTexts.hash(key)
        let first = Int(truncatingIfNeeded: hash >> (64 - RecentTexts.bits)) * RecentTexts.ways
        for way in first..<(first + RecentTexts.ways) where hashes[way] == hash {
            if let known = known[way], known.key == key { return known.entry }
        }
        let entry = try find()
        for way in (first + 1..<first + RecentTexts.ways).reversed() {
            hashes[way] = hashes[way - 1]
            known[way] = known[way - 1]
        }
        hashes[first] = hash
        known[first] = (key, entry)
        return entry
    }

    mutating func forget() { self = RecentTexts() }

    private static func hash(_ key: Key) -> UInt64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        mix(key.first, into: &hash)
        mix(key.second, into: &hash)
        mix(key.third, into: &hash)
        return (hash ^ (hash >> 32)) &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    /// Eight bytes at a time.
    @inline(__always)
    private static func mix(_ text: String?, into hash: inout UInt64) {
        guard var text else {
            hash = (hash ^ 0xFF) &* 0xC2B2_AE3D_27D4_EB4F
            return
        }
        text.withUTF8 { text in
            let bytes = UnsafeRawBufferPointer(text)
            hash = (hash ^ UInt64(bytes.count)) &* 0xC2B2_AE3D_27D4_EB4F
            var at = 0
            while at + 8 <= bytes.count {
                hash = (hash ^ bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)) &* 0xC2B2_AE3D_27D4_EB4F
                hash ^= hash >> 29
                at += 8
            }
            while at < bytes.count {
                hash = (hash ^ UInt64(bytes[at])) &* 0x0000_0100_0000_01b3
                at += 1
            }
        }
    }
}
