import VigilModel

/// What is known of the actors met last, found at less cost than by a dictionary; of those that share a place the one
/// met longest ago makes room.
struct RecentActors<Entry> {
    private static var ways: Int { 4 }
    private static var bits: UInt64 { 11 }

    /// Hashes of the actors, to be compared before any text is. 0: none.
    private var hashes = [UInt64](repeating: 0, count: RecentActors.ways << RecentActors.bits)
    private var known = [(actor: EventActor, entry: Entry)?](
        repeating: nil, count: RecentActors.ways << RecentActors.bits)

    /// What is known of an actor, or what `find` gives.
    @inline(__always)
    mutating func entry(of actor: EventActor, _ find: (EventActor) throws -> Entry) rethrows -> Entry {
        let hash = RecentActors.hash(actor)
        let first = Int(truncatingIfNeeded: hash >> (64 - RecentActors.bits)) * RecentActors.ways
        for way in first..<(first + RecentActors.ways) where hashes[way] == hash {
            if let known = known[way], known.actor == actor { return known.entry }
        }
        let entry = try find(actor)
        for way in (first + 1..<first + RecentActors.ways).reversed() {
            hashes[way] = hashes[way - 1]
            known[way] = known[way - 1]
        }
        hashes[first] = hash
        known[first] = (actor, entry)
        return entry
    }

    mutating func forget() { self = RecentActors() }

    private static func hash(_ actor: EventActor) -> UInt64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        mix(actor.address, into: &hash)
        mix(actor.user, into: &hash)
        mix(actor.database, into: &hash)
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
