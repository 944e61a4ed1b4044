import LogRecords
import Testing
import VigilModel

/// What a reader found, with every column.
struct StderrFound: RecordConsumer, Equatable, CustomTestStringConvertible {
    struct Row: Equatable {
        var offset: Int64
        var time: LogTime
        var columns: [LogColumn: String]

        subscript(column: LogColumn) -> String? { columns[column] }
    }

    var rows: [Row] = []
    var unread: [Unread] = []
    var text: [TextLine] = []

    var testDescription: String { "\(rows.count) rows, unread \(unread.map(\.offset)), text \(text.map(\.offset))" }

    mutating func take(_ batch: RecordBatch) {
        for index in 0..<batch.count {
            let record = batch[index]
            var columns: [LogColumn: String] = [:]
            for column in LogColumn.allCases { columns[column] = record.text(column) }
            rows.append(Row(offset: record.offset, time: record.time, columns: columns))
        }
    }

    mutating func takeUnfinished(_ records: RecordBatch) { take(records) }
    mutating func skip(_ span: Unread) { unread.append(span) }
    mutating func pass(_ line: TextLine) { text.append(line) }

    /// Values of some columns, one text a row, `-` for what is not there.
    func values(_ columns: LogColumn...) -> [String] {
        rows.map { row in columns.map { row[$0] ?? "-" }.joined(separator: "|") }
    }

    /// Bytes that are accounted for but are no row.
    var others: Int64 { unread.reduce(0) { $0 + $1.length } + text.reduce(0) { $0 + $1.length } }
}

/// Reads a log handed over in pieces of the given sizes.
func readLog(
    _ bytes: [UInt8], as format: LogFormat = .stderr, prefix: String? = nil, timezone: String? = nil,
    newest: String = "2026-12-01", head: [UInt8]? = nil, pieces: [Int] = [1 << 20]
) -> StderrFound {
    var facts = ReadingFacts(
        timezone: timezone, prefix: prefix, head: head ?? Array(bytes.prefix(LogFormat.sniffLength)))
    facts.newest = LogTime(parsing: newest) ?? .distantPast
    let reader = format.reader(facts)
    var found = StderrFound()
    reader.read(bytes[...], pieces: pieces, into: &found)
    return found
}

func readLog(
    _ text: String, as format: LogFormat = .stderr, prefix: String? = nil, timezone: String? = nil,
    newest: String = "2026-12-01"
) -> StderrFound {
    readLog(Array(text.utf8), as: format, prefix: prefix, timezone: timezone, newest: newest)
}

/// Lines as a server with that prefix writes them (`log_status_format` and `send_message_to_server_log` in elog.c).
struct LogWriter {
    var prefix: String
    var text = ""
    var line = 0

    init(_ prefix: String) { self.prefix = prefix }

    /// One process's record.
    struct Entry {
        var user: String? = "bob"
        var database: String? = "shop"
        var application = "[unknown]"
        var host: String? = "192.0.2.1"
        var port = "40000"
        var pid = 20251
        var severity = "LOG"
        var state = "00000"
        var tag = "idle"
        var message = "hello"
        var parts: [(String, String)] = []
        var isClient = true
    }

    mutating func write(_ entry: Entry) {
        emit(entry, entry.severity, entry.message)
        for (label, part) in entry.parts { emit(entry, label, part) }
    }

    private mutating func emit(_ entry: Entry, _ label: String, _ message: String) {
        line += 1
        let tabbed = message.unicodeScalars.map { $0 == "\n" ? "\n\t" : String($0) }.joined()
        text += printed(entry) + label + ":  " + tabbed + "\n"
    }

    private func printed(_ entry: Entry) -> String {
        var result = ""
        var rest = prefix[...]
        while let character = rest.popFirst() {
            guard character == "%" else {
                result.append(character)
                continue
            }
            let digits = rest.prefix { $0.isNumber || $0 == "-" }
            rest = rest.dropFirst(digits.count)
            guard let escape = rest.popFirst() else { break }
            if escape == "q" {
                if entry.isClient { continue }
                break
            }
            let value = value(entry, escape)
            let width = Int(digits) ?? 0
            let blanks = String(repeating: " ", count: max(0, abs(width) - value.utf8.count))
            result += width > 0 ? blanks + value : value + blanks
        }
        return result
    }

    private func value(_ entry: Entry, _ escape: Character) -> String {
        let isClient = entry.isClient
        switch escape {
        case "%": return "%"
        case "a": return isClient ? entry.application : ""
        case "u": return isClient ? entry.user ?? "[unknown]" : ""
        case "d": return isClient ? entry.database ?? "[unknown]" : ""
        case "r": return isClient ? entry.host.map { $0 + "(\(entry.port))" } ?? "[local]" : ""
        case "h": return isClient ? entry.host ?? "[local]" : ""
        case "L": return isClient ? "10.0.0.1" : "[none]"
        case "b": return isClient ? "client backend" : "checkpointer"
        case "p": return String(entry.pid)
        case "P": return ""
        case "t": return "2026-03-02 09:49:00 UTC"
        case "m": return "2026-03-02 09:49:00.374 UTC"
        case "n": return "1772444940.374"
        case "i": return isClient ? entry.tag : ""
        case "e": return entry.state
        case "c": return "69a55d0c." + String(entry.pid, radix: 16)
        case "l": return String(line)
        case "s": return "2026-03-02 09:49:00 UTC"
        case "v": return isClient ? "3/17" : ""
        case "x": return "0"
        case "Q": return "-5821"
        default: return ""
        }
    }
}
