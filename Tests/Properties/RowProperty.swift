import LogRecords
import SecurityEvents
import VigilModel

/// Whatever a row is, it is one, or says why not; and what it gives is read like any record.
enum RowProperty {
    static let seeds: [[UInt8]] = [
        """
        {"_time":"2026-03-02T09:49:01.374Z","job":"postgres","ins":"pg-1","cls":"pg","timestamp":"2026-03-02 09:49:01.374 UTC","user":"bob","dbname":"shop","pid":"7","conn":"192.0.2.1:4000","session_id":"69a55d0d.7","line_num":"1","ps":"authentication","level":"FATAL","code":"28P01","msg":"password authentication failed for user \\"bob\\"","backend":"client backend"}
        """,
        """
        {"_time":"2026-03-02T09:49:01.374Z","job":"pgbouncer","ins":"pg-1","message":"2026-03-02 09:49:01.374 UTC [1] LOG C-0x5: shop/bob@192.0.2.1:4000 closing because: SASL authentication failed (age=0s)"}
        """,
        """
        {"_time":"2026-03-02T09:49:01.374Z","job":"patroni","ins":"pg-1","level":"INFO","msg":"promoted self to leader by acquiring session lock"}
        """,
        """
        {"_time":"2026-03-02T09:49:01.374Z","job":"pgbackrest","filename":"pg-backup.log","level":"ERROR","msg":"[057]: unable to execute query"}
        """,
    ].map { Array($0.utf8) }

    private struct Counter: RecordConsumer {
        var reader: EventReader
        var records = 0
        mutating func take(_ batch: RecordBatch) {
            records += batch.count
            reader.read(batch)
        }
        mutating func takeUnfinished(_ batch: RecordBatch) { take(batch) }
        mutating func skip(_ unread: Unread) {}
        mutating func pass(_ line: TextLine) {}
    }

    static func problem(with input: [UInt8]) -> String? {
        guard let events = try? LogProperty.catalogue.get() else { return nil }
        for line in input.split(separator: 10) {
            guard let row = try? VectorRow(Array(line)) else { continue }
            let reader = VectorReader(row.stream, timezone: nil)
            var counter = Counter(reader: EventReader(catalogue: events))
            reader.read(row, offset: 0, into: &counter)
            reader.finish(into: &counter)
            let lines = line.count { $0 == 92 } + 1
            if counter.records > lines { return "\(counter.records) records of one row" }
        }
        return nil
    }
}
