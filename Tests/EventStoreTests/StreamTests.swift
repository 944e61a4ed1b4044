import EventStore
import Foundation
import Testing
import VigilModel

@Suite("Streams of rows")
struct StreamTests {
    @Test("lines that were seen are known, whatever order they came in", arguments: 1...50)
    func ranges(seed: Int64) {
        var seen: Set<Int64> = []
        var ranges = NumberRanges()
        for step in 0..<300 {
            // Mostly in order, with some that are late or come again.
            let number = step % 7 == 0 ? (seed * 7919 + Int64(step) * 104_729) % 300 + 1 : Int64(step + 1)
            let verdict = ranges.take(number)
            switch verdict {
            case .new: #expect(!seen.contains(number))
            case .known: #expect(seen.contains(number))
            case .doubtful: break
            }
            seen.insert(number)
            if step % 50 == 0 { #expect(NumberRanges(text: ranges.text) == ranges) }
        }
    }

    @Test("of too many holes the lowest are forgotten: nothing there is taken for seen")
    func holes() {
        var ranges = NumberRanges()
        for number in stride(from: Int64(2), through: 400, by: 2) { #expect(ranges.take(number) == .new) }
        #expect(ranges.take(3) == .doubtful)
        #expect(ranges.take(399) == .new)
        #expect(ranges.take(400) == .known)
        #expect(NumberRanges(text: ranges.text) == ranges)
        #expect(NumberRanges(text: "5-1 x 7 -").text == "7")
    }

    private func store() throws -> (store: Store, path: String) {
        let path = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString).db").path
        return (try Store(path: path), path)
    }

    @Test("what was seen, and the cursor, are in the transaction of the events; old things are forgotten")
    func progress() throws {
        let (store, path) = try store()
        defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
        let identity = StreamIdentity(
            path: "vector:postgres/a", format: "csvlog", cluster: "c", instance: "a", isReceived: true)
        let state = try store.open(identity)
        #expect(try store.open(identity).id == state.id)
        let writer = StoreWriter(store)
        func commit(_ session: String, at milliseconds: Int64, forgets: Int64? = nil) throws {
            var lines = NumberRanges()
            _ = lines.take(1)
            var ingest = Ingest(source: state.id, position: 7, clock: .distantPast, counted: 9)
            var progress = StreamProgress()
            let time = LogTime(milliseconds: milliseconds)
            progress.sessions[session] = StreamProgress.Session(lines: lines, seen: time)
            progress.rows[StreamProgress.Row(time: time, digest: .max)] = 3
            progress.forgetsBefore = forgets.map { LogTime(milliseconds: $0) }
            ingest.stream = progress
            _ = try writer.commit([ingest], cursor: ReadingCursor(name: "x", reached: time, late: 2))
        }
        try commit("one", at: 1000)
        try commit("two", at: 2000)
        #expect(try store.seen(["one", "two", "three"], of: state.id).keys.sorted() == ["one", "two"])
        #expect(try store.cursor("x")?.reached == LogTime(milliseconds: 2000))
        #expect(try store.cursor("y") == nil)
        try commit("three", at: 3000, forgets: 2000)
        #expect(try store.seen(["one", "two", "three"], of: state.id).keys.sorted() == ["three", "two"])
        let rows = try store.seenRows(
            from: LogTime(milliseconds: 0), through: LogTime(milliseconds: 9000), of: state.id)
        #expect(rows.count == 2 && rows.values.allSatisfy { $0 == 3 })
        let again = try store.open(identity)
        #expect(again.position == 7 && again.counted == 9)
    }
}
