import LogRecords
import Testing
import VigilModel

/// Records as write_syslog in elog.c hands them to syslog, and as syslog writes them down.
struct SyslogWriter {
    enum Form: CaseIterable { case rfc3164, rsyslog, rfc5424, journal, journalPrecise, plain }

    var form = Form.rfc3164
    var numbered = true
    var escapes = true
    private var numbers: [Int: Int] = [:]
    /// Lines of each process.
    private(set) var lines: [(pid: Int, line: [UInt8])] = []

    init(_ form: Form = .rfc3164, numbered: Bool = true, escapes: Bool = true) {
        self.form = form
        self.numbered = numbered
        self.escapes = escapes
    }

    func header(_ pid: Int) -> String {
        switch form {
        case .rfc3164: "<134>Mar  2 10:49:00 db1 postgres[\(pid)]: "
        case .rsyslog: "2026-03-02T10:49:00.374512+01:00 db1 postgres[\(pid)]: "
        case .rfc5424: "<134>1 2026-03-02T09:49:00.374Z db1 postgres \(pid) - [x@1 a=\"b\\\"]\"] "
        case .journal: "Mar 02 10:49:00 db1 postgres[\(pid)]: "
        case .journalPrecise: "Mar 02 10:49:00.374512 db1 postgres[\(pid)]: "
        case .plain: "2026-03-02T10:49:00+0100 db1 postgres[\(pid)]: "
        }
    }

    mutating func write(_ text: String, pid: Int) {
        numbers[pid, default: 0] += 1
        let number = numbers[pid] ?? 0
        var rest = Array(text.utf8)[...]
        if rest.last == 10 { rest = rest.dropLast() }
        guard rest.count > 900 || rest.contains(10) else {
            return put(numbered ? "[\(number)] " : "", rest, pid)
        }
        var part = 0
        while !rest.isEmpty {
            if rest.first == 10 {
                rest = rest.dropFirst()
                continue
            }
            var count = min(rest.firstIndex(of: 10).map { $0 - rest.startIndex } ?? rest.count, 900)
            if count < rest.count, ![9, 10, 11, 12, 13, 32].contains(rest[rest.startIndex + count]) {
                var at = count - 1
                while at > 0, ![9, 10, 11, 12, 13, 32].contains(rest[rest.startIndex + at]) { at -= 1 }
                if at > 0 { count = at }
            }
            part += 1
            put(numbered ? "[\(number)-\(part)] " : "[\(part)] ", rest.prefix(count), pid)
            rest = rest.dropFirst(count)
        }
    }

    private mutating func put(_ mark: String, _ text: ArraySlice<UInt8>, _ pid: Int) {
        var line = Array((header(pid) + mark).utf8)
        for byte in text {
            if escapes, byte < 32 {
                line += Array("#0\(String(byte, radix: 8).count == 1 ? "0" : "")\(String(byte, radix: 8))".utf8)
            } else {
                line.append(byte)
            }
        }
        lines.append((pid, line + [10]))
    }

    /// The lines of all processes, those of different ones mixed.
    func mixed(seed: Int) -> [UInt8] {
        var numbers = SeededNumbers(seed: UInt64(seed))
        var queues: [Int: [[UInt8]]] = [:]
        for (pid, line) in lines { queues[pid, default: []].append(line) }
        var bytes: [UInt8] = []
        while let pid = queues.keys.sorted().randomElement(using: &numbers) {
            bytes += queues[pid]?.removeFirst() ?? []
            if queues[pid]?.isEmpty == true { queues[pid] = nil }
        }
        return bytes
    }

    var bytes: [UInt8] { lines.flatMap(\.line) }
}

@Suite("syslog")
struct SyslogTests {
    private static func entry(_ prefix: String, _ label: String, _ text: String) -> String {
        prefix + label + ":  " + text.replacing("\n", with: "\n\t") + "\n"
    }

    @Test(
        "reads every form of header",
        arguments: [
            ("Nov 22 00:30:36 host postgres[123]: text", "local 11-22 1836000", "host|postgres|123|text"),
            ("Nov  2 00:30:36 host postgres[123]: text", "local 11-2 1836000", "host|postgres|123|text"),
            ("<134>Nov 22 00:30:36 host pgbouncer[9]: a: b", "local 11-22 1836000", "host|pgbouncer|9|a: b"),
            ("Nov 22 00:30:36.123456 host postgres[123]: text", "local 11-22 1836123", "host|postgres|123|text"),
            (
                "2026-11-22T00:30:36.1+01:00 host postgres[123]: text", "2026-11-21T23:30:36.100Z",
                "host|postgres|123|text"
            ),
            ("2026-11-22T00:30:36+0100 host postgres[123]: text", "2026-11-21T23:30:36.000Z", "host|postgres|123|text"),
            ("2026-11-22T00:30:36Z host patroni: text", "2026-11-22T00:30:36.000Z", "host|patroni||text"),
            (
                "<165>1 2026-11-22T00:30:36.123Z host postgres 123 ID47 [a b=\"]\\\"\"][c] text",
                "2026-11-22T00:30:36.123Z", "host|postgres|123|text"
            ),
            (
                "<165>1 2026-11-22T00:30:36.123Z - postgres - - - \u{FEFF}text", "2026-11-22T00:30:36.123Z",
                "|postgres||text"
            ),
            ("Sun 2026-11-22 00:30:36 CET host postgres[1]: text", "2026-11-21T23:30:36.000Z", "host|postgres|1|text"),
            ("1795000000.123456 host postgres[1]: text", "2026-11-18T11:06:40.123Z", "host|postgres|1|text"),
            ("2026-11-22 00:30:36.123 UTC [1] LOG:  text", "-", "-"), ("postgres[1]: text", "-", "-"), ("", "-", "-"),
            ("<1", "-", "-"),
        ])
    func envelopes(line: String, time: String, parts: String) {
        let found = Array(line.utf8).withUnsafeBufferPointer { bytes -> (String, String) in
            guard let envelope = SyslogEnvelope(bytes) else { return ("-", "-") }
            func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
            let stamp =
                switch envelope.stamp {
                case .utc(let time): time.description
                case .local(let time): "local \(time)"
                case .yearless(let month, let day, let milliseconds): "local \(month)-\(day) \(milliseconds)"
                }
            let parts = [envelope.host, envelope.program, envelope.process, envelope.text..<bytes.count].map(text)
            return (stamp, parts.joined(separator: "|"))
        }
        #expect(found == (time, parts))
    }

    /// The same records as a stderr log and as syslog.
    private static func both(_ prefix: String, _ form: SyslogWriter.Form, escapes: Bool = true) -> (
        String, SyslogWriter
    ) {
        var stderr = ""
        var syslog = SyslogWriter(form, escapes: escapes)
        for pid in [2001, 2002, 2003] {
            for number in 1...8 {
                var writer = LogWriter(prefix)
                writer.line = number * 10
                var entry = LogWriter.Entry(pid: pid)
                switch number % 4 {
                case 0: entry.message = "statement: " + String(repeating: "select \(number), ", count: 200) + "1"
                case 1:
                    entry.message =
                        "statement: select\n" + String(repeating: "x\t\(number)\n", count: 50)
                        + String(repeating: "y", count: 2000)
                case 2:
                    entry.severity = "FATAL"
                    entry.state = "28P01"
                    entry.user = number == 2 ? "x\nFATAL:  y" : "bob"
                    entry.message = "password authentication failed for user \"\(entry.user ?? "")\""
                    entry.parts = [("DETAIL", "Role does not exist.\nConnection matched")]
                default: entry.message = "checkpoint"
                }
                writer.write(entry)
                stderr += writer.text
                syslog.write(writer.text, pid: pid)
            }
        }
        return (stderr, syslog)
    }

    @Test(
        "gives what the stderr log gives, parts joined and processes told apart", arguments: SyslogWriter.Form.allCases,
        [
            "%m [%p] %q%u@%d ", "%t:%r:%u@%d:[%p]:", "user=%u,db=%d,app=%a,client=%h ", "", "[%p] %q%u@%d ",
        ])
    func forms(form: SyslogWriter.Form, prefix: String) {
        let (stderr, syslog) = SyslogTests.both(prefix, form)
        let timed = prefix.contains("%m") || prefix.contains("%t")
        let wanted = readLog(timed ? stderr : "", prefix: prefix)
        for seed in 1...3 {
            let bytes = syslog.mixed(seed: seed)
            #expect(LogFormat.detect(bytes, path: "postgresql.log") == .syslog)
            let found = readLog(bytes, as: .syslog, timezone: "Europe/Berlin")
            #expect(found.unread.isEmpty && found.text.isEmpty)
            #expect(found.rows.count == 24)
            func keys(_ found: StderrFound) -> [String] {
                found.values(
                    .processID, .userName, .databaseName, .connectionFrom, .sqlState, .message, .detail, .query
                ).sorted()
            }
            if timed { #expect(keys(found) == keys(wanted)) }
            #expect(found.values(.processID).filter { $0 == "2002" }.count == 8)
            #expect(found.rows.allSatisfy { $0.time.description.hasPrefix("2026-03-02T09:49:00") })
        }
    }

    @Test("reads lines without numbers as those of a stderr log")
    func unnumbered() {
        let text = """
            Mar 02 10:49:00 db1 postgres[7]: 2026-03-02 09:49:00.374 UTC [7] bob@shop ERROR:  a
            Mar 02 10:49:00 db1 postgres[7]: \tb
            Mar 02 10:49:00 db1 postgres[7]: 2026-03-02 09:49:00.374 UTC [7] bob@shop STATEMENT:  select 1
            Mar 02 10:49:00 db1 kernel: hello
            Mar 02 10:49:00 db1 postgres[8]: 2026-03-02 09:49:00.374 UTC [8] x
            Mar 02 10:49:00 db1 postgres[8]: y@shop FATAL:  password authentication failed for user "x
            Mar 02 10:49:00 db1 postgres[8]: \ty"

            """
        let found = readLog(text, as: .syslog)
        #expect(
            found.values(.userName, .message, .query) == [
                "bob|a\nb|select 1", "x\ny|password authentication failed for user \"x\ny\"|-",
            ])
        #expect(found.text.count == 1 && found.unread.isEmpty)
    }

    @Test(
        "finds the year that no line tells",
        arguments: [
            (
                "Dec 31 23:59:59", "Jan  1 00:00:01", "2026-02-01", "2025-12-31T23:59:59.000Z",
                "2026-01-01T00:00:01.000Z"
            ),
            (
                "Mar  2 10:49:00", "Mar  3 10:49:00", "2026-02-01", "2025-03-02T10:49:00.000Z",
                "2025-03-03T10:49:00.000Z"
            ),
            (
                "Mar  2 10:49:00", "Mar  2 10:48:59", "2026-03-02", "2026-03-02T10:49:00.000Z",
                "2026-03-02T10:48:59.000Z"
            ),
        ])
    func years(first: String, second: String, newest: String, one: String, two: String) {
        let lines = [first, second].map { $0 + " db1 postgres[7]: [1] LOG:  hello\n" }.joined()
        let found = readLog(lines, as: .syslog, timezone: "UTC", newest: newest)
        #expect(found.rows.map(\.time.description) == [one, two])
    }

    @Test("takes the year from the text, the zone from the configuration")
    func inner() {
        let lines = "Mar  2 10:49:00 db1 postgres[7]: [1] 2024-03-02 09:49:00 UTC [7] LOG:  one\n"
        #expect(readLog(lines, as: .syslog).rows.map(\.time.description) == ["2024-03-02T09:49:00.000Z"])
        let bare = "Mar  2 10:49:00 db1 postgres[7]: [1] LOG:  one\n"
        #expect(
            readLog(bare, as: .syslog, timezone: "Europe/Berlin").rows.map(\.time.description) == [
                "2026-03-02T09:49:00.000Z"
            ])
    }

    @Test("tells hosts apart, and believes no text in a part")
    func hosts() {
        let text = """
            Mar  2 10:49:00 db1 postgres[7]: [5-1] bob@shop LOG:  statement: select
            Mar  2 10:49:00 db2 postgres[7]: [5-1] eve@shop LOG:  statement: select
            Mar  2 10:49:00 db1 postgres[7]: [5-2] #011[6] bob@shop FATAL:  password authentication failed for user "bob" --
            Mar  2 10:49:00 db2 postgres[7]: [5-2] #0112
            Mar  2 10:49:00 db1 postgres[7]: [6] bob@shop LOG:  three

            """
        let found = readLog(text, as: .syslog)
        #expect(
            found.values(.userName, .severity, .message).sorted() == [
                "bob|LOG|statement: select\n[6] bob@shop FATAL:  password authentication failed for user \"bob\" --",
                "bob|LOG|three", "eve|LOG|statement: select\n2",
            ])
    }

    @Test("finds the same in whatever pieces the bytes come, and accounts for every byte", arguments: 1...12)
    func pieces(seed: Int) {
        let forms = SyslogWriter.Form.allCases
        let (_, syslog) = SyslogTests.both("%m [%p] %q%u@%d ", forms[seed % forms.count])
        var bytes = syslog.mixed(seed: seed)
        bytes.insert(
            contentsOf: Array("Mar  2 10:49:00 db1 cron[1]: x\nno header\n\n".utf8),
            at: (bytes.firstIndex(of: 10) ?? 0) + 1)
        if seed % 2 == 0 { bytes = bytes.filter { $0 != 91 || bytes.count % 7 > 3 } }
        let whole = readLog(bytes, as: .syslog)
        var numbers = SeededNumbers(seed: UInt64(seed))
        let sizes = (0..<7).map { _ in Int.random(in: 1...700, using: &numbers) }
        let head = Array(bytes.prefix(LogFormat.sniffLength))
        #expect(readLog(bytes, as: .syslog, head: head, pieces: sizes) == whole)
        #expect(readLog(bytes, as: .syslog, head: head, pieces: [1]) == whole)
        #expect(whole.text.count >= 3)
    }
}
