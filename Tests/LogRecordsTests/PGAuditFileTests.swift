import LogRecords
import Testing
import VigilModel

@Suite("pgauditlogtofile reader")
struct PGAuditFileTests {
    private func read(_ bytes: [UInt8], pieces: [Int] = [1 << 20], timezone: String? = nil) -> PlainRows {
        let facts = ReadingFacts(timezone: timezone, head: Array(bytes.prefix(LogFormat.sniffLength)))
        return PlainRows.read(bytes, pieces: pieces, with: LogFormat.pgauditlogtofile.reader(facts))
    }

    /// A client of session 4f1b.
    private static func client(_ user: String, _ database: String = "webshop") -> ServerRecord {
        var record = ServerRecord()
        record.user = Array(user.utf8)
        record.database = Array(database.utf8)
        (record.host, record.port) = (Array("192.0.2.7".utf8), Array("40000".utf8))
        record.tag = Array("authentication".utf8)
        record.virtualTransaction = "4/4"
        return record
    }

    private static func received() -> ServerRecord {
        var record = ServerRecord()
        (record.host, record.port) = (Array("192.0.2.7".utf8), Array("40000".utf8))
        record.message = Array("connection received: host=192.0.2.7 port=40000".utf8)
        record.backendType = []
        return record
    }

    private static func failure(_ user: String, _ database: String = "webshop", role: Bool = false) -> ServerRecord {
        var record = client(user, database)
        record.state = "28P01"
        record.message = Array("password authentication failed for user \"\(user)\"".utf8)
        let rule = #"Connection matched pg_hba.conf line 12: "host    webshop,billing    all     127.0.0.0/8  md5""#
        record.detail = Array(((role ? "" : "Role \"\(user)\" does not exist.\n") + rule).utf8)
        return record
    }

    private static func authorized(_ user: String, _ database: String = "webshop", app: String = "psql")
        -> ServerRecord
    {
        var record = client(user, database)
        let text = "connection authorized: user=\(user) database=\(database) application_name=\(app)"
        record.message = Array(text.utf8)
        return record
    }

    @Test("reads every form of every version", arguments: PGAuditFormat.allCases)
    func forms(format: PGAuditFormat) {
        var entry = PGAuditFileTests.client("dev_owner")
        entry.tag = Array("CREATE TABLE".utf8)
        entry.application = Array("psql".utf8)
        let sql = "create table \"a,b\" (\nid int -- it's \"x\"\n)"
        let audits = [
            pgaudit(command: "CREATE TABLE", type: "TABLE", object: "public.a", statement: Array(sql.utf8)),
            pgaudit(command: "SELECT", statement: Array("select 1".utf8), rows: 7),
            pgaudit(
                kind: "OBJECT", number: 2, class: "FUNCTION", command: "EXECUTE", type: "FUNCTION",
                object: "public.f(integer,integer)", statement: Array("select f(1,2)".utf8),
                parameter: Array("1,\"a,b\"".utf8)),
        ]
        var bytes = format.row(PGAuditFileTests.received()) + format.row(PGAuditFileTests.failure("alice"))
        bytes += format.row(PGAuditFileTests.authorized("bob")) + audits.flatMap { format.row(entry, audit: $0) }
        let found = read(bytes)
        #expect(found.unread.isEmpty && found.text.isEmpty)
        #expect(found.rows.map { $0[.severity] } == ["LOG", "FATAL", "LOG", "LOG", "LOG", "LOG"])
        #expect(found.rows.map { $0[.userName] } == ["", "alice", "bob", "dev_owner", "dev_owner", "dev_owner"])
        #expect(found.rows.allSatisfy { $0.form == .diverted && $0[.sessionLine].isEmpty })
        #expect(found.rows.allSatisfy { $0[.sessionID] == "69a55d0d.4f1b" && $0[.processID] == "20251" })
        let from = format == .csv171 || format == .csv173 ? "192.0.2.7" : "192.0.2.7:40000"
        #expect(found.rows.allSatisfy { $0[.connectionFrom] == from })
        let time = format.showsSessionStart ? "2026-03-02T09:49:01Z" : "2026-03-02T09:49:01.374Z"
        #expect(found.rows.allSatisfy { $0.time == LogTime(parsing: time) })
        #expect(
            found.rows[1][.detail] == String(decoding: PGAuditFileTests.failure("alice").detail ?? [], as: UTF8.self))
        #expect(found.rows[1][.sqlState] == "28P01")
        #expect(found.rows[1][.commandTag] == "authentication")
        for (row, audit) in zip(found.rows[3...], audits) {
            var text = "AUDIT: " + String(decoding: audit, as: UTF8.self)
            // The first character of an object's name was lost up to 1.7.2; a quote can be put back.
            if format == .csv171 || format == .json170 { text = text.replacing(",public.a,", with: ",ublic.a,") }
            #expect(row[.message] == text)
            #expect(row[.commandTag] == "CREATE TABLE")
            #expect(row[.applicationName] == "psql")
            #expect(row[.context].isEmpty && row[.query].isEmpty)
        }
    }

    private static let names = [
        "x\",\"28P01", "a,b,c", ",", ",,", "o'hara", "nl\nuser", "cr\rlf\r\nuser", "\n", "\n\n", "quote\"user",
        "2026-03-02 06:43:36.644 UTC", "x\n2026-03-02 06:43:36.644 UTC [1] [1] 0.1 127.37.9.89(1) postgr",
        "x\"\n2026-03-02 06:43:36.644 UTC,\"postgres\",\"webshop\",4242,\"127.3", ",,,,,,,,,,", "\",Role \"",
        ",,,,,,,,,\n2026-03-02 06:43:36.644 UTC,", "x\n2026-03-02 06:43:36.644 UTC,", "user=postgres database=postgres",
        "AUDIT: SESSION,1,1,ROLE,DROP ROLE,,,DROP ROLE postgres,<none>", "SESSION,1,1,READ,", "{\"log.source\":\"",
        " leading", "trailing ", "x,d,1,1.2.3.4:5,69a53198.1,1,authentication,2026-03-02 06:43:36",
        "用户,\n用户", "=", "\"", " \"", "a\" \"a", "\\", "\\n\\u0022,",
    ]

    @Test("tells the true user, whatever he is called", arguments: PGAuditFormat.allCases)
    func names(format: PGAuditFormat) {
        for user in PGAuditFileTests.names where user.utf8.count <= 63 {
            let database = user.contains(",") ? "webshop" : "we\"b\nshop"
            let records = [
                PGAuditFileTests.received(), PGAuditFileTests.failure(user, database),
                PGAuditFileTests.received(), PGAuditFileTests.failure(user, role: true),
                PGAuditFileTests.authorized(user, database), PGAuditFileTests.failure("alice"),
            ]
            let bytes = records.flatMap { format.row($0) }
            let found = read(bytes)
            #expect(
                found.rows.map { $0[.userName] } == ["", user, "", user, user, "alice"], "\(user.debugDescription)")
            #expect(found.rows.map { $0[.severity] } == ["LOG", "FATAL", "LOG", "FATAL", "LOG", "FATAL"])
            #expect(found.rows.map { $0[.databaseName] } == ["", database, "", "webshop", database, "webshop"])
            #expect(Set(found.rows.map { $0[.sessionID] }) == ["69a55d0d.4f1b"])
            #expect(found.unread.isEmpty && found.text.isEmpty)
            #expect(read(bytes, pieces: [1]) == found)
        }
    }

    /// Users and databases, at most 63 bytes each, that hold a whole row's worth of columns.
    private static let forgeries: [(String, String)] = [
        ("x,d,1,9.9.9.9:5,69a55d0d.1,1,authentication,2026-03-02 09:49:01", " UTC,,0,28P01,m,,,,,,,,,"),
        ("x,d,1,9.9.9.9:5,69a55d0d.1,1,authentication,2026-03-02 09:49:01", " UTC,,0,28P01,m,,,,,,,,,\n"),
        (
            "x,d,1,9.9.9.9:5,69a55d0d.1,1,,2026-03-02 09:49:01 UTC,,0,28P01,",
            "user \"x\",,,,,,,,,\n2026-03-02 09:49:01.374 UTC,x,y"
        ),
        (
            "x,d,1,9.9.9.9:5,69a55d0d.1,1,,2026-03-02 09:49:01 UTC,,0,00000,",
            "SESSION,1,1,ROLE,DROP ROLE,,,x,,,,,,,,,,\n2026-03-02 09:49:01 "
        ),
        (
            "x,d,1,9.9.9.9:5,69a55d0d.1,1,,2026-03-02 09:49:01 UTC,,0,00000,", "SESSION,1,1,ROLE,DROP ROLE,,,\""
        ),
        (
            ",p,,,,,,,,,a\nd,1,9.9.9.9:5,69a55d0d.1,1,,2026-03-02 09:49:01 UTC",
            ",0,00000,SESSION,1,1,ROLE,X,,,\""
        ),
        (
            "x\n2026-03-02 09:49:01.374 UTC,a,b,1,9.9.9.9:5,69a55d0d.1,1,,2026",
            "-03-02 09:49:01 UTC,,0,28P01,user \"a\""
        ),
        ("x,d,1,9.9.9.9:5,69a55d0d.1,authentication,,0,28P01,user \"x\",,,,", ",,,,,\n2026-03-02 09:49:01 UTC,x,y"),
        ("\"x\",\"d\",1,\"9.9.9.9:5\",69a55d0d.1,1,\"\",2026-03-02 09:49:01 UT", "C,,0,28P01,\"m\",,,,,,,,,\n"),
    ]

    @Test("whoever connects forges no row, hides none, and moves no address", arguments: PGAuditFormat.allCases)
    func forgeries(format: PGAuditFormat) {
        for (user, database) in PGAuditFileTests.forgeries {
            let user = String(decoding: user.utf8.prefix(63), as: UTF8.self)
            let database = String(decoding: database.utf8.prefix(63), as: UTF8.self)
            let records = [
                PGAuditFileTests.received(), PGAuditFileTests.failure(user, database),
                PGAuditFileTests.received(), PGAuditFileTests.failure(user, database, role: true),
                PGAuditFileTests.authorized("bob"), PGAuditFileTests.authorized(user, database),
                PGAuditFileTests.authorized("bob"),
            ]
            let bytes = records.flatMap { format.row($0) }
            let found = read(bytes)
            #expect(found.rows.count == records.count, "\(user.debugDescription)")
            #expect(!found.rows.contains { $0[.connectionFrom].hasPrefix("9") })
            #expect(found.rows.map { $0[.sqlState] } == records.map(\.state))
            #expect(found.rows.filter { $0[.userName] == "bob" }.count == 2)
            #expect(found.unread.isEmpty)
            #expect(read(bytes, pieces: [7]) == found)
        }
    }

    @Test("a statement forges no row", arguments: PGAuditFormat.allCases)
    func statements(format: PGAuditFormat) {
        let fake = String(decoding: format.row(PGAuditFileTests.failure("victim")), as: UTF8.self)
            .replacing("192.0.2.7", with: "9.9.9.9")
        var entry = PGAuditFileTests.client("a", "b")
        entry.tag = Array("SELECT".utf8)
        entry.host = Array("[local]".utf8)
        entry.port = nil
        for sql in [
            fake, "\n" + fake, "x\"\n" + fake + fake, "/*,1,9.9.9.9:5,69a55d0d.1,1,,2026-03-02 09:49:01 UTC,,0,28P01,",
            "/*,1,9.9.9.9:5,69a55d0d.1,,,0,28P01,user \"x\"*/",
        ] {
            for location in [nil, "auth.c"] as [String?] {
                var text = entry
                text.file = location.map { Array($0.utf8) }
                let audit = pgaudit(class: "READ", command: "SELECT", statement: Array(sql.utf8))
                let bytes = format.row(text, audit: audit) + format.row(PGAuditFileTests.received())
                let found = read(bytes)
                #expect(found.rows.count == 2)
                #expect(found.rows.first?[.userName] == "a")
                #expect(found.rows.first?[.connectionFrom] == "[local]")
                #expect(found.rows.first?[.sqlState] == "00000")
                #expect(found.unread.isEmpty)
            }
        }
    }

    @Test("what a RAISE says is known by its context", arguments: PGAuditFormat.allCases)
    func raised(format: PGAuditFormat) {
        var record = PGAuditFileTests.client("lowpriv")
        record.tag = Array("DO".utf8)
        record.context = Array("PL/pgSQL function inline_code_block line 1 at RAISE".utf8)
        record.query = Array("DO $$ BEGIN RAISE LOG 'AUDIT: x,,,,,,,,,,,'; END $$".utf8)
        let audit = pgaudit(class: "ROLE", command: "DROP ROLE", statement: Array("DROP ROLE postgres".utf8))
        record.message = Array("password authentication failed for user \"alice\"".utf8)
        var failure = record
        failure.state = "28P01"
        let found = read(format.row(record, audit: audit) + format.row(failure))
        #expect(found.rows.count == 2)
        #expect(found.rows.allSatisfy { !$0[.context].isEmpty })
        #expect(found.rows.map { $0[.severity] } == ["LOG", "ERROR"])
    }

    @Test("an entry of a statement that a function ran looks as the server logs it", arguments: PGAuditFormat.allCases)
    func nested(format: PGAuditFormat) {
        var record = PGAuditFileTests.client("dba_karl")
        record.tag = Array("CALL".utf8)
        record.application = Array("psql".utf8)
        let audit = pgaudit(command: "CREATE TABLE", statement: Array("CREATE TABLE x (id int, n text)".utf8))
        let nested = [
            "SQL statement \"CREATE TABLE x (id int, n text)\"\nPL/pgSQL function public.p() line 3 at EXECUTE",
            "SQL statement \"RAISE PL/Perl\"", "PL/pgSQL function p() line 3 at COMMIT",
        ]
        for context in nested {
            record.context = Array(context.utf8)
            let found = read(format.row(record, audit: audit) + format.row(PGAuditFileTests.received()))
            #expect(found.rows.count == 2)
            #expect(found.rows.first?[.context] == "")
            #expect(found.rows.first?[.applicationName] == "psql")
        }
        for context in [
            "PL/pgSQL function inline_code_block line 1 at RAISE", "PL/pgSQL function \"a\nb\"() line 1 at RAISE",
            "PL/pgSQL-Funktion f() Zeile 1 bei RAISE", "PL/Perl function \"f\"",
        ] {
            record.context = Array(context.utf8)
            for query in [nil, "select f() --,"] as [String?] {
                record.query = query.map { Array($0.utf8) }
                let found = read(format.row(record, audit: audit) + format.row(PGAuditFileTests.received()))
                #expect(found.rows.count == 2)
                #expect(found.rows.first?[.context].isEmpty == false)
            }
        }
    }

    @Test("gives the same in whatever pieces the bytes come", arguments: 1...16)
    func chunking(seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed) &* 131)
        var bytes: [UInt8] = []
        for _ in 0..<14 {
            let format = PGAuditFormat.allCases.randomElement(using: &numbers) ?? .csv15
            let user = PGAuditFileTests.names.randomElement(using: &numbers) ?? ""
            var row =
                switch Int.random(in: 0..<4, using: &numbers) {
                case 0: format.row(PGAuditFileTests.received())
                case 1: format.row(PGAuditFileTests.failure(user))
                case 2: format.row(PGAuditFileTests.authorized(user, app: "a,\"b"))
                default:
                    format.row(
                        PGAuditFileTests.client("bob"),
                        audit: pgaudit(
                            command: "X", statement: ServerRecord.hostileText(&numbers, longest: 200)))
                }
            switch Int.random(in: 0..<9, using: &numbers) {
            case 0: row = Array(row.prefix(Int.random(in: 1..<row.count, using: &numbers)))
            case 1: row.insert(contentsOf: [0, 10, 34], at: Int.random(in: 0..<row.count, using: &numbers))
            case 2: row += Array("junk \" here\n\n".utf8)
            default: break
            }
            bytes += row
        }
        let whole = read(bytes)
        #expect(read(bytes, pieces: [1]) == whole)
        for _ in 0..<4 {
            let pieces = (0..<7).map { _ in Int.random(in: 1..<300, using: &numbers) }
            #expect(read(bytes, pieces: pieces) == whole)
        }
    }

    @Test("damage hides no row behind it", arguments: PGAuditFormat.allCases)
    func damage(format: PGAuditFormat) {
        let audit = pgaudit(command: "X", statement: Array("select 'a,b',\n2".utf8))
        var entry = PGAuditFileTests.client("dev_owner")
        entry.application = Array("psql".utf8)
        let row = format.row(entry, audit: audit)
        let good = (0..<6).flatMap { _ in row + format.row(PGAuditFileTests.failure("alice")) }
        // Torn within the quoted statement: its quote stays open.
        let torn = Array(format.isRaw || format == .csv10 ? row.prefix { $0 != 10 } : row.prefix(row.count - 60))
        for damage in [torn + [10], Array("junk\n".utf8), Array("\u{0}\u{0}\n".utf8)] {
            let found = read(good + damage + good)
            #expect(found.rows.filter { $0[.userName] == "alice" }.count >= 11)
            #expect(found.rows.count >= 22)
            #expect(!found.unread.isEmpty)
        }
    }

    @Test("a torn last row is told, and waits", arguments: PGAuditFormat.allCases)
    func tornEnd(format: PGAuditFormat) {
        let row = format.row(PGAuditFileTests.failure("alice", role: true))
        let reader = LogFormat.pgauditlogtofile.reader(ReadingFacts(timezone: nil, head: row))
        let found = PlainRows.read(row + row.prefix(60), with: reader)
        #expect(found.rows.count == 1)
        #expect(found.unread.map(\.offset) == [Int64(row.count)])
        // A row waits for the line behind it, which may belong to it; then it is read again.
        #expect([0, Int64(row.count)].contains(reader.position))
    }

    @Test("damage costs no more than its size")
    func linear() {
        let start = "2026-03-02 09:49:01.374 UTC,u,d,20251,[local],69a55d0d.4f1b,2,X,2026-03-02 09:49:01 UTC,,0,00000,"
        for piece in [
            start + "SESSION,1,1,READ,SELECT,,,\"x\n", start + "SESSION,1,1,READ,SELECT,,,\"x\n\"y\n", start + "m\n",
            "2026-03-02 09:49:01.374 UTC,x\n", "\"2026-03-02 09:49:01.374 UTC\",", "{\"log.source\":\"",
            start + "role \"\n", "2026-03-02 09:49:01.374 UTC,",
        ] {
            var bytes: [UInt8] = []
            while bytes.count < 1 << 20 { bytes += Array(piece.utf8) }
            _ = read(bytes + [10])
        }
    }

    @Test("a statement of any length is one row", arguments: [PGAuditFormat.csv15, .csv170, .csv177, .json184])
    func long(format: PGAuditFormat) {
        let lines = Array("insert into t values (1, 'x,y');\n".utf8)
        let sql = (0..<(6 << 20) / lines.count).flatMap { _ in lines }
        let audit = pgaudit(command: "INSERT", statement: sql)
        let bytes = format.row(PGAuditFileTests.client("bob"), audit: audit) + format.row(PGAuditFileTests.received())
        let found = read(bytes)
        #expect(found.rows.count == 2)
        #expect(found.rows.first?[.message].hasPrefix("AUDIT: SESSION,1,1,DDL,INSERT,,,\"insert") == true)
        #expect(found.unread.isEmpty)
    }

    @Test(
        "an ambiguous zone is told by session ids",
        arguments: [("2026-03-02 17:49:01.374 CST", 8), ("2026-03-02 03:49:01.374 CST", -6)])
    func zone(stamp: String, hours: Int) {
        var record = PGAuditFileTests.received()
        record.time = stamp
        for format in [PGAuditFormat.csv177, .json184] {
            let found = read(format.row(record))
            #expect(found.rows.first?.time == LogTime(parsing: "2026-03-02T09:49:01.374Z"), "\(format)")
        }
        record.sessionStart = stamp.replacing(".374", with: "")
        #expect(read(PGAuditFormat.csv15.row(record)).rows.first?.time == LogTime(parsing: "2026-03-02T09:49:01.374Z"))
    }

    @Test("is told by its first row", arguments: PGAuditFormat.allCases)
    func detection(format: PGAuditFormat) {
        for record in [PGAuditFileTests.received(), PGAuditFileTests.failure("x\n2026-03-02 06:43:36.644 UTC,a")] {
            #expect(LogFormat.detect(format.row(record), path: "audit.log") == .pgauditlogtofile)
        }
        let csv = ServerRecord().csv
        #expect(LogFormat.detect(csv, path: "audit.csv") == .csvlog)
        let stderr = "2026-03-02 09:49:01.374 UTC [1] u@d LOG:  " + String(decoding: csv, as: UTF8.self)
        #expect(LogFormat.detect(Array(stderr.utf8), path: "audit.log") != .pgauditlogtofile)
    }
}
