import Properties
import Testing

/// Inputs changed at random with a fixed seed; `make fuzz` goes on from here without end. One at a time: other tests want
/// to get on, too.
@Suite("Any input", .serialized)
struct PropertyTests {
    @Test("is read as far as it goes", .timeLimit(.minutes(10)), arguments: Property.allCases)
    func seeded(property: Property) throws {
        let seeds = property.seeds
        try #require(!seeds.isEmpty)
        for seed in seeds { #expect(property.problem(with: seed) == nil) }
        var numbers = SeededNumbers(seed: 4711)
        for round in 0..<PropertyTests.rounds(property) {
            let input = seeds[round % seeds.count]
            let other = seeds.randomElement(using: &numbers) ?? input
            let changed = Mutation.changed(input, with: other, &numbers)
            #expect(
                property.problem(with: changed) == nil, "round \(round): \(String(decoding: changed, as: UTF8.self))")
        }
    }

    /// A second or two each.
    private static func rounds(_ property: Property) -> Int {
        switch property {
        case .records: 400
        case .rules: 20
        case .patterns: 120
        default: 1000
        }
    }
}
