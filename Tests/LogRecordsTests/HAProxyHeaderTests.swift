import LogRecords
import Testing
import VigilModel

@Suite("HAProxy, behind headers")
struct HAProxyHeaderTests {
    private static let text =
        "192.0.2.7:42641 [26/Nov/2026:02:49:10.006] pg-primary pg-primary/pg-1 10.0.0.5:39200 1/0/5 165 -- 2/2/1/1/0 0/0"

    @Test(
        "every header of `log … format` and of syslog is read over",
        arguments: [
            ("", ""), ("<134>Nov 26 02:49:10 haproxy[5459]: ", "5459"), ("Nov 26 02:49:10 lb haproxy[5459]: ", "5459"),
            ("2026-11-26T02:49:10.006217-05:00 lb haproxy[5459]: ", "5459"),
            ("<134>1 2026-11-26T02:49:10.006217-05:00 lb haproxy 5459 - - ", "5459"),
            ("<134>1 2026-11-26T02:49:10.006217-05:00 - haproxy 5459 - - ", "5459"),
            ("<134>1 2026-11-26T02:49:10.006217-05:00 - haproxy 5459 - [x a=\"b\"] ", "5459"), ("<6>", ""),
            ("<134>", ""), ("2026-11-26T02:49:10.006217-05:00 ", ""), ("<6>2026-11-26T02:49:10.006217-05:00 ", ""),
        ])
    func headers(header: String, pid: String) {
        let line = Array((header + HAProxyHeaderTests.text + "\n").utf8)
        #expect(LogFormat.detect(line, path: "") == .haproxy)
        let found = PlainRows.read(line, with: LogFormat.haproxy.reader(ReadingFacts(timezone: nil, head: line)))
        #expect(found.rows.count == 1 && found.unread.isEmpty && found.text.isEmpty)
        guard let row = found.rows.first else { return }
        #expect(row[.connectionFrom] == "192.0.2.7:42641" && row[.location] == "10.0.0.5:39200")
        #expect(row[.message] == HAProxyHeaderTests.text && row[.processID] == pid)
        #expect(row.time == LogTime(milliseconds: 1_795_661_350_006))
    }

    @Test(
        "other programs' lines behind such headers are not taken for its own",
        arguments: [
            "<134>1 2026-11-26T02:49:10.006217-05:00 lb nginx 5459 - - \(text)", "<134>\(text.dropFirst(20))",
            "<6>Server started", "<6", "<>", "<134>1 ", "2026-11-26T02:49:10 x",
        ])
    func others(line: String) {
        #expect(LogFormat.detect(Array((line + "\n").utf8), path: "") != .haproxy)
    }
}
