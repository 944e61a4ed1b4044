import VigilModel

/// The values of a row as bytes that are the same for the same values and for no others: a tag, a length where there can
/// be several, the value. What goes into a hash chain is made of these, while a row is written and when it is read. Where a
/// row ends with NULL there is nothing of these: a column that is added behind the others changes no row that is there.
struct RowEncoder {
    /// Room for every row: no table has more than thirty values, and long ones go in by their hash.
    static let capacity = 1 << 16
    /// Bytes of a text that stand here themselves.
    static let longest = 2000

    private enum Tag {
        static let null: UInt8 = 0
        static let number: UInt8 = 1
        static let text: UInt8 = 2
        static let longText: UInt8 = 3
        static let real: UInt8 = 4
        static let blob: UInt8 = 5
        static let longBlob: UInt8 = 6
    }

    /// Where the bytes stand.
    let bytes: UnsafeMutablePointer<UInt8>
    /// How many there are.
    private(set) var count = 0
    /// NULLs that stand here once something follows them.
    private var nulls = 0

    /// `bytes` has room for `capacity`.
    init(_ bytes: UnsafeMutablePointer<UInt8>) { self.bytes = bytes }

    /// The hash of all of it.
    var hash: ChainHash { ChainHash(of: UnsafeRawBufferPointer(start: bytes, count: count)) }

    /// Begins a row with the hash of what it follows.
    mutating func begin(after previous: ChainHash) {
        previous.write(to: bytes)
        (count, nulls) = (ChainHash.length, 0)
    }

    mutating func addNull() { nulls += 1 }

    private mutating func flush() {
        while nulls > 0 {
            bytes[count] = Tag.null
            count += 1
            nulls -= 1
        }
    }

    mutating func add(_ number: Int64) { add(Tag.number, UInt64(bitPattern: number)) }

    mutating func add(_ number: Double) { add(Tag.real, number.bitPattern) }

    /// Adds a text; gives where its bytes stand here, nil for one that is too long for that.
    @discardableResult
    mutating func add(text: UnsafeBufferPointer<UInt8>) -> UnsafeMutablePointer<UInt8>? {
        add(text, Tag.text, long: Tag.longText)
    }

    mutating func add(blob: UnsafeBufferPointer<UInt8>) { _ = add(blob, Tag.blob, long: Tag.longBlob) }

    mutating func add(_ text: String?) {
        guard let text else { return addNull() }
        let isAdded: Void? = text.utf8.withContiguousStorageIfAvailable { add(text: $0) }
        if isAdded == nil { Array(text.utf8).withUnsafeBufferPointer { _ = add(text: $0) } }
    }

    /// Adds a hash, as a blob.
    mutating func add(_ hash: ChainHash) {
        head(Tag.blob, ChainHash.length)
        hash.write(to: bytes + count)
        count += ChainHash.length
    }

    private mutating func add(_ tag: UInt8, _ value: UInt64) {
        flush()
        bytes[count] = tag
        UnsafeMutableRawPointer(bytes + count + 1).storeBytes(of: value.littleEndian, as: UInt64.self)
        count += 9
    }

    private mutating func head(_ tag: UInt8, _ length: Int) {
        flush()
        bytes[count] = tag
        UnsafeMutableRawPointer(bytes + count + 1).storeBytes(of: UInt32(length).littleEndian, as: UInt32.self)
        count += 5
    }

    private mutating func add(
        _ value: UnsafeBufferPointer<UInt8>, _ tag: UInt8, long: UInt8
    ) -> UnsafeMutablePointer<UInt8>? {
        guard value.count <= RowEncoder.longest else {
            head(long, value.count)
            ChainHash(of: UnsafeRawBufferPointer(value)).write(to: bytes + count)
            count += ChainHash.length
            return nil
        }
        head(tag, value.count)
        let place = bytes + count
        if let base = value.baseAddress { place.update(from: base, count: value.count) }
        count += value.count
        return place
    }
}

extension ChainHash {
    /// The hash of words, none of which may be mistaken for another. A word ends at a NUL, as it does where it is bound.
    init(words: [String?]) {
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: RowEncoder.capacity)
        defer { bytes.deallocate() }
        var encoder = RowEncoder(bytes)
        for word in words {
            let hasEnd = word?.utf8.contains(0) ?? false
            encoder.add(hasEnd ? word.map { String($0.unicodeScalars.prefix { $0 != "\0" }) } : word)
        }
        self = encoder.hash
    }
}
