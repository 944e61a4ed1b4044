/// The last number seen of each of some thousand sessions, without an allocation after `init`: sets of four, each a line
/// of the processor's cache, in which the one that was not seen for longest makes room.
struct LineCounters {
    /// A session's hash, its last number, and when that counts.
    private struct Entry {
        var session: UInt64 = 0
        var number: UInt32 = 0
        var era: UInt32 = 0
    }

    private static let ways = 4
    private var entries: [Entry]
    private let shift: UInt64
    /// Entries of earlier eras are void.
    private var era: UInt32 = 1

    /// Room for four times two to that power of sessions.
    init(sets bits: Int) {
        entries = [Entry](repeating: Entry(), count: LineCounters.ways << bits)
        shift = UInt64(64 - bits)
    }

    /// Takes a session's next number, 0 for one that is not known; gives the one before, when that is known and smaller.
    @inline(__always)
    mutating func take(_ session: UInt64, _ number: UInt32) -> UInt32? {
        let first = Int(truncatingIfNeeded: session >> shift) &* LineCounters.ways
        let era = era
        return entries.withUnsafeMutableBufferPointer { entries in
            var way = 0
            while way < LineCounters.ways - 1, entries[first &+ way].session != session { way &+= 1 }
            let found = entries[first &+ way]
            while way > 0 {
                entries[first &+ way] = entries[first &+ way &- 1]
                way &-= 1
            }
            entries[first] = Entry(session: session, number: number, era: era)
            guard found.session == session, found.era == era, found.number > 0 else { return nil }
            return found.number < number ? found.number : nil
        }
    }

    /// Forgets all.
    mutating func forget() { era &+= 1 }

    /// All that counts: eight bytes of a session's hash and four of its number, those of a set behind each other, the
    /// latest first.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries where entry.era == era {
            withUnsafeBytes(of: entry.session.littleEndian) { bytes += $0 }
            withUnsafeBytes(of: entry.number.littleEndian) { bytes += $0 }
        }
        return bytes
    }

    /// Takes what `bytes` gave.
    mutating func restore(_ bytes: ArraySlice<UInt8>) {
        forget()
        var rest = bytes
        var saved: [(session: UInt64, number: UInt32)] = []
        while rest.count >= 12 {
            let session = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let number = rest.dropFirst(8).prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            saved.append((session, number))
            rest = rest.dropFirst(12)
        }
        // The latest of a set comes last.
        for (session, number) in saved.reversed() { _ = take(session, number) }
    }
}
