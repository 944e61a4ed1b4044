import Testing
import VigilModel

@testable import LogRecords

/// PgBouncer, HAProxy and Patroni in syslog, alone and beside each other.
@Suite("Syslog of other programs")
struct OtherSyslogTests {
    private struct Rows: RecordConsumer {
        var rows: [String] = []
        var offsets: [Int64] = []
        var unread: [Unread] = []
        var text = 0
        mutating func take(_ batch: RecordBatch) {
            for index in 0..<batch.count {
                let record = batch[index]
                let columns: [LogColumn] = [.userName, .connectionFrom, .processID, .message]
                rows.append(([record.dataset.name] + columns.map { record.text($0) ?? "-" }).joined(separator: "|"))
                offsets.append(record.offset)
            }
        }
        mutating func takeUnfinished(_ batch: RecordBatch) { take(batch) }
        mutating func skip(_ unread: Unread) { self.unread.append(unread) }
        mutating func pass(_ line: TextLine) { text += 1 }
    }

    private func read(_ text: String, piece: Int = 1 << 20) -> (LogFormat?, Rows) {
        let bytes = Array(text.utf8)
        let format = LogFormat.detect(bytes, path: "syslog")
        var rows = Rows()
        guard let reader = format?.reader(ReadingFacts(timezone: "UTC", head: bytes)) else { return (format, rows) }
        reader.read(bytes[...], pieces: [piece], into: &rows)
        return (format, rows)
    }

    private static let bare = """
        Mar  2 08:40:02 db1 pgbouncer[17219]: C-0x55d0: shop/app@192.0.2.7:40138 login attempt: db=shop user=app tls=no
        Mar  2 08:40:02 db1 pgbouncer[17219]: C-0x55d0: shop/app@192.0.2.7:40138 closing because: SASL authentication failed (age=0s)

        """

    @Test("PgBouncer's bare texts, with the header's process")
    func pooler() {
        let (format, found) = read(OtherSyslogTests.bare)
        #expect(format == .syslog && found.unread.isEmpty && found.text == 0)
        #expect(
            found.rows == [
                "pgbouncer.log|app|192.0.2.7:40138|17219|login attempt: db=shop user=app tls=no",
                "pgbouncer.log|app|192.0.2.7:40138|17219|closing because: SASL authentication failed (age=0s)",
            ])
    }

    @Test("whole lines of PgBouncer and Patroni, as systemd takes them from standard error")
    func journal() {
        let (format, found) = read(
            """
            2026-03-02T08:40:02+0000 db1 pgbouncer[17219]: 2026-03-02 08:40:02.801 UTC [17219] WARNING C-0x55d0: shop/app@[2001:db8::7]:40138 pooler error: SASL authentication failed
            2026-03-02T08:40:03+0000 db1 patroni[900]: 2026-03-02 08:40:03,100 INFO: promoted self to leader by acquiring session lock

            """)
        #expect(format == .syslog && found.unread.isEmpty)
        #expect(
            found.rows == [
                "pgbouncer.log|app|2001:db8::7:40138|17219|pooler error: SASL authentication failed",
                "patroni.log|-|-|-|promoted self to leader by acquiring session lock",
            ])
    }

    @Test("one file of four programs, in any chunks", arguments: [1, 7, 1 << 20])
    func mixed(piece: Int) {
        let text =
            """
            Mar  2 08:40:01 db1 haproxy[77]: 203.0.113.9:51000 [02/Mar/2026:08:40:01.900] pg pg/db1 10.0.0.5:40138 1/0/5 10 -- 1/1/0/0/0 0/0
            Mar  2 08:40:01 db1 sshd[3]: Accepted publickey for root
            Mar  2 08:40:02 db1 postgres[20271]: [5-1] 2026-03-02 08:40:02.000 UTC [20271] dora@shop FATAL:  password authentication failed for user "dora"

            """ + OtherSyslogTests.bare
        let (format, found) = read(text, piece: piece)
        #expect(format == .syslog && found.unread.isEmpty && found.text == 1)
        #expect(
            Set(found.rows.map { String($0.prefix { $0 != "|" }) })
                == ["haproxy.log", "postgresql.log", "pgbouncer.log"])
        #expect(found.rows.count == 4)
    }

    @Test("a name with PgBouncer's words in it moves no address here either")
    func forged() {
        let (_, found) = read(
            """
            Mar  2 08:40:02 db1 pgbouncer[17219]: C-0x55d0: shop/a@9.9.9.9:1 closing because: SASL authentication failed (age=0s)@192.0.2.7:40138 closing because: SASL authentication failed (age=0s)

            """)
        #expect(found.unread.isEmpty && !found.rows.contains { $0.contains("|9.9.9.9:1|") })
    }
}
