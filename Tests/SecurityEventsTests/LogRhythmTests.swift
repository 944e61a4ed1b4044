import Testing
import VigilModel

@testable import SecurityEvents

@Suite("The rhythm of a log")
struct LogRhythmTests {
    private static let minute: Int64 = 60_000

    private func rhythm(minutes: Range<Int64>, _ rhythm: LogRhythm = LogRhythm()) -> LogRhythm {
        var rhythm = rhythm
        for minute in minutes { _ = rhythm.take(LogTime(milliseconds: minute * LogRhythmTests.minute)) }
        return rhythm
    }

    @Test("half an hour of nothing after an hour of speech is a silence, told at its thirtieth minute")
    func silence() throws {
        var log = rhythm(minutes: 0..<70)
        #expect(log.due(at: LogTime(milliseconds: 98 * LogRhythmTests.minute)) == nil)
        let due = try #require(log.due(at: LogTime(milliseconds: 99 * LogRhythmTests.minute)))
        let ended = log.take(LogTime(milliseconds: 300 * LogRhythmTests.minute))
        let told = try #require(ended)
        #expect(due.last == told.last && due.mark == told.mark && told.minutes == 60)
        #expect(told.last.milliseconds == 69 * LogRhythmTests.minute)
        // Told once.
        #expect(log.take(LogTime(milliseconds: 301 * LogRhythmTests.minute)) == nil)
    }

    @Test("a log that speaks seldom, or not for long enough, is never silent", arguments: [1, 2, 7])
    func seldom(every: Int64) {
        var log = LogRhythm()
        let count: Int64 = every == 1 ? 49 : 200
        for step in 0..<count { _ = log.take(LogTime(milliseconds: step * every * LogRhythmTests.minute)) }
        #expect(log.take(LogTime(milliseconds: 100_000 * LogRhythmTests.minute)) == nil)
    }

    @Test("a server that was told to stop may be silent")
    func stopped() {
        var log = rhythm(minutes: 0..<70)
        log.stop(at: LogTime(milliseconds: 69 * LogRhythmTests.minute))
        #expect(log.take(LogTime(milliseconds: 300 * LogRhythmTests.minute)) == nil)
        // Started again, and silent an hour later.
        log = rhythm(minutes: 301..<370, log)
        #expect(log.take(LogTime(milliseconds: 500 * LogRhythmTests.minute)) != nil)
    }

    @Test("what is read once more changes nothing, and the store brings it back", arguments: [0, 30, 69])
    func again(from: Int64) throws {
        let log = rhythm(minutes: 0..<70)
        let kept = try #require(LogRhythm(text: log.text))
        #expect(kept == log)
        #expect(rhythm(minutes: from..<70, kept) == log)
        #expect(LogRhythm(text: "nothing") == nil)
    }

    @Test("behind a day without a record begins another log")
    func seam() {
        var log = rhythm(minutes: 0..<70)
        #expect(log.take(LogTime(milliseconds: (69 + 1440) * LogRhythmTests.minute)) == nil)
        log = rhythm(minutes: 0..<70)
        #expect(log.take(LogTime(milliseconds: (69 + 1439) * LogRhythmTests.minute)) != nil)
    }
}
