import LogRecords
import Testing
import VigilModel

/// Every column of every record, undone, with time, form and offset.
struct PlainRows: RecordConsumer, Equatable {
    struct Row: Equatable, CustomStringConvertible {
        var columns: [[UInt8]] = []
        var time = LogTime.distantPast
        var dataset = LogDataset.postgresql
        var form = RecordForm.columns
        var offset: Int64 = 0

        subscript(column: LogColumn) -> String { String(escaping: columns[column.rawValue]) }

        var description: String { columns.map { String(escaping: $0) }.joined(separator: "|") }
    }

    var rows: [Row] = []
    var unread: [Unread] = []
    var text: [TextLine] = []

    mutating func take(_ batch: RecordBatch) {
        for index in 0..<batch.count {
            let record = batch[index]
            rows.append(
                Row(
                    columns: LogColumn.allCases.map { record.uncut($0) }, time: record.time, dataset: record.dataset,
                    form: record.form, offset: record.offset))
        }
    }

    mutating func takeUnfinished(_ batch: RecordBatch) { take(batch) }
    mutating func skip(_ span: Unread) { unread.append(span) }
    mutating func pass(_ line: TextLine) { text.append(line) }

    static func == (left: PlainRows, right: PlainRows) -> Bool {
        left.rows == right.rows && left.text == right.text
            && left.unread.map { [$0.offset, $0.length] } == right.unread.map { [$0.offset, $0.length] }
    }

    /// A reader that is handed bytes in pieces of those sizes, over and over.
    static func read(_ bytes: [UInt8], pieces: [Int] = [1 << 20], with reader: any RecordReader) -> PlainRows {
        var found = PlainRows()
        reader.read(bytes[...], pieces: pieces, into: &found)
        return found
    }

    /// Bytes that lie in no row, text or unread span, given where the rows end.
    var unreadBytes: Int64 { unread.reduce(0) { $0 + $1.length } }
}

/// A record as a server has it in memory, to be written in any format.
struct ServerRecord {
    var time = "2026-03-02 09:49:01.374 UTC"
    var user: [UInt8]?
    var database: [UInt8]?
    var process = 20251
    var host: [UInt8]?
    /// Raw, as the client bound it, when the host is `[local]`.
    var port: [UInt8]?
    var sessionID = "69a55d0d.4f1b"
    var line = 1
    var tag: [UInt8]?
    var sessionStart = "2026-03-02 09:49:01 UTC"
    var virtualTransaction: String?
    var transaction = 0
    var severity = "LOG"
    var state = "00000"
    var message: [UInt8] = Array("hello".utf8)
    var detail: [UInt8]?
    var hint: [UInt8]?
    var internalQuery: [UInt8]?
    var internalPosition: Int?
    var context: [UInt8]?
    var query: [UInt8]?
    var queryPosition: Int?
    var function: [UInt8]?
    var file: [UInt8]?
    var fileLine = 1
    var application: [UInt8] = []
    var backendType: [UInt8] = Array("client backend".utf8)
    var leader: Int?
    var queryID: Int64 = 0

    /// As csvlog has it (`csvlog.c`).
    var csv: [UInt8] {
        var row = Array(time.utf8)
        func quote(_ text: [UInt8]?) {
            row.append(44)
            guard let text else { return }
            row.append(34)
            for byte in text {
                if byte == 34 { row.append(34) }
                row.append(byte)
            }
            row.append(34)
        }
        func bare(_ text: String) { row += [44] + Array(text.utf8) }
        quote(user)
        quote(database)
        bare("\(process)")
        row.append(44)
        if let host { row += [34] + host + (port.map { [58] + $0 } ?? []) + [34] }
        bare(sessionID)
        bare("\(line)")
        quote(tag)
        bare(sessionStart)
        bare(virtualTransaction ?? "")
        bare("\(transaction)")
        bare(severity)
        bare(state)
        quote(message)
        quote(detail)
        quote(hint)
        quote(internalQuery)
        bare(internalPosition.map(String.init) ?? "")
        quote(context)
        quote(query)
        bare(queryPosition.map(String.init) ?? "")
        quote(file.map { (function.map { $0 + [44, 32] } ?? []) + $0 + Array(":\(fileLine)".utf8) })
        quote(application)
        quote(backendType)
        bare(leader.map(String.init) ?? "")
        bare("\(queryID)")
        return row + [10]
    }

    /// As jsonlog has it (`jsonlog.c`).
    var json: [UInt8] {
        var line: [UInt8] = [123]
        func raw(_ name: String, _ value: [UInt8]?) {
            guard let value else { return }
            if line.count > 1 { line.append(44) }
            line += Array("\"\(name)\":".utf8) + value
        }
        func text(_ name: String, _ value: [UInt8]?) { raw(name, value.map(ServerRecord.escaped)) }
        func number(_ name: String, _ value: (some BinaryInteger)?) { raw(name, value.map { Array("\($0)".utf8) }) }
        text("timestamp", Array(time.utf8))
        text("user", user)
        text("dbname", database)
        number("pid", process)
        text("remote_host", host)
        raw("remote_port", port)
        text("session_id", Array(sessionID.utf8))
        number("line_num", self.line)
        text("ps", tag)
        text("session_start", Array(sessionStart.utf8))
        text("vxid", virtualTransaction.map { Array($0.utf8) })
        number("txid", transaction)
        text("error_severity", Array(severity.utf8))
        if state != "00000" { text("state_code", Array(state.utf8)) }
        text("message", message)
        text("detail", detail)
        text("hint", hint)
        text("internal_query", internalQuery)
        number("internal_position", internalPosition)
        text("context", context)
        text("statement", query)
        number("cursor_position", queryPosition)
        text("func_name", file == nil ? nil : function)
        text("file_name", file)
        number("file_line_num", file == nil ? nil : fileLine)
        if !application.isEmpty { text("application_name", application) }
        text("backend_type", backendType)
        number("leader_pid", leader)
        number("query_id", queryID)
        return line + [125, 10]
    }

    /// A JSON string as PostgreSQL's escape_json writes it.
    static func escaped(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [34]
        for byte in text {
            switch byte {
            case 8: result += Array("\\b".utf8)
            case 12: result += Array("\\f".utf8)
            case 10: result += Array("\\n".utf8)
            case 13: result += Array("\\r".utf8)
            case 9: result += Array("\\t".utf8)
            case 34: result += Array("\\\"".utf8)
            case 92: result += Array("\\\\".utf8)
            case ..<32:
                let digits = String(byte, radix: 16)
                result += Array("\\u00\(digits.count == 1 ? "0" : "")\(digits)".utf8)
            default: result.append(byte)
            }
        }
        return result + [34]
    }

    /// A record whose texts are what attackers write.
    static func hostile(_ numbers: inout SeededNumbers, line: Int) -> ServerRecord {
        var record = ServerRecord()
        func text(_ longest: Int = 200) -> [UInt8] { ServerRecord.hostileText(&numbers, longest: longest) }
        func maybe() -> [UInt8]? { Int.random(in: 0..<3, using: &numbers) == 0 ? text() : nil }
        let second = Int.random(in: 10..<60, using: &numbers)
        record.time = "2026-03-02 09:49:\(second).\(Int.random(in: 100..<1000, using: &numbers)) UTC"
        record.line = line
        record.user = Bool.random(using: &numbers) ? text(63) : nil
        record.database = Bool.random(using: &numbers) ? text(63) : nil
        switch Int.random(in: 0..<6, using: &numbers) {
        case 0: break
        case 1: record.host = Array("[local]".utf8)
        case 2:
            record.host = Array("[local]".utf8)
            record.port = ServerRecord.socketPath(&numbers)
        case 3: (record.host, record.port) = (Array("fe80::1%eth0".utf8), Array("5432".utf8))
        default: (record.host, record.port) = (Array("192.0.2.7".utf8), Array("40000".utf8))
        }
        record.tag = [nil, "", "authentication", "idle", "SELECT"].randomElement(using: &numbers)?.map {
            Array($0.utf8)
        }
        record.severity = ["LOG", "FATAL", "ERROR"].randomElement(using: &numbers) ?? "LOG"
        record.state = ["00000", "28P01", "42601"].randomElement(using: &numbers) ?? "00000"
        record.message = text() + [120]
        record.detail = maybe()
        record.hint = maybe()
        record.internalQuery = maybe()
        record.internalPosition = record.internalQuery == nil ? nil : 3
        record.context = maybe()
        record.query = maybe()
        record.queryPosition = record.query == nil ? nil : 12
        if Bool.random(using: &numbers) {
            record.file = Array("elog.c".utf8)
            record.function = Bool.random(using: &numbers) ? Array("errfinish".utf8) : nil
        }
        record.application = Bool.random(using: &numbers) ? Array("evil\",\"28P01".utf8) : []
        record.leader = Int.random(in: 0..<5, using: &numbers) == 0 ? 4711 : nil
        record.queryID = Int64.random(in: .min...(.max), using: &numbers)
        return record
    }

    private static let pieces: [[UInt8]] =
        [
            "\"", "\"\"", "\\", "\\\"", "\n", "\r\n", "\r", "\t", "\u{1}", "\u{8}", "\u{c}", ",", "{", "}", "],[", ":",
            " ",
            "a", "é", "用户", "🙂", "\\u0022", "\\n", "\",\"session_id\":\"1.1\",\"line_num\":1",
            "{\"timestamp\":\"2026-03-02 09:49:01.374 UTC\",\"user\":\"x\"",
            "2026-03-02 09:49:01.374 UTC,\"postgres\",",
            "\"}\n{\"timestamp\":\"", "AUDIT: SESSION,1,1,READ", "\u{1b}[31m",
        ].map { Array($0.utf8) } + [[0xFF, 0xFE], [0xC3], [0xED, 0xA0, 0x80]]

    static func hostileText(_ numbers: inout SeededNumbers, longest: Int) -> [UInt8] {
        var text: [UInt8] = []
        for _ in 0..<Int.random(in: 0..<9, using: &numbers) { text += pieces.randomElement(using: &numbers) ?? [] }
        return Array(text.prefix(longest))
    }

    /// At most 31 bytes that start like a path.
    private static func socketPath(_ numbers: inout SeededNumbers) -> [UInt8] {
        var path = Array("/".utf8)
        for _ in 0..<Int.random(in: 0..<5, using: &numbers) {
            path +=
                ["\"", "\"\"", "\n", ",", "x", "}", "\r\n", "\",\"", "1,\"pid\":2"].randomElement(using: &numbers)
                .map { Array($0.utf8) } ?? []
        }
        return Array(path.prefix(31))
    }
}
