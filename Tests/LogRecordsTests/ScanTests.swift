import CScan
import Testing

@Suite("Structure scan")
struct ScanTests {
    /// What one implementation finds.
    private static func scan(_ bytes: [UInt8], _ kind: cscan_kind) -> ([UInt32], [[UInt32]], UInt32) {
        var separators = [UInt32](repeating: 0, count: bytes.count + 64)
        var records = [cscan_record](repeating: cscan_record(), count: bytes.count + 1)
        let result = cscan_csv(bytes, UInt32(bytes.count), &separators, &records, UInt32(records.count), kind)
        let found = records.prefix(Int(result.records))
        let used = found.last.map { Int($0.first + $0.columns) } ?? 0
        return (Array(separators.prefix(used)), found.map { [$0.start, $0.first, $0.columns] }, result.consumed)
    }

    @Test("is the same in every implementation", arguments: 1...200)
    func agree(seed: Int) throws {
        try #require(cscan_has_avx2() == 1 || cscan_has_avx2() == 0)
        var numbers = SeededNumbers(seed: UInt64(seed))
        let alphabet = Array("\",\nabc\"".utf8)
        let length = Int.random(in: 0...400, using: &numbers)
        let bytes = (0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &numbers)] }
        let portable = ScanTests.scan(bytes, CSCAN_PORTABLE)
        let best = ScanTests.scan(bytes, CSCAN_BEST)
        #expect(portable.0 == best.0 && portable.1 == best.1 && portable.2 == best.2, "seed \(seed)")
        let naive = ScanTests.naive(bytes)
        #expect(portable.0 == naive.0 && portable.2 == naive.1, "seed \(seed)")
    }

    /// The same, the plain way: separators up to the last record's end, and that end.
    private static func naive(_ bytes: [UInt8]) -> ([UInt32], UInt32) {
        var inside = false
        var separators: [UInt32] = []
        var whole = (0, 0)
        for (index, byte) in bytes.enumerated() {
            if byte == 34 { inside.toggle() }
            guard !inside, byte == 44 || byte == 10 else { continue }
            separators.append(UInt32(index))
            if byte == 10 { whole = (separators.count, index + 1) }
        }
        return (Array(separators.prefix(whole.0)), UInt32(whole.1))
    }
}
