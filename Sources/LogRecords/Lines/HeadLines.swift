/// The first lines of a file, for those who look whether it is theirs. The last one may be torn.
struct HeadLines: Sequence, IteratorProtocol {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0
    private var left: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, atMost count: Int = 512) {
        self.bytes = bytes
        left = count
        if bytes.has("\u{FEFF}") { at = 3 }
    }

    mutating func next() -> UnsafeBufferPointer<UInt8>? {
        guard at < bytes.count, left > 0 else { return nil }
        left -= 1
        let end = bytes[at...].firstIndex(of: 10) ?? bytes.count
        defer { at = end + 1 }
        let last = end > at && bytes[end - 1] == 13 ? end - 1 : end
        return UnsafeBufferPointer(rebasing: bytes[at..<last])
    }
}
