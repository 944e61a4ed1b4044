import LogRecords
import Testing
import VigilModel

/// Keeps every batch and looks at it only when all are there.
private struct Keeper: RecordConsumer {
    var batches: [RecordBatch] = []
    var seen = Found()

    mutating func take(_ batch: RecordBatch) {
        batches.append(batch.kept)
        seen.take(batch)
    }
    mutating func takeUnfinished(_ batch: RecordBatch) { take(batch) }
    mutating func skip(_ span: Unread) { seen.skip(span) }
    mutating func pass(_ line: TextLine) { seen.pass(line) }

    /// What the kept batches show now.
    var kept: Found {
        var found = Found()
        for batch in batches { found.take(batch) }
        for span in seen.unread { found.skip(span) }
        return found
    }
}

@Suite("Batches that are kept")
struct KeptBatchTests {
    private static func log(seed: UInt64) -> [UInt8] {
        var numbers = SeededNumbers(seed: seed)
        var text: [UInt8] = []
        for line in 1...Int.random(in: 1...3000, using: &numbers) {
            switch Int.random(in: 0..<60, using: &numbers) {
            case 0: text += Array("no record, \"\n".utf8)
            case 1: text += Array(row(line: line).utf8).prefix(60) + [10]
            case 2: text += Array((row(line: line, message: String(repeating: "x\n", count: 20_000)) + "\n").utf8)
            default: text += Array((row(line: line, message: "hello \(line)") + "\n").utf8)
            }
        }
        return text
    }

    @Test("stay as they were while reading goes on", arguments: 0..<20)
    func keep(seed: UInt64) {
        let log = Self.log(seed: seed)
        var keeper = Keeper()
        let reader = CSVLogReader()
        reader.read(log[...], pieces: [1 << 18, 5000, 70_000], into: &keeper)
        #expect(keeper.kept == keeper.seen, "seed \(seed)")
        #expect(keeper.seen == read(log), "seed \(seed)")
        #expect(reader.position == Int64(log.count) || !keeper.seen.unread.isEmpty)
    }

    @Test("of PgBouncer stay, too", arguments: [1 << 18, 5000, 70_000])
    func pooler(piece: Int) {
        let lines = (1...20_000).map { number in
            "2026-03-02 08:41:57.595 UTC [17219] LOG C-0x\(String(number, radix: 16)): shop/app@192.0.2.7:\(number) "
                + "closing because: client close request (age=\(number)s)\n"
        }
        var keeper = Keeper()
        LogFormat.pgbouncer.reader().read(Array(lines.joined().utf8)[...], pieces: [piece], into: &keeper)
        #expect(keeper.kept == keeper.seen)
        #expect(keeper.seen.records.count == 20_000)
    }

    @Test("of other formats stay, too")
    func others() {
        var keeper = Keeper()
        let lines = (1...3000).map { number in
            "{\"timestamp\":\"2026-03-02 09:49:01.374 UTC\",\"pid\":7,\"session_id\":\"69a55d0d.7\",\"line_num\":\(number),"
                + "\"error_severity\":\"LOG\",\"message\":\"m \(number)\",\"backend_type\":\"checkpointer\"}\n"
        }
        LogFormat.jsonlog.reader(offset: 0, ReadingFacts(timezone: nil, prefix: nil, head: []))
            .read(Array(lines.joined().utf8), into: &keeper)
        #expect(keeper.kept == keeper.seen)
        #expect(keeper.seen.records.count == 3000)
    }
}
