import LogRecords
import Testing
import VigilModel

/// What a reader found, as plain values: one line a record with the columns that matter.
struct Found: RecordConsumer, Equatable, CustomTestStringConvertible {
    var records: [String] = []
    var offsets: [Int64] = []
    var times: [LogTime] = []
    var unread: [Unread] = []
    /// Lines that are no records.
    var text: [TextLine] = []

    /// Short: texts of the property tests are long.
    var testDescription: String { "\(offsets) unread \(unread.map { "\($0.offset)+\($0.length) \($0.reason)" })" }

    mutating func take(_ batch: RecordBatch) {
        for index in 0..<batch.count {
            let record = batch[index]
            records.append(
                [LogColumn.userName, .connectionFrom, .sessionLine, .sqlState, .message, .applicationName]
                    .map { record.text($0) ?? "-" }.joined(separator: "|"))
            offsets.append(record.offset)
            times.append(record.time)
        }
    }

    /// What was noticed first depends on how much was there to see, so reasons are not compared.
    static func == (left: Found, right: Found) -> Bool {
        left.records == right.records && left.offsets == right.offsets && left.times == right.times
            && left.unread.map { [$0.offset, $0.length] } == right.unread.map { [$0.offset, $0.length] }
    }

    mutating func takeUnfinished(_ batch: RecordBatch) { take(batch) }

    mutating func skip(_ span: Unread) { unread.append(span) }

    mutating func pass(_ line: TextLine) { text.append(line) }
}

extension RecordReader {
    /// Reads bytes handed over in pieces of the given sizes, over and over.
    func read(_ bytes: ArraySlice<UInt8>, pieces: [Int], into consumer: inout some RecordConsumer) {
        var rest = bytes
        var turn = 0
        while !rest.isEmpty {
            let piece = rest.prefix(pieces[turn % pieces.count])
            rest = rest.dropFirst(piece.count)
            turn += 1
            read(piece, into: &consumer, atEnd: false)
        }
        drain(into: &consumer, atEnd: true)
    }
}

/// Reads bytes handed over in pieces of the given sizes, over and over.
func read(
    _ bytes: [UInt8], pieces: [Int] = [1 << 20], with reader: any RecordReader = CSVLogReader()
) -> Found {
    var found = Found()
    reader.read(bytes[...], pieces: pieces, into: &found)
    return found
}

func read(_ text: String, pieces: [Int] = [1 << 20]) -> Found { read(Array(text.utf8), pieces: pieces) }

/// A csvlog row of PostgreSQL 15 without its line feed.
func row(
    user: String = "bob", from: String = "\"192.0.2.1:40000\"", line: Int = 1, state: String = "00000",
    message: String = "hello", columns: Int = 26, second: Int = 0
) -> String {
    let quoted = { (text: String) in
        "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
    let seconds = (second < 10 ? "0" : "") + String(second)
    var row = "2026-03-02 09:49:\(seconds).374 UTC,\(quoted(user)),\"shop\",20251,\(from),69a55d0d.4f1b,\(line),"
    row += "\"authentication\",2026-03-02 09:49:01 UTC,3/1,0,FATAL,\(state),\(quoted(message)),,,,,,,,,\"psql\""
    if columns >= 24 { row += ",\"client backend\"" }
    if columns >= 26 { row += ",,0" }
    return row
}

/// Numbers that are the same in each run.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
