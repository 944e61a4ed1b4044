import CWords

/// The words of statement patterns laid out for `CWords`, which looks at a text with wide instructions. The only place
/// that touches that module.
final class WordTable: @unchecked Sendable {
    // Unchecked: nothing changes after `init`.
    private let starts: UnsafeMutablePointer<UInt64>
    private let filter: UnsafeMutablePointer<UInt64>
    private let slots: UnsafeMutablePointer<cwords_slot>
    private let found: UnsafeMutablePointer<UInt64>
    private let unless: UnsafeMutablePointer<UInt64>
    private let texts: UnsafeMutablePointer<UInt8>
    private let table: cwords_table

    /// Words of the filter, in which each hash has a bit.
    private static let filterSize = 8192 / 64
    /// The same of what words begin with.
    private static let startsSize = 65536 / 64

    /// Takes words in lower case with the patterns that they tell of and rule out; nil when one has letters beyond
    /// ASCII, which the module does not tell apart.
    init?(_ words: [(word: String, found: StatementWords.Patterns, unless: StatementWords.Patterns)]) {
        guard words.allSatisfy({ $0.word.utf8.allSatisfy { $0 < 0x80 } }) else { return nil }
        var size = 64
        while size < 4 * words.count { size *= 2 }
        starts = .allocate(capacity: WordTable.startsSize)
        starts.initialize(repeating: 0, count: WordTable.startsSize)
        // Verifiers are names of their own.
        WordTable.mark(Array("md5".utf8), in: starts)
        filter = .allocate(capacity: WordTable.filterSize)
        filter.initialize(repeating: 0, count: WordTable.filterSize)
        slots = .allocate(capacity: size)
        slots.initialize(repeating: cwords_slot(), count: size)
        found = .allocate(capacity: 4 * words.count + 4)
        unless = .allocate(capacity: 4 * words.count + 4)
        let bytes = words.flatMap { Array($0.word.utf8) }
        texts = .allocate(capacity: bytes.count + 1)
        var at = 0
        for (number, (word, tells, rulesOut)) in words.enumerated() {
            let text = texts + at
            for byte in word.utf8 {
                texts[at] = byte
                at += 1
            }
            for lane in 0..<4 {
                found[4 * number + lane] = tells[lane]
                unless[4 * number + lane] = rulesOut[lane]
            }
            WordTable.mark(Array(word.utf8.prefix(3)), in: starts)
            let length = UInt32(word.utf8.count)
            var slot = cwords_slot(head: 0, tail: 0, word: text, length: length, entry: UInt32(number + 1))
            cwords_key(text, length, &slot.head, &slot.tail)
            let hash = cwords_hash(slot.head, slot.tail, length)
            filter[Int(hash & 8191) / 64] |= 1 << (hash & 63)
            var place = Int(truncatingIfNeeded: hash >> 13) & (size - 1)
            while slots[place].entry != 0 { place = (place + 1) & (size - 1) }
            slots[place] = slot
        }
        table = cwords_table(
            starts: starts, filter: filter, slots: slots, mask: UInt32(size - 1), found: found, unless: unless)
    }

    /// Marks what a word begins with; behind a short one anything may follow.
    private static func mark(_ bytes: [UInt8], in starts: UnsafeMutablePointer<UInt64>) {
        guard bytes.count >= 3 else {
            for byte in UInt8.min...UInt8.max { mark(bytes + [byte], in: starts) }
            return
        }
        let bit = Int(cwords_start(bytes[0], bytes[1], bytes[2]))
        starts[bit / 64] |= 1 << UInt64(bit % 64)
    }

    deinit {
        starts.deallocate()
        filter.deallocate()
        slots.deallocate()
        found.deallocate()
        unless.deallocate()
        texts.deallocate()
    }

    /// What a text shows; nil for one that is too long.
    @inline(__always)
    func look(at text: UnsafeBufferPointer<UInt8>, _ kind: cwords_kind = CWORDS_BEST) -> cwords_look? {
        guard let base = text.baseAddress else { return cwords_look() }
        guard text.count <= Int(CWORDS_LONGEST) else { return nil }
        var look = cwords_look()
        return withUnsafePointer(to: table) {
            cwords_look_at(base, UInt32(text.count), $0, &look, kind) == 1 ? look : nil
        }
    }
}

extension StatementWords {
    /// What wide instructions found, in our words.
    func look(_ seen: cwords_look, at text: UnsafeBufferPointer<UInt8>) -> Look {
        var look = Look()
        look.found = Patterns(seen.found.0, seen.found.1, seen.found.2, seen.found.3)
        look.ruledOut = Patterns(seen.ruled_out.0, seen.ruled_out.1, seen.ruled_out.2, seen.ruled_out.3)
        look.isEscaped = seen.is_escaped != 0
        look.isMany = seen.is_many != 0
        look.hasQuotes = seen.has_quotes != 0
        if seen.has_dashes != 0 { look.found |= dashes }
        look.mayBeCutOff = text.count > 1024 || seen.has_dashes != 0 && StatementWords.mayBeCutOff(text)
        if seen.has_slashes != 0 { look.found |= slashes }
        if seen.has_ats != 0 { look.found |= ats }
        if seen.has_tautology != 0 { look.found |= tautologies }
        if seen.has_verifier != 0 { look.found |= verifier }
        if seen.first_length > 0 {
            let first = text[Int(seen.first)..<Int(seen.first + seen.first_length)]
            look.first = first.reduce(StatementWords.start) { StatementWords.step($0, SQLBytes.lower($1)) }
        }
        return look
    }
}
