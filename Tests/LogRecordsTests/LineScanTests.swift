import CScan
import Testing

@Suite("Kernels for lines")
struct LineScanTests {
    @Test("the end of a label is found alike by every implementation", arguments: 1...200)
    func labels(seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed))
        let alphabet = Array(":: \u{E9}ab ".utf8)
        let bytes = (0..<Int.random(in: 1...90, using: &numbers)).map { _ in
            alphabet[Int.random(in: 0..<alphabet.count, using: &numbers)]
        }
        for from in 1...bytes.count {
            let to = Int.random(in: from...bytes.count, using: &numbers)
            let wanted =
                (from..<to).first { at in
                    bytes[at] == 58
                        && (bytes[at - 1] >= 0x80 || bytes[at - 1] == 32
                            || (at + 2 < bytes.count && bytes[at + 1] == 32 && bytes[at + 2] == 32))
                } ?? to
            for kind in [CSCAN_BEST, CSCAN_PORTABLE] {
                #expect(cscan_label(bytes, from, to, bytes.count, kind) == wanted, "seed \(seed)")
            }
        }
    }

    @Test("the last of a byte is found", arguments: 1...50)
    func last(seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed))
        let bytes = (0..<40).map { _ in UInt8.random(in: 0...3, using: &numbers) }
        for from in 0...40 {
            let wanted = bytes[from...].lastIndex(of: 2) ?? 40
            #expect(cscan_last(bytes, 2, from, 40) == wanted)
        }
    }

    @Test("a row is laid out alike by every implementation", arguments: 1...200)
    func rows(seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed))
        let alphabet = Array("abcdefghij,\n\"".utf8)
        let columns: [[UInt8]?] = (0..<26).map { _ in
            guard Bool.random(using: &numbers) else { return nil }
            let letters = Bool.random(using: &numbers) ? alphabet.count : alphabet.count - 1
            return (0..<Int.random(in: 0...50, using: &numbers)).map { _ in
                alphabet[Int.random(in: 0..<letters, using: &numbers)]
            }
        }
        var (wanted, ends): ([UInt8], [UInt32]) = ([], [])
        for column in columns {
            if let column, column.isEmpty || column.contains(34) {
                wanted += [34] + column.flatMap { $0 == 34 ? [34, 34] : [$0] } + [34]
            } else {
                wanted += column ?? []
            }
            ends.append(UInt32(wanted.count) + 7)
            wanted.append(44)
        }
        wanted[wanted.count - 1] = 10
        for kind in [CSCAN_BEST, CSCAN_PORTABLE] {
            let found = LineScanTests.row(columns, kind)
            #expect(found.0 == wanted && found.1 == ends, "seed \(seed)")
        }
    }

    /// The row of these columns, and where they end, counted from 7 before it.
    private static func row(_ columns: [[UInt8]?], _ kind: cscan_kind) -> ([UInt8], [UInt32]) {
        let all = columns.flatMap { $0 ?? [] }
        let present = columns.enumerated().reduce(UInt32(0)) { $1.element == nil ? $0 : $0 | 1 << UInt32($1.offset) }
        var ends = [UInt32](repeating: 0, count: columns.count)
        var out = [UInt8](repeating: 0xAA, count: 2 * all.count + 3 * columns.count + 1)
        let length = all.withUnsafeBufferPointer { all in
            var at = 0
            let texts = columns.map { column in
                defer { at += column?.count ?? 0 }
                return cscan_text(bytes: all.baseAddress.map { $0 + at }, length: column?.count ?? 0)
            }
            return cscan_row(texts, present, UInt32(columns.count), &out, &ends, 7, kind)
        }
        #expect(out.last == 0xAA)
        return (Array(out.prefix(length)), ends)
    }
}
