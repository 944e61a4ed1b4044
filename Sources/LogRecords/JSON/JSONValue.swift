/// Where a value stands in a line.
struct JSONValue {
    enum Kind: UInt8 {
        /// A string: the range excludes its quotes.
        case text
        /// A number, or another bare word.
        case bare
        /// What a client wrote raw in place of a number (see `RawPort`).
        case raw
        /// `null`, an object or a list: nothing that a log of PostgreSQL has.
        case other
    }

    var start = 0
    var end = 0
    var kind = Kind.other
    /// The string has escapes.
    var isEscaped = false

    var range: Range<Int> { start..<end }
}

/// The names that a kind of line has, in the order in which its writer puts them.
struct JSONKeyTable: Sendable {
    private let names: [[UInt8]]
    private let words: [UInt64]

    /// Takes at most 64 names.
    init(_ names: [String]) {
        self.names = names.map { Array($0.utf8) }
        words = self.names.map { name in
            name.withUnsafeBufferPointer { bytes in bytes.baseAddress.map { JSONKeyTable.word($0, bytes.count) } ?? 0 }
        }
    }

    var count: Int { names.count }

    /// The place of a name in the table; `next` is where it should be when the usual order is kept.
    @inline(__always)
    func index(of name: UnsafePointer<UInt8>, count length: Int, next: Int) -> Int? {
        let word = JSONKeyTable.word(name, length)
        var index = next
        for _ in 0..<words.count {
            if index >= words.count { index = 0 }
            if words[index] == word, names[index].count == length, hasTail(index, name, length) { return index }
            index += 1
        }
        return nil
    }

    private func hasTail(_ index: Int, _ name: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        var at = 8
        while at < length {
            if names[index][at] != name[at] { return false }
            at += 1
        }
        return true
    }

    /// The first eight bytes, zeroes behind a shorter name.
    @inline(__always)
    private static func word(_ bytes: UnsafePointer<UInt8>, _ length: Int) -> UInt64 {
        if length >= 8 { return UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self) }
        var word: UInt64 = 0
        var at = length
        while at > 0 {
            at -= 1
            word = word << 8 | UInt64(bytes[at])
        }
        return word
    }
}
