import CScan
import Testing
import VigilModel

@testable import LogRecords

@Suite("Usual lines of PgBouncer")
struct PgBouncerUsualLineTests {
    private static let names = [
        "shop/app", "a/b/c", "(nodb)/(nouser)", "(nodb)/app", "/", "shop/", "/app", "shop", "x/y@192.0.2.9:1 z",
        "s\"/u",
        "(nodb)/(nouser) ", "shop/app login attempt: db=", "peer-3", "shop/user=x tls=no", "\u{FF}/ä",
    ]
    private static let addresses = [
        "192.0.2.66:60837", "10.0.0.255:1", "10.0.0.256:1", "1.2.3.4:99999", "1.2.3.4:999999", "[2001:db8::7]:5000",
        "unix(4711):6432", "1.2.3:4", "001.002.003.004:5", "1.2.3.4.5:6", "1..3.4:5", "255.255.255.255:65535",
    ]
    private static let messages = [
        "closing because: client close request (age=3s)", "closing because: SASL authentication failed (age=0s)",
        "login attempt: db=shop user=app tls=no", "login attempt: db=shop user=app tls=TLSv1.3/X replication=no",
        "login attempt: db=shop user=app tls=no tls=no", "login attempt: db=other user=app tls=no",
        "login attempt: db=a user=b/c tls=no", "login attempt: db= user= tls=no", "pooler error: no such user: x",
        "new connection to server (from 192.0.2.9:40122)", "said \"no\"", "mail@example.org", "x", "",
    ]

    private static func line(_ numbers: inout SeededNumbers) -> [UInt8] {
        let kind = ["C-0x5", "C-0x55d0000863", "S-0x55d00007fb", "C-0x123456789abcdef01", "C-0x", "c-0x1"]
        var text = "2026-03-02 08:41:57.595 UTC [17219] LOG "
        text += "\(kind.randomElement(using: &numbers) ?? ""): \(names.randomElement(using: &numbers) ?? "")"
        text += "@\(addresses.randomElement(using: &numbers) ?? "") \(messages.randomElement(using: &numbers) ?? "")"
        var bytes = Array(text.utf8)
        if Int.random(in: 0..<4, using: &numbers) == 0 {
            let place = Int.random(in: 40..<bytes.count, using: &numbers)
            bytes[place] = [64, 47, 34, 58, 32, 46, 49, 13, 0].randomElement(using: &numbers) ?? 0
        }
        if Bool.random(using: &numbers) { bytes += Array(" and so on, with words that lead nowhere".utf8) }
        return bytes
    }

    private static func rows(_ fill: (inout RowBuffer) -> Void) -> PlainRows {
        var (rows, found) = (RowBuffer(), PlainRows())
        fill(&rows)
        rows.deliver(to: &found)
        return found
    }

    @Test("say what a close look says", arguments: 0..<6)
    func same(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        var usual = 0
        for _ in 0..<6000 {
            let bytes = Self.line(&numbers)
            // Some bytes behind a line must be readable.
            (bytes + [UInt8](repeating: 49, count: 64)).withUnsafeBufferPointer { memory in
                let line = UnsafeBufferPointer(rebasing: memory[..<bytes.count])
                var times = PrintedTime(ReadingFacts())
                guard let head = PgBouncerHead(line, &times), let found = PgBouncerUsualLine(line, head) else { return }
                usual += 1
                let text = UnsafeBufferPointer(rebasing: line[head.text...])
                let (level, pid) = (
                    UnsafeBufferPointer(rebasing: line[head.level]), UnsafeBufferPointer(rebasing: line[head.pid])
                )
                let close = PgBouncerText(text, level: level)
                let wanted = Self.rows {
                    close.append(
                        to: &$0, text, level: level, pid: pid, offset: 7, time: head.time, by: close.decided)
                }
                #expect(Self.rows { found.append(to: &$0, line, offset: 7) } == wanted, "\(String(escaping: bytes))")
                #expect(found.isFarewell == close.isFarewell)
                #expect(close.readings.isEmpty && close.decided != nil)
            }
        }
        #expect(usual > 200)
    }

    @Test("start as the one before, or are read anew", arguments: 0..<4)
    func heads(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        var quick = PgBouncerHeadReader(ReadingFacts(timezone: "Europe/Berlin"))
        var times = PrintedTime(ReadingFacts(timezone: "Europe/Berlin"))
        let minutes = ["2026-10-25 02:41", "2026-10-25 02:42", "2026-03-02T08:41", "2026-13-02 08:41"]
        let seconds = [":57.595", ":00.000", ":60.000", ":07,041", ":07", ":0x.041", ":07.0411", ":75.000"]
        let rests = [
            " UTC [17219] LOG ", " CEST [17219] LOG ", " [17219] LOG ", " 17219 LOG ", " +0530 [7] WARNING ",
            " UTC [17219] LOUD ", " UTC [17219] LOG", " INFO [1] LOG ",
        ]
        for _ in 0..<4000 {
            let text =
                (minutes.randomElement(using: &numbers) ?? "") + (seconds.randomElement(using: &numbers) ?? "")
                + (rests.randomElement(using: &numbers) ?? "") + "stats: 29 xacts/s, 1733 queries/s, in 318812 B/s"
            Array(text.utf8).withUnsafeBufferPointer { line in
                let (found, wanted) = (quick.read(line), PgBouncerHead(line, &times))
                #expect(found?.time == wanted?.time && found?.text == wanted?.text, "\(text)")
                #expect(found?.pid == wanted?.pid && found?.level == wanted?.level, "\(text)")
            }
        }
        #expect(quick.unknownZones == times.unknownZones)
    }

    @Test("have the same addresses and pointers byte by byte", arguments: 0..<4)
    func kernels(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        let alphabet = Array("0123456789..::  52/aF".utf8)
        var met = 0
        for turn in 0..<20_000 {
            var bytes = (0..<64).map { _ in alphabet.randomElement(using: &numbers) ?? 0 }
            if turn % 2 == 0 {
                let parts = (0..<4).map { _ in String(Int.random(in: 0..<270, using: &numbers)) }
                let port = Int.random(in: 0..<120_000, using: &numbers)
                let address = Array("\(parts.joined(separator: ".")):\(port) ".utf8)
                bytes.replaceSubrange(..<address.count, with: address)
            }
            let length = cscan_address(bytes)
            met += length > 0 ? 1 : 0
            #expect(length == cscan_address_portable(bytes), "\(String(escaping: bytes))")
            #expect(cscan_hex(bytes) == cscan_hex_portable(bytes), "\(String(escaping: bytes))")
        }
        #expect(met > 1000)
    }
}

@Suite("Messages of PgBouncer that nobody asks for")
struct PgBouncerPassedTests {
    private static let start = "2026-03-02 08:41:57.595 UTC [17219] "
    private static let log = [
        "LOG stats: 29 xacts/s", "LOG C-0x1: shop/app@192.0.2.66:60837 login attempt: db=shop user=app tls=no",
        "LOG stats: 30 xacts/s\n\tand more", "WARNING stats: 31", "LOG \"quoted\" thing", "LOG x",
        "LOG C-0x2: (nodb)/a@1.2.3.4:5 closing because: x (age=0s)@192.0.2.66:60837 password authentication failed",
        "LOG stats: 32", "LOG SHUTDOWN command issued", "LOG listening on 0.0.0.0:6432",
    ]

    @Test("are records of which only the time is known", arguments: [[1 << 20], [1], [7, 60], [200, 3]])
    func passed(pieces: [Int]) {
        let text = Self.log.map { Self.start + $0 + "\n" }.joined() + "no line\n\tnor this\n"
        var about = ReadingFacts()
        let all = PlainRows.read(Array(text.utf8), pieces: pieces, with: LogFormat.pgbouncer.reader(about))
        about.wanted = .none
        let few = PlainRows.read(Array(text.utf8), pieces: pieces, with: LogFormat.pgbouncer.reader(about))
        #expect(few.rows.map(\.offset) == all.rows.map(\.offset))
        #expect(few.rows.map(\.time) == all.rows.map(\.time))
        #expect(few.unread == all.unread)
        let left = zip(few.rows, all.rows).filter { $0.0[.message] == $0.1[.message] }.map { $0.1 }
        let without = all.rows.filter { !left.contains($0) }.map { $0[.message] }
        #expect(
            without == [
                "stats: 29 xacts/s", "stats: 30 xacts/s\nand more", "stats: 32",
                "listening on 0.0.0.0:6432\nnor this",
            ])
        #expect(few.rows.allSatisfy { left.contains($0) || $0.columns.allSatisfy(\.isEmpty) })
    }
}
