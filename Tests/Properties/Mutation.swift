/// Changes inputs as a careless or a hostile writer would.
public enum Mutation {
    /// Bytes that mean something to some reader.
    private static let marks: [UInt8] = [0, 9, 10, 13, 27, 34, 36, 39, 44, 45, 47, 58, 59, 64, 91, 92, 123, 194, 255]

    /// An input with some of its bytes and lines flipped, cut, doubled, moved, or put in from another.
    public static func changed(_ input: [UInt8], with other: [UInt8], _ numbers: inout SeededNumbers) -> [UInt8] {
        var bytes = input
        for _ in 0..<Int.random(in: 1...6, using: &numbers) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &numbers)
            let end = min(bytes.count, at + Int.random(in: 0...90, using: &numbers))
            switch Int.random(in: 0..<8, using: &numbers) {
            case 0: bytes[at] ^= UInt8.random(in: 1...255, using: &numbers)
            case 1: bytes.removeSubrange(at..<end)
            case 2: bytes.insert(contentsOf: bytes[at..<end], at: at)
            case 3: bytes[at] = marks.randomElement(using: &numbers) ?? 0
            case 4: bytes.insert(contentsOf: line(of: other, &numbers), at: at)
            case 5: bytes.insert(contentsOf: line(of: input, &numbers), at: lineStart(bytes, at))
            case 6: bytes.insert(contentsOf: repeatElement(bytes[at], count: end - at), at: at)
            default: bytes.removeSubrange(at...)
            }
        }
        return bytes
    }

    private static func lineStart(_ bytes: [UInt8], _ at: Int) -> Int {
        bytes[..<at].lastIndex(of: 10).map { $0 + 1 } ?? 0
    }

    /// A line with its line feed.
    private static func line(of bytes: [UInt8], _ numbers: inout SeededNumbers) -> [UInt8] {
        guard !bytes.isEmpty else { return [] }
        let from = lineStart(bytes, Int.random(in: 0..<bytes.count, using: &numbers))
        let end = bytes[from...].firstIndex(of: 10).map { $0 + 1 } ?? bytes.count
        return Array(bytes[from..<min(end, from + 4096)])
    }
}
