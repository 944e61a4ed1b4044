import Testing
import VigilModel

@testable import EventStore

@Suite("The table of actors")
struct ActorTableTests {
    @Test("finds what was added, also where halves of hashes meet, and nothing else")
    func finds() {
        var table = ActorTable()
        let hashes = (0..<20_000).map { ChainHash(of: "actor \($0)") }
        for (number, hash) in hashes.enumerated() { table.add(hash, Int64(number) + 1) }
        for (number, hash) in hashes.enumerated() {
            #expect(table.find(hash) { hashes[Int($0) - 1] == hash } == Int64(number) + 1)
        }
        // The same half, another row.
        table.add(hashes[7], 20_001)
        var asked: [Int64] = []
        #expect(
            table.find(hashes[7]) { number in
                asked.append(number)
                return number == 20_001
            } == 20_001)
        #expect(asked == [8, 20_001])
        #expect(table.find(ChainHash(of: "nobody")) { _ in false } == nil)
    }
}
