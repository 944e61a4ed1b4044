import Testing
import VigilModel

@testable import SecurityEvents

@Suite("Spans of sessions")
struct SpanTableTests {
    /// The same, looked for one by one.
    private struct Plain {
        var spans: [(opened: Int64, closed: Int64, value: Int)] = []

        subscript(offset: Int64) -> Int? { spans.last { $0.opened <= offset && offset <= $0.closed }?.value }

        mutating func close(at offset: Int64) {
            guard let index = spans.lastIndex(where: { $0.opened <= offset && offset < $0.closed }) else { return }
            spans[index].closed = offset
        }

        mutating func open(at offset: Int64, _ value: Int) {
            if let last = spans.last, last.opened >= offset { return }
            close(at: offset - 1)
            spans.append((offset, .max, value))
        }
    }

    @Test("hold where looking at each finds them", arguments: 0..<50)
    func equal(seed: UInt64) throws {
        var numbers = SeededNumbers(seed: seed)
        let key = try #require(SessionKey(text: "10:1:2"))
        var table = SpanTable<Int>(limit: 100)
        var plain = Plain()
        var offset: Int64 = 10
        for step in 0..<300 {
            offset += Int64.random(in: 0...3, using: &numbers)
            // Some of what was read is read again.
            if Int.random(in: 0..<20, using: &numbers) == 0 { offset = max(10, offset - 40) }
            switch Int.random(in: 0..<5, using: &numbers) {
            case 0, 1:
                table.open(key, at: offset, step)
                plain.open(at: offset, step)
            case 2:
                table.close(key, at: offset)
                plain.close(at: offset)
            case 3:
                table.close(key, before: offset)
                plain.close(at: offset - 1)
            default:
                table.update(key, at: offset) { $0 += 1000 }
                if let index = plain.spans.lastIndex(where: { $0.opened <= offset && offset <= $0.closed }) {
                    plain.spans[index].value += 1000
                }
            }
            for other in max(0, offset - 20)...(offset + 2) {
                #expect(table[key, at: other] == plain[other], "seed \(seed), step \(step), offset \(other)")
            }
        }
    }

    @Test("that are over are bounded by what they weigh; what is open stays")
    func bounded() throws {
        let (busy, quiet) = (try #require(SessionKey(text: "10:1:2")), try #require(SessionKey(text: "10:3:4")))
        var table = SpanTable<Int>(limit: 100) { $0 }
        table.open(quiet, at: 1, 5)
        let count = Int64(SpanTable<Int>.mostWeight / 1000 * 3)
        for offset in 2..<count {
            table.open(busy, at: offset * 10, 1000)
            table.close(busy, at: offset * 10 + 5)
        }
        let held = (2..<count).filter { table[busy, at: $0 * 10 + 3] != nil }
        #expect(held.count * 1000 <= SpanTable<Int>.mostWeight + 1000)
        // The newest are there, without a hole.
        #expect(
            held == Array((count - Int64(held.count))..<count) && held.count * 1000 >= SpanTable<Int>.mostWeight / 3)
        #expect(table[quiet, at: count * 10] == 5)
    }
}
