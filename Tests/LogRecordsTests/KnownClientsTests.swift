import Testing
import VigilModel

@testable import LogRecords

@Suite("Connections of a pooler that were seen last")
struct KnownClientsTests {
    /// The same with a dictionary.
    private struct Plain {
        var known: [UInt64: (address: UInt64, time: LogTime)] = [:]

        mutating func set(_ key: UInt64, _ address: UInt64, _ time: LogTime) {
            if known.count >= 1024 {
                known = known.filter { abs(time.milliseconds - $0.value.time.milliseconds) <= 5000 }
                if known.count >= 1024 { known = [:] }
            }
            known[key] = (address, time)
        }
    }

    @Test("are found, forgotten and made room for", arguments: [0, 3, 40])
    func same(milliseconds: Int64) {
        var numbers = SeededNumbers(seed: UInt64(milliseconds))
        var table = KnownClients(span: 5000)
        var plain = Plain()
        // Few places, so that keys meet.
        let keys: [UInt64] = (UInt64(0)..<3000).map { number in
            let place: UInt64 = (number % 40) << 52
            return place | number << 1 | 1
        }
        for step in 0..<20_000 {
            let time = LogTime(milliseconds: Int64(step) * milliseconds)
            let key = keys.randomElement(using: &numbers) ?? 1
            switch Int.random(in: 0..<5, using: &numbers) {
            case 0...2:
                table.set(key, address: UInt64(step), time: time)
                plain.set(key, UInt64(step), time)
            case 3:
                table.remove(key)
                plain.known[key] = nil
            default: break
            }
            let other = keys.randomElement(using: &numbers) ?? 1
            #expect(table[other]?.address == plain.known[other]?.address)
            #expect(table[other]?.time == plain.known[other]?.time)
        }
    }
}
