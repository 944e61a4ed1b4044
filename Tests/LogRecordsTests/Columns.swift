import LogRecords
import VigilModel

/// What a reader found, as the columns that are asked for.
struct Columns: RecordConsumer {
    let wanted: [LogColumn]
    var rows: [[String]] = []
    var times: [LogTime] = []
    var offsets: [Int64] = []
    var forms: [RecordForm] = []
    var unread: [Unread] = []
    var text: [TextLine] = []

    init(_ wanted: [LogColumn]) { self.wanted = wanted }

    mutating func take(_ batch: RecordBatch) {
        for index in 0..<batch.count {
            let record = batch[index]
            rows.append(wanted.map { record.text($0) ?? "-" })
            times.append(record.time)
            offsets.append(record.offset)
            forms.append(record.form)
        }
    }

    mutating func takeUnfinished(_ batch: RecordBatch) { take(batch) }

    mutating func skip(_ span: Unread) { unread.append(span) }

    mutating func pass(_ line: TextLine) { text.append(line) }

    /// Equal in all but the reasons.
    func isSame(as other: Columns) -> Bool {
        rows == other.rows && times == other.times && offsets == other.offsets && text == other.text
            && unread.map { [$0.offset, $0.length] } == other.unread.map { [$0.offset, $0.length] }
    }
}

/// Reads bytes in a format, handed over in pieces of the given sizes.
func read(
    _ format: LogFormat, _ bytes: [UInt8], _ wanted: [LogColumn], timezone: String? = nil, pieces: [Int] = [1 << 20],
    from start: Int = 0, clock: LogTime = .distantPast
) -> Columns {
    var found = Columns(wanted)
    let reader = format.reader(
        offset: Int64(start),
        ReadingFacts(timezone: timezone, head: Array(bytes.prefix(LogFormat.sniffLength)), clock: clock))
    reader.read(bytes[start...], pieces: pieces, into: &found)
    return found
}

func read(
    _ format: LogFormat, _ text: String, _ wanted: [LogColumn], timezone: String? = nil, pieces: [Int] = [1 << 20]
) -> Columns {
    read(format, Array(text.utf8), wanted, timezone: timezone, pieces: pieces)
}
