import LogRecords
import Testing
import VigilModel

/// What clients may put into names, and what must come of it: one failed login, of the true address.
@Suite("stderr, forged")
struct StderrForgingTests {
    static let prefixes = [
        "%m [%p] %q%u@%d ", "%t:%r:%u@%d:[%p]:", "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
        "%m [%p] [%l] %c %r %u@%d app=%a vxid=%v xid=%x cmd=%i state=%e bt=%b ", "%m [%p] %q%u@%d %r ",
        "%t [%p-%l] %q%u@%d ", "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:", "%m [%p] %u %d %h ",
        "%m [%p] %quser=%u,db=%d ",
    ]

    /// Names of at most 63 bytes, as PostgreSQL cuts them (whole characters here).
    private static func cut(_ name: String) -> String {
        var bytes = Array(name.utf8.prefix(63))
        while String(validating: bytes, as: UTF8.self) == nil { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The line that a client would like to be believed, behind what makes the true line look whole.
    static func names(_ prefix: String) -> [(user: String, database: String)] {
        var writer = LogWriter(prefix)
        var entry = LogWriter.Entry(host: "6.6.6.6", port: "1", pid: 1, severity: "FATAL", state: "28P01")
        entry.user = "v"
        entry.database = "w"
        entry.message = "role \"v\" does not exist"
        writer.write(entry)
        let fake = String(writer.text.dropLast())
        guard let place = fake.firstRange(of: "v") else { return [] }
        let tail = String(fake[place.upperBound...])
        let start = String(fake[..<place.upperBound])
        var texts: [String] = ["x\n" + fake, "\n" + fake, "x\n" + fake + "\n", "b" + tail, "b" + tail + "\n"]
        texts += [
            "x\n" + start, "b" + tail + "\n" + start, "b@x LOG:  y\n" + start, "x\n\t" + fake, "b" + tail + "\n\t",
        ]
        texts += ["b@x FATAL:  fake", "LOG:  statement: DROP TABLE t", "LOG:  y\n", "\tx", "x\n\ty", "x\r\ny", "\n"]
        texts += [
            "\n\n\n", "x\nERROR:  y\n", "x\nDETAIL:  y", "STATEMENT:  y", "[unknown]@[unknown] STATEMENT:  y",
            "[unknown]", "a@b@c", "x:  y", ":  ",
        ]
        texts += ["2026-03-02 09:49:00.374 UTC,\"v\",\"w\",1,\"6.6.6.6:1\",69a5", "x LOG:  "]
        texts += ["x\n2026-03-02 09:49:00.374 UTC,\"v\",\"w\",1,\"6.6.6.6:1\","]
        texts += [String(repeating: "x", count: 63), String(repeating: "é", count: 31)]
        return texts.flatMap { [(cut($0), "shop"), ("bob", cut($0)), (cut($0), cut($0))] }
    }

    /// A failed login with those names, between other records.
    static func log(_ prefix: String, _ names: (user: String, database: String), _ message: String, detail: Bool)
        -> (text: String, failure: Range<Int64>)
    {
        var writer = LogWriter(prefix)
        var one = LogWriter.Entry(pid: 2001)
        one.message = "statement: select 1"
        writer.write(one)
        let from = Int64(writer.text.utf8.count)
        var failure = LogWriter.Entry(user: names.user, database: names.database, host: "192.0.2.66", pid: 2002)
        failure.severity = "FATAL"
        failure.state = "28P01"
        failure.tag = "authentication"
        failure.message = message
        if detail {
            failure.parts = [
                ("DETAIL", "Role \"\(names.user)\" does not exist.\nConnection matched pg_hba.conf line 1: \"host\"")
            ]
        }
        writer.write(failure)
        let to = Int64(writer.text.utf8.count)
        one.pid = 2003
        one.message = "statement: select 2"
        writer.write(one)
        one.message = "statement: select 3"
        writer.write(one)
        return (writer.text, from..<to)
    }

    @Test("a failed login is one record with its true names and address", arguments: prefixes)
    func failures(prefix: String) {
        for names in StderrForgingTests.names(prefix) {
            let message = "password authentication failed for user \"\(names.user)\""
            let (text, _) = StderrForgingTests.log(prefix, names, message, detail: true)
            let found = readLog(text, prefix: prefix)
            let shown = "\(prefix) \(names)"
            #expect(found.values(.message).count == 4, "\(shown)")
            guard found.rows.count == 4 else { continue }
            let row = found.rows[1]
            #expect(row[.userName] == names.user, "\(shown)")
            #expect(row[.databaseName] == names.database || names.database == "[unknown]", "\(shown)")
            #expect(row[.message] == message && row[.severity] == "FATAL" && row[.sqlState] == "28P01", "\(shown)")
            #expect(row[.commandTag] == "authentication" && row[.processID] == "2002", "\(shown)")
            #expect(
                row[.detail]?.hasSuffix("does not exist.\nConnection matched pg_hba.conf line 1: \"host\"") == true,
                "\(shown)")
            let address = prefix.contains("%r") ? "192.0.2.66:40000" : prefix.contains("%h") ? "192.0.2.66" : nil
            #expect(row[.connectionFrom] == address, "\(shown)")
            #expect(found.unread.isEmpty && found.text.isEmpty, "\(shown)")
            #expect(found.values(.message).last == "statement: select 3", "\(shown)")
        }
    }

    @Test("any names make one failed login", arguments: 1...60)
    func random(seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed))
        let prefix = StderrForgingTests.prefixes[seed % StderrForgingTests.prefixes.count]
        let known = StderrForgingTests.names(prefix).map(\.user)
        var pieces = known.flatMap { name in
            (0..<3).map { _ in String(name.prefix(Int.random(in: 1...40, using: &numbers))) }
        }
        pieces += [
            "\n", "\n", "\n\t", "@", " ", "LOG:  ", "FATAL:  ", "DETAIL:  ", "bob@shop ", ",db=", "[2002]", "\"", ":  ",
        ]
        for _ in 0..<60 {
            func name() -> String {
                let count = Int.random(in: 1...6, using: &numbers)
                return StderrForgingTests.cut(
                    (0..<count).map { _ in pieces.randomElement(using: &numbers) ?? "" }.joined())
            }
            var names = (user: name(), database: name())
            if Bool.random(using: &numbers) { names.database = "shop" }
            let message = "password authentication failed for user \"\(names.user)\""
            var writer = LogWriter(prefix)
            var entry = LogWriter.Entry(user: nil, database: nil, host: "192.0.2.66", pid: 2002, tag: "")
            entry.message = "connection received: host=192.0.2.66 port=40000"
            writer.write(entry)
            writer.text += StderrForgingTests.log(prefix, names, message, detail: true).text
            let found = readLog(writer.text, prefix: prefix)
            let failures = found.rows.filter(StderrForgingTests.counts)
            let shown = "\(prefix) \(names)"
            #expect(failures.count == 1, "\(shown)")
            #expect(failures.first?[.userName] == names.user && failures.first?[.processID] == "2002", "\(shown)")
            #expect(!found.rows.contains { $0[.connectionFrom]?.contains("6.6.6.6") == true }, "\(shown)")
            #expect(
                found.values(.message).filter { $0.hasPrefix("statement: ") || $0.hasPrefix("connection received") }
                    .count == 4, "\(shown)")
            #expect(found.rows.count == 5, "\(shown)")
        }
    }

    @Test("without a DETAIL nothing is believed that a client wrote, and other records stay", arguments: prefixes)
    func bare(prefix: String) {
        for names in StderrForgingTests.names(prefix) {
            for message in [
                "no pg_hba.conf entry for host \"192.0.2.66\", user \"\(names.user)\", database \"\(names.database)\", no encryption",
                "canceling authentication due to timeout", "the database system is starting up",
            ] {
                let (text, _) = StderrForgingTests.log(prefix, names, message, detail: false)
                let found = readLog(text, prefix: prefix)
                let shown = "\(prefix) \(names) \(message)"
                for row in found.rows {
                    #expect(
                        row[.connectionFrom]?.contains("6.6.6.6") != true || !StderrForgingTests.counts(row), "\(shown)"
                    )
                    #expect(
                        row[.message]?.contains("DROP") != true || row[.message]?.contains("hba") == true, "\(shown)")
                }
                let others = found.values(.message).filter { $0.hasPrefix("statement: select") }
                #expect(others.count == 3 || found.unread.count > 0, "\(shown)")
                #expect(others.suffix(2) == ["statement: select 2", "statement: select 3"], "\(shown)")
            }
        }
    }

    /// A record that a ban can rest on.
    static func counts(_ row: StderrFound.Row) -> Bool {
        row[.severity] == "FATAL" && row[.sqlState]?.hasPrefix("28") == true
            && ["authentication", "startup"].contains(row[.commandTag])
    }

    @Test("text of a statement makes no record and moves none", arguments: prefixes)
    func statements(prefix: String) {
        var fake = LogWriter(prefix)
        var entry = LogWriter.Entry(
            host: "6.6.6.6", port: "1", severity: "FATAL", state: "28P01", tag: "authentication")
        entry.message = "password authentication failed for user \"bob\""
        fake.write(entry)
        guard let place = fake.text.firstRange(of: "bob") else { return }
        let tail = String(fake.text[place.upperBound...].dropLast())
        let whole = String(fake.text.dropLast())
        for text in [
            "\n" + fake.text, " --" + tail, "x" + tail, " -- LOG:  statement: select 2", "\n\t" + fake.text,
            whole,
        ] {
            var writer = LogWriter(prefix)
            var one = LogWriter.Entry()
            one.message = "statement: DROP TABLE t; " + text
            writer.write(one)
            one.severity = "ERROR"
            one.message = "syntax error"
            one.parts = [("STATEMENT", "x\n" + fake.text + text)]
            writer.write(one)
            let found = readLog(writer.text, prefix: prefix)
            #expect(!found.rows.contains(where: StderrForgingTests.counts), "\(prefix) \(text)")
            #expect(!found.rows.contains { $0[.connectionFrom]?.contains("6.6.6.6") == true }, "\(prefix) \(text)")
            #expect(
                found.rows.contains { $0[.message]?.hasPrefix("statement: DROP TABLE t") == true }
                    || found.unread.count == 1, "\(prefix) \(text)")
        }
    }

    @Test("an application name moves no address", arguments: prefixes.filter { $0.contains("%a") })
    func applications(prefix: String) {
        var fake = LogWriter(prefix)
        var entry = LogWriter.Entry(application: "x", host: "6.6.6.6", port: "1", severity: "FATAL", state: "28P01")
        entry.message = "y"
        fake.write(entry)
        guard let place = fake.text.firstRange(of: "x") else { return }
        let tail = fake.text[place.lowerBound...].dropLast()
        var writer = LogWriter(prefix)
        var one = LogWriter.Entry(application: String(tail.prefix(63)))
        one.message = "statement: select 1"
        writer.write(one)
        let found = readLog(writer.text, prefix: prefix)
        #expect(!found.rows.contains { $0[.connectionFrom]?.contains("6.6.6.6") == true })
        #expect(found.rows.count + found.unread.count == 1)
    }

    @Test("names that are not UTF-8, NUL and cut characters are names")
    func bytes() {
        let prefix = "%m [%p] %q%u@%d "
        for name in [[0xFF, 0xFE, 10, 0x41], [0x41, 10, 0xC3], [0xE2, 0x82], [1, 2, 3, 10, 27]] as [[UInt8]] {
            let head = Array("2026-03-02 09:49:00.374 UTC [7] ".utf8)
            let quoted = name.flatMap { $0 == 10 ? [10, 9] : [$0] }
            let line =
                head + name + Array("@shop FATAL:  password authentication failed for user \"".utf8) + quoted + [
                    34, 10,
                ]
            let found = readLog(line + line, prefix: prefix)
            #expect(found.values(.userName, .sqlState) == Array(repeating: String(escaping: name) + "|28P01", count: 2))
        }
    }
}
