import Codecs
import EventStore
import Foundation
import LogRecords
import Testing
import VigilModel

@testable import Vigil

@Suite("Rows that Vector posts")
struct VectorInputTests {
    private let place: Workplace
    private let store: Store
    private let input: VectorInput

    init() throws {
        place = try Workplace()
        store = try Store(path: place.path("a.db"))
        input = VectorInput(
            FleetReader(store: store, catalogue: try Configuration().catalogue().events),
            FleetReader.Manner(isReceived: false))
    }

    private func body(_ count: Int, from first: Int = 1) throws -> [UInt8] {
        let csv = (first..<first + count).map { row("09:49:01.374", session: $0, line: 1) + "\n" }.joined()
        return try vectorRows(csv).flatMap { $0.line + [10] }
    }

    @Test("200 comes when the events are in the store, plain or packed, and again for the same rows")
    func taken() async throws {
        let rows = try body(5)
        #expect(await input.answer(to: rows, packed: nil).status == 200)
        #expect(try store.lastEventRow() == 5)
        let packed = try #require(GzipEncoder.pack(rows))
        let answer = await input.answer(to: packed, packed: "gzip")
        #expect(answer.status == 200 && answer.text.contains("0 new, 5 known"))
        #expect(try store.lastEventRow() == 5)
        #expect(await input.answer(to: [], packed: nil).status == 200)
    }

    @Test("poison gets 400 or 413; one bad line among good ones is told and takes no other with it")
    func poison() async throws {
        #expect(await input.answer(to: Array("[{\"a\":1}]".utf8), packed: nil).status == 400)
        #expect(await input.answer(to: [1, 2, 3], packed: "gzip").status == 400)
        #expect(await input.answer(to: [], packed: "br").status == 415)
        let bomb = try #require(GzipEncoder.pack([UInt8](repeating: 32, count: 100 << 20)))
        #expect(await input.answer(to: bomb, packed: "gzip").status == 413)
        let answer = try await input.answer(to: Array("no row\n".utf8) + body(2), packed: nil)
        #expect(answer.status == 200)
        #expect(try store.lastEventRow() == 2)
        #expect(try store.sourceStatus().map(\.unread).reduce(0, +) == 1)
        // Rows of other programs are nobody's.
        #expect(
            await input.answer(to: Array(#"{"_time":"2026-03-02T09:49:01Z","job":"nginx"}"#.utf8), packed: nil).status
                == 200)
    }

    @Test("many at a time are taken in turn or told to come again, and none after the end")
    func busy() async throws {
        let bodies = try (0..<40).map { try body(20, from: 1 + $0 * 20) }
        var taken: Set<Int> = []
        while taken.count < bodies.count {
            let missing = bodies.indices.filter { !taken.contains($0) }
            let answers = await withTaskGroup(of: (Int, Int).self) { group in
                for index in missing {
                    group.addTask { [input] in (index, await input.answer(to: bodies[index], packed: nil).status) }
                }
                return await group.reduce(into: [(Int, Int)]()) { $0.append($1) }
            }
            for (index, status) in answers {
                #expect([200, 503].contains(status))
                if status == 200 { taken.insert(index) }
            }
        }
        #expect(try store.lastEventRow() == 800)
        input.stop()
        #expect(await input.answer(to: try body(1, from: 5000), packed: nil).status == 503)
        #expect(try store.lastEventRow() == 800)
    }
}
