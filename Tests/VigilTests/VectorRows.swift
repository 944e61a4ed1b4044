import Foundation
import LogRecords
import VigilModel

/// The rows that Vector makes of csvlog rows.
func vectorRows(_ csv: String, instance: String = "pg-test-1") throws -> [VectorRow] {
    var taker = RowTaker(instance: instance)
    CSVLogReader().read(Array(csv.utf8), into: &taker)
    return try taker.rows.map { try VectorRow(Array(try JSONSerialization.data(withJSONObject: $0))) }
}

private struct RowTaker: RecordConsumer {
    let instance: String
    var rows: [[String: String]] = []

    private static let names = [
        "_time", "user", "db", "pid", "addr", "sid", "sln", "cmd", "stime", "vxid", "txid", "lv", "code", "msg",
        "detail", "hint", "iq", "iqp", "ctx", "q", "qp", "loc", "app", "btype", "lpid", "query",
    ]

    mutating func take(_ records: RecordBatch) {
        for index in 0..<records.count {
            let record = records[index]
            var row = ["job": "postgres", "ins": instance, "cls": "pg-test"]
            for (column, name) in zip(LogColumn.allCases, RowTaker.names) { row[name] = record.text(column) }
            row["_time"] = record.time.description
            rows.append(row)
        }
    }

    mutating func takeUnfinished(_ records: RecordBatch) { take(records) }
    mutating func skip(_ unread: Unread) {}
    mutating func pass(_ line: TextLine) {}
}
