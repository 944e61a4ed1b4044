import VigilModel

/// The numbers of all actors of a store that is just being filled, by the hashes of their words: eight bytes or some more
/// for each, where an index would be written anew with each commit. Who is found here must be compared still.
struct ActorTable {
    /// Half of a hash, and the number; 0 where nothing is. A power of two, never more than half of it full.
    private var slots = [UInt64](repeating: 0, count: 1 << 12)
    private var count = 0

    /// With more than so many an index serves better.
    static let limit = 1_500_000

    var isFull: Bool { count >= ActorTable.limit }

    /// The first number of those that a hash may have for which `isMeant` holds; nil when there is none.
    func find(_ hash: ChainHash, _ isMeant: (Int64) throws -> Bool) rethrows -> Int64? {
        let half = hash.half
        var slot = Int(half) & (slots.count - 1)
        while slots[slot] != 0 {
            if UInt32(truncatingIfNeeded: slots[slot] >> 32) == half {
                let number = Int64(slots[slot] & 0xFFFF_FFFF)
                if try isMeant(number) { return number }
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    mutating func add(_ hash: ChainHash, _ number: Int64) {
        count += 1
        if count * 2 > slots.count {
            let before = slots
            slots = [UInt64](repeating: 0, count: before.count * 2)
            for entry in before where entry != 0 { fill(entry) }
        }
        fill(UInt64(hash.half) << 32 | UInt64(truncatingIfNeeded: number))
    }

    private mutating func fill(_ entry: UInt64) {
        var slot = Int(entry >> 32) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = entry
    }
}
