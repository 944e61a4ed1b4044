import EventStore
import Foundation
import SecurityEvents
import Testing
import VigilModel

@testable import Vigil

@Suite("Losses of files")
struct LossWatchTests {
    private let place: Workplace
    private let path: String

    init() throws {
        place = try Workplace()
        path = try place.write("a.csv", ["one", "two", "three"])
    }

    /// Writes a file that was last written to some minutes ago.
    private func write(_ text: String, minutesAgo: Double) throws -> FileStamp {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -60 * minutesAgo)], ofItemAtPath: path)
        return try #require(FileStamp(path))
    }

    @Test(
        "a file that was just written to and is shorter now has lost bytes; one that was not is rotated",
        arguments: [1.0, 90])
    func cut(minutesAgo: Double) throws {
        var losses = LossWatch()
        #expect(losses.look(path, try write("one two three", minutesAgo: minutesAgo), isDeleted: false) == nil)
        let loss = losses.look(path, try write("one", minutesAgo: 0), isDeleted: false)
        guard minutesAgo < 60 else {
            #expect(loss == nil)
            return
        }
        #expect(loss?.way == .cut(to: 3) && loss?.size == 13)
        // Told once; growing is no loss.
        #expect(losses.look(path, try write("one four five six", minutesAgo: 0), isDeleted: false) == nil)
    }

    @Test("a file that was deleted is lost, one that was renamed is not")
    func deleted() throws {
        var losses = LossWatch()
        let stamp = try write("one two three", minutesAgo: 1)
        #expect(losses.look(path, stamp, isDeleted: false) == nil)
        #expect(losses.look(path, nil, isDeleted: false) == nil)
        #expect(losses.look(path, stamp, isDeleted: false) == nil)
        #expect(losses.look(path, nil, isDeleted: true)?.way == .deleted)
        #expect(losses.look(path, nil, isDeleted: true) == nil)
    }

    private func note(_ minutes: Double, source: Int64 = 7) -> EventNote {
        let kind = EventKind(
            dataset: "postgresql.log", category: "file", action: "tamper.silence", outcome: .unknown, severity: .medium,
            tags: ["tamper.silence"])
        let time = Date(timeIntervalSinceNow: minutes * 60).timeIntervalSince1970 * 1000
        return EventNote(
            source: source,
            event: SecurityEvent(
                identity: EventIdentity(origin: "silence", line: 1, hash: 0, ordinal: 0),
                time: LogTime(milliseconds: Int64(time)), kind: kind,
                actor: EventActor(address: nil, user: nil, database: nil)))
    }

    @Test("a log that rests is silent when its time has come, unless it speaks before")
    func silence() {
        var losses = LossWatch()
        losses.rest("late", note(5))
        losses.rest("woken", note(-1))
        losses.wake("woken")
        losses.rest("silent", note(-1))
        #expect(losses.due { _ in false }.count == 1)
        #expect(losses.due { _ in false }.isEmpty)
        #expect(losses.due(at: Date(timeIntervalSinceNow: 600)) { _ in false }.count == 1)
    }

    @Test("a deleted file of which a packed copy came within a minute was rotated")
    func packed() {
        var losses = LossWatch()
        losses.delete(note(0, source: 1))
        losses.delete(note(0, source: 2))
        #expect(losses.due { _ in false }.isEmpty)
        let later = losses.due(at: Date(timeIntervalSinceNow: LossWatch.grace + 1)) { $0.source == 1 }
        #expect(later.map(\.source) == [2])
    }

    @Test("a log that goes on in another file of its folder is not silent")
    func rotated() throws {
        var losses = LossWatch()
        _ = losses.look(path, FileStamp(path), isDeleted: false)
        let next = try place.write("b.csv", ["one"])
        losses.rest(path, note(-1))
        _ = losses.look(next, FileStamp(next), isDeleted: false)
        #expect(losses.due { _ in false }.isEmpty)
        // In another folder is another log.
        losses.rest(path + "/elsewhere/a.csv", note(-1))
        #expect(losses.due { _ in false }.count == 1)
    }
}
