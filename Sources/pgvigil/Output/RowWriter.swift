import ArgumentParser
import EventStore
import Foundation
import VigilModel

/// How rows are written.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    case table, jsonl, csv
}

/// Writes rows to standard output.
struct RowWriter {
    private let format: OutputFormat
    /// Columns of csv and table.
    private let columns: [String]
    private var buffer: [UInt8] = []
    private var rows: [[String]] = []
    private(set) var count = 0

    init(_ format: OutputFormat, columns: [String]) {
        self.format = format
        self.columns = columns
        if format == .csv { line(columns.joined(separator: ",")) }
    }

    mutating func write(_ row: ShownRow) {
        count += 1
        switch format {
        case .jsonl: line(row.json)
        case .csv: line(texts(row).map(CSVText.field).joined(separator: ","))
        case .table: rows.append(texts(row).map { Shown.text($0) })
        }
    }

    private func texts(_ row: ShownRow) -> [String] {
        columns.map { column in row.first { $0.key == column }.map { $0.value.text } ?? "" }
    }

    private mutating func line(_ text: String) {
        buffer += Array(text.utf8)
        buffer.append(10)
        if buffer.count > 1 << 16 { flush() }
    }

    /// Writes what waits; a table now that all widths are known.
    mutating func finish() {
        if format == .table { table() }
        flush()
    }

    private mutating func table() {
        guard !rows.isEmpty else { return }
        // A column that every row leaves empty says nothing.
        let used = columns.indices.filter { column in rows.contains { !$0[column].isEmpty } }
        let widths = used.map { column in
            min(60, max(columns[column].count, rows.map { $0[column].count }.max() ?? 0))
        }
        func padded(_ cells: [String]) -> String {
            zip(used, widths).enumerated().map { place, pair in
                let cell = cells[pair.0]
                let cut = cell.count > 60 && place < used.count - 1 ? String(cell.prefix(59)) + "…" : cell
                return place == used.count - 1
                    ? String(cut.prefix(160)) : cut + String(repeating: " ", count: max(0, pair.1 - cut.count))
            }.joined(separator: "  ")
        }
        line(padded(columns))
        for row in rows { line(padded(row)) }
    }

    private mutating func flush() {
        buffer.withUnsafeBytes { bytes in
            var from = 0
            while from < bytes.count {
                let written = Foundation.write(1, bytes.baseAddress?.advanced(by: from), bytes.count - from)
                if written < 0, errno == EINTR { continue }
                // A reader that went away (head) is no error.
                if written < 0 { Foundation.exit(errno == EPIPE ? 0 : 1) }
                from += written
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }
}

/// CSV (RFC 4180) that a spreadsheet does not take for formulas.
enum CSVText {
    static func field(_ text: String) -> String {
        var text = Shown.text(text)
        // By bytes: a combining mark behind a comma makes one character of both, but not for who reads the file.
        if let first = text.utf8.first, [61, 43, 45, 64].contains(first) { text = "'" + text }
        guard text.utf8.contains(where: { $0 == 44 || $0 == 34 }) else { return text }
        let doubled = text.utf8.flatMap { $0 == 34 ? [34, 34] : [$0] }
        return "\"" + String(decoding: doubled, as: UTF8.self) + "\""
    }
}

/// Writes lines for a person to standard output.
enum Output {
    static func write(_ lines: [String]) {
        FileHandle.standardOutput.write(Data(lines.map { $0 + "\n" }.joined().utf8))
    }
}
