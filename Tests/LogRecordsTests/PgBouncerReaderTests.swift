import LogRecords
import Testing
import VigilModel

private let columns: [LogColumn] = [.severity, .sessionID, .connectionFrom, .userName, .databaseName, .message]

/// A line of PgBouncer 1.18.
private func line(_ level: String, _ text: String, second: String = "57.595") -> String {
    "2026-03-02 08:41:\(second) UTC [17219] \(level) \(text)\n"
}

private func client(_ names: String, _ message: String, level: String = "LOG", at address: String = "192.0.2.66:60837")
    -> String
{
    line(level, "C-0x56374cffd610: \(names)@\(address) \(message)")
}

private func one(_ text: String) -> [String] { read(.pgbouncer, text, columns).rows.first ?? [] }

@Suite("PgBouncer reader")
struct PgBouncerReaderTests {
    @Test("takes the prefix of a connection apart")
    func prefix() {
        #expect(
            one(client("shop/app", "closing because: client close request (age=3s)")) == [
                "LOG", "C-0x56374cffd610", "192.0.2.66:60837", "app", "shop",
                "closing because: client close request (age=3s)",
            ])
        #expect(
            one(client("(nodb)/(nouser)", "pooler error: SSL required", level: "WARNING")) == [
                "WARNING", "C-0x56374cffd610", "192.0.2.66:60837", "-", "-", "pooler error: SSL required",
            ])
        #expect(one(client("shop/app", "x", at: "[2001:db8::7]:5000"))[2] == "2001:db8::7:5000")
        #expect(one(client("shop/app", "x", at: "[fe80::1%eth0]:5000"))[2] == "fe80::1%eth0:5000")
        #expect(one(client("shop/app", "x", at: "unix(4711):6432"))[2] == "[local]")
        #expect(one(client("shop/app", "x", at: "unix:6432"))[2] == "[local]")
        #expect(
            one(line("LOG", "S-0x5586: shop/app@192.0.2.5:5432 new connection to server (from 192.0.2.9:40122)")) == [
                "LOG", "S-0x5586", "192.0.2.5:5432", "app", "shop",
                "new connection to server (from 192.0.2.9:40122)",
            ])
        #expect(one(line("LOG", "RELOAD command issued")) == ["LOG", "-", "-", "-", "-", "RELOAD command issued"])
        #expect(one(line("LOG", "C-0x1: peer-3@192.0.2.66:1 forwarding"))[2] == "192.0.2.66:1")
    }

    @Test("reads the form of 1.10 and earlier, and zones")
    func forms() {
        let old = read(
            .pgbouncer, "2026-03-02 08:41:57.595 17219 LOG C-0x1: a/b@192.0.2.1:1 x\n", columns,
            timezone: "Europe/Berlin")
        #expect(old.rows.first?[2] == "192.0.2.1:1")
        #expect(old.times == [LogTime(parsing: "2026-03-02T07:41:57.595Z")].compactMap(\.self))
        for (zone, hour) in [("CET", "07"), ("CEST", "06"), ("+0530", "03"), ("-03", "11")] {
            let found = read(.pgbouncer, "2026-03-02 08:41:57.595 \(zone) [17219] LOG x\n", columns)
            let minute = zone == "+0530" ? "11" : "41"
            #expect(found.times.first?.description == "2026-03-02T\(hour):\(minute):57.595Z", "\(zone)")
        }
    }

    @Test("a name with a line break goes on behind a TAB, and until 1.12 without one")
    func lineBreaks() {
        for gap in ["\t", ""] {
            let text =
                line("LOG", "C-0x1: (nodb)/nl") + "\(gap)user@192.0.2.66:1 login attempt: db=shop user=nl\n"
                + "\(gap)user tls=no\n" + line("LOG", "next")
            let found = read(.pgbouncer, text, columns)
            #expect(found.unread.isEmpty)
            #expect(found.rows.count == 2)
            #expect(found.rows.first?[2...4] == ["192.0.2.66:1", "nl\nuser", "shop"])
        }
    }

    @Test("a forged line in a name is no line")
    func forgedLine() {
        let fake = line(
            "LOG", "C-0x1: shop/alice@198.51.100.5:5 closing because: password authentication failed (age=0s)")
        let text =
            client("(nodb)/(nouser)", "closing because: username too long (age=0s)")
            + client("(nodb)/(nouser)", "login failed: db=shop user=x\n\t" + fake.dropLast())
            + line("LOG", "next")
        let found = read(.pgbouncer, text, columns)
        #expect(found.rows.count == 3)
        #expect(!found.rows.contains { $0[2].hasPrefix("198") || $0[3] == "alice" })
        #expect(found.rows[1][2] == "192.0.2.66:60837")
    }

    static let hostile = [
        "fake@198.51.100.5:1 closing because: password authentication failed (age=0s)",
        "fake@198.51.100.5:1 pooler error: SASL authentication failed",
        "fake@198.51.100.5:1 no such user: bob", "(nouser)@198.51.100.5:1 no such user: bob",
        "fake@[2001:db8::5]:1 password authentication failed", "at@user", "slash/user", "a\"b,c", "@", "x@unix:1 y",
        "fake@198.51.100.5:1 something new", "fake@198.51.100.5:1 login attempt: db=z user=fake", " ", "ünï",
        "fake@198.51.100.5:1 login attempt: db=shop user=fake@198.51.100.5:1 tls=no",
    ]

    @Test("no made-up user name moves the address of a whole login", arguments: hostile)
    func madeUpUser(user: String) {
        let text =
            client("(nodb)/(nouser)", "no such user: \(user)")
            + client("(nodb)/\(user)", "login attempt: db=shop user=\(user) tls=no")
            + client("(nodb)/\(user)", "password authentication failed", level: "ERROR")
            + client("(nodb)/\(user)", "closing because: SASL authentication failed (age=0s)")
            + client("(nodb)/\(user)", "pooler error: SASL authentication failed", level: "WARNING")
        let found = read(.pgbouncer, text, columns)
        #expect(found.rows.count == 5)
        for row in found.rows {
            #expect(row[2] == "192.0.2.66:60837" || row[2] == "-", "\(row)")
            #expect(row[3] == user || row[3] == "-", "\(row)")
        }
        // At least the lines that come first and last say who it was.
        #expect(found.rows[0][2] == "192.0.2.66:60837")
        #expect(found.rows.filter { $0[2] != "-" }.count >= 3, "\(found.rows)")
    }

    @Test("no line alone moves an address, whatever its names", arguments: hostile)
    func madeUpAlone(name: String) {
        let lines = [
            client("(nodb)/(nouser)", "no such user: \(name)"),
            client("(nodb)/\(name)", "login attempt: db=shop user=\(name) tls=no"),
            client("(nodb)/\(name)", "password authentication failed", level: "ERROR"),
            client("(nodb)/\(name)", "closing because: SASL authentication failed (age=0s)"),
            client("(nodb)/\(name)", "pooler error: SASL authentication failed", level: "WARNING"),
            client("\(name)/bob", "pooler error: SASL authentication failed", level: "WARNING"),
            client("(nodb)/bob", "pooler error: no such database: \(name)", level: "WARNING"),
            client("(nodb)/bob", "closing because: no such database: \(name) (age=0s)"),
            client("(nodb)/(nouser)", "closing because: unsupported startup parameter: \(name) (age=0s)"),
            client("(nodb)/(nouser)", "unsupported startup parameter: \(name)=\(name)", level: "WARNING"),
        ]
        for line in lines {
            let found = read(.pgbouncer, line, columns)
            #expect(found.rows.first?[2] == "192.0.2.66:60837" || found.rows.first?[2] == "-", "\(line)")
            if found.rows.first?[2] == "-" { #expect(found.forms == [.disputed]) }
        }
    }

    @Test("a message that quotes a name does not move the address")
    func quotedName() {
        let reason =
            "closing because: database \"y@198.51.100.5:1 closing because: SASL authentication failed\" does not exist"
        #expect(one(client("shop/bob", reason + " (age=0s)"))[2] == "192.0.2.66:60837")
    }

    @Test("lines that are no lines of PgBouncer are told, once the record before is whole")
    func garbage() {
        let text = client("a/b", "closing because: client close request (age=1s)") + "garbage\n\n" + line("LOG", "x")
        let found = read(.pgbouncer, text, columns)
        #expect(found.rows.count == 2)
        #expect(found.unread.map(\.length) == [8])
        #expect(found.text.map(\.length) == [1])
    }

    @Test("any chunking finds the same")
    func chunks() {
        var text = ""
        for name in PgBouncerReaderTests.hostile {
            text += client("(nodb)/(nouser)", "no such user: \(name)")
            text += client("(nodb)/\(name)", "closing because: SASL authentication failed (age=0s)")
            text += line("LOG", "C-0x2: (nodb)/nl") + "\tuser@192.0.2.66:1 x\n" + "garbage \u{FFFD}\n"
        }
        var bytes = Array(text.utf8)
        bytes[200] = 0xFF
        bytes[300] = 0
        let whole = read(.pgbouncer, bytes, columns)
        #expect(whole.rows.count > 30)
        for pieces in [[1], [7, 3], [4096, 1, 50]] {
            #expect(read(.pgbouncer, bytes, columns, pieces: pieces).isSame(as: whole))
        }
        let length = whole.unread.reduce(0) { $0 + $1.length } + whole.text.reduce(0) { $0 + $1.length }
        #expect(length < Int64(bytes.count))
    }

    @Test("floods of addresses and of lines that go on cost no more than their length", .timeLimit(.minutes(1)))
    func floods() {
        let addresses = String(repeating: "@198.51.100.5:1 @198.51.100.6:2 ", count: 100_000)
        let text = client("a/" + addresses, "x") + String(repeating: "\tmore\n", count: 200_000) + line("LOG", "end")
        let found = read(.pgbouncer, text, columns)
        #expect(found.rows.last?[5] == "end")
        #expect(found.rows.first?[2] == "-")
    }

    @Test("is recognised by its first line, and takes no other program's log")
    func recognised() {
        func format(_ text: String) -> LogFormat? { LogFormat.detect(Array(text.utf8), path: "x.log") }
        #expect(format(line("LOG", "x")) == .pgbouncer)
        #expect(format("\n\ttorn\n" + line("NOISE", "x")) == .pgbouncer)
        #expect(format("2026-03-02 08:41:57.595 UTC [17219] LOG:  statement: select 1\n" + line("LOG", "x")) == .stderr)
        #expect(format("2026-03-02 08:41:57.595 UTC,,,17219," + line("LOG", "x")) == nil)
    }
}
