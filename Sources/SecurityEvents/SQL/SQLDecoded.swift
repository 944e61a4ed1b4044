/// The bytes that a constant stands for, each with the place in the text that it was read from.
struct SQLDecoded {
    private(set) var bytes: [UInt8] = []
    private var origins: [Int] = []
    /// Where the content ends in the text.
    let end: Int

    init(capacity: Int, end: Int) {
        self.end = end
        bytes.reserveCapacity(capacity)
        origins.reserveCapacity(capacity)
    }

    mutating func append(_ byte: UInt8, from origin: Int) {
        bytes.append(byte)
        origins.append(origin)
    }

    mutating func append(scalar value: UInt32, from origin: Int) {
        // Halves of surrogate pairs and impossible numbers become U+FFFD: nothing looked for is made of them.
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { append(byte, from: origin) }
    }

    /// The range of the text that a range of the decoded bytes was read from.
    func source(of range: Range<Int>) -> Range<Int> {
        let lower = origin(range.lowerBound)
        return lower..<max(lower, origin(range.upperBound))
    }

    private func origin(_ index: Int) -> Int {
        index < origins.count ? origins[index] : end
    }
}
