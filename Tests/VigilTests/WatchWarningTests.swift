import Foundation
import Testing
import VigilModel

@testable import Vigil

@Suite("Warnings of watch")
struct WatchWarningTests {
    private let start = Date(timeIntervalSince1970: 1_770_000_000)

    @Test("bytes that are no record are told once, and again a minute later when there are more")
    func unread() {
        var warnings = WatchWarnings()
        warnings.note([Unread(offset: 7, length: 3, reason: "torn", isPending: true)], of: "a.csv")
        #expect(warnings.takeUnread(at: start).isEmpty)
        warnings.note(
            [Unread(offset: 10, length: 3, reason: "24 columns"), Unread(offset: 40, length: 2, reason: "x")],
            of: "a\u{1b}.csv")
        let told = warnings.takeUnread(at: start)
        #expect(told.count == 1 && told[0].contains("byte 10: 24 columns; 2 places, 5 bytes"))
        #expect(!told[0].contains("\u{1b}"))
        warnings.note([Unread(offset: 50, length: 1, reason: "x")], of: "a\u{1b}.csv")
        #expect(warnings.takeUnread(at: start.addingTimeInterval(30)).isEmpty)
        #expect(warnings.takeUnread(at: start.addingTimeInterval(61)).first?.contains("byte 50: x; one place") == true)
        #expect(warnings.takeUnread(at: start.addingTimeInterval(200)).isEmpty)
    }

    @Test("a log that is written faster than it is read is told, and that it no longer is")
    func behind() {
        var warnings = WatchWarnings()
        func after(_ seconds: Double) -> Date { start.addingTimeInterval(seconds) }
        #expect(warnings.isBehind(at: after(0)) { 1 } == nil)
        #expect(warnings.caughtUp(at: after(5)) == nil)
        #expect(warnings.isBehind(at: after(6)) { 1 } == nil)
        #expect(warnings.isBehind(at: after(16)) { 2_000_000_000 }?.contains("for 10 s, 2000 MB") == true)
        #expect(warnings.isBehind(at: after(30)) { 1 } == nil)
        #expect(warnings.isBehind(at: after(77)) { 1 } != nil)
        #expect(warnings.caughtUp(at: after(80)) == "caught up with the logs after 74 s")
        #expect(warnings.caughtUp(at: after(81)) == nil)
    }
}
