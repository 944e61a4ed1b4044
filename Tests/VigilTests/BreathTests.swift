import Testing

@testable import Vigil

@Suite("The breath between two readings")
struct BreathTests {
    /// The breath behind a second in which so much came.
    private func breath(bytesPerSecond rate: Int64) -> Double {
        var breath = Breath()
        for _ in 0..<100 { breath.note(bytes: rate / 100, in: 0.01) }
        return breath.length
    }

    @Test("is short where little comes", arguments: [0, 1000, 300_000])
    func short(rate: Int64) { #expect(breath(bytesPerSecond: rate) == Breath.range.lowerBound) }

    @Test("grows with what comes, up to its longest")
    func long() {
        #expect(breath(bytesPerSecond: 1_600_000) > breath(bytesPerSecond: 800_000))
        #expect(breath(bytesPerSecond: 1_000_000_000) == Breath.range.upperBound)
    }

    @Test("is short again once it is quiet")
    func calm() {
        var breath = Breath()
        for _ in 0..<100 { breath.note(bytes: 50_000, in: 0.01) }
        breath.note(bytes: 100, in: 1)
        #expect(breath.length == Breath.range.lowerBound)
    }
}
