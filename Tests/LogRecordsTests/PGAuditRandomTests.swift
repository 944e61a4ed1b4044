import LogRecords
import Testing
import VigilModel

@Suite("pgauditlogtofile reader, random names")
struct PGAuditRandomTests {
    private static let pieces = [
        ",", ",,,,,,,,,", "\n", "\"", "x", "=", " ", "2026-03-02 09:49:01.374 UTC,", "2026-03-02 09:49:01 UTC,",
        ",1,9.9.9.9:5,69a55d0d.1,1,,2026-03-02 09:49:01 UTC,,0,28P01,", ",1,9.9.9.9,69a55d0d.1,,,0,28P01,",
        "9.9.9.9:5,69a55d0d.1,1,authentication,2026-03-02 09:49:01 UTC", ",,0,28P01,", "user \"x\"",
        "SESSION,1,1,ROLE,DROP ROLE,,,", "<none>", "\",", ",\"", "Role \"", "\" does not exist.", ",20251,", "1,1,",
    ]

    private static func name(_ numbers: inout SeededNumbers) -> String {
        var name = ""
        for _ in 0..<Int.random(in: 1..<7, using: &numbers) { name += pieces.randomElement(using: &numbers) ?? "" }
        return String(decoding: name.utf8.prefix(63), as: UTF8.self)
    }

    private static func failure(_ user: String, _ database: String, role: Bool) -> ServerRecord {
        var record = ServerRecord()
        (record.user, record.database) = (Array(user.utf8), Array(database.utf8))
        (record.host, record.port) = (Array("192.0.2.7".utf8), Array("40000".utf8))
        record.tag = Array("authentication".utf8)
        record.virtualTransaction = "4/4"
        record.state = "28P01"
        record.message = Array("password authentication failed for user \"\(user)\"".utf8)
        let rule = #"Connection matched pg_hba.conf line 12: "host    webshop,billing    all     127.0.0.0/8  md5""#
        record.detail = Array(((role ? "" : "Role \"\(user)\" does not exist.\n") + rule).utf8)
        return record
    }

    @Test("no name forges a row, hides one, or moves an address", arguments: PGAuditFormat.allCases)
    func random(format: PGAuditFormat) {
        var numbers = SeededNumbers(seed: 4711)
        let plain = PGAuditRandomTests.failure("alice", "webshop", role: true)
        for _ in 0..<300 {
            let user = PGAuditRandomTests.name(&numbers)
            let database = PGAuditRandomTests.name(&numbers)
            let odd = PGAuditRandomTests.failure(user, database, role: Bool.random(using: &numbers))
            let bytes = [plain, odd, plain, odd, odd, plain].flatMap { format.row($0) }
            let reader = LogFormat.pgauditlogtofile.reader(ReadingFacts(timezone: nil, head: bytes))
            let found = PlainRows.read(bytes, with: reader)
            #expect(found.rows.count == 6, "\(user.debugDescription) \(database.debugDescription)")
            #expect(
                !found.rows.contains { $0[.connectionFrom].hasPrefix("9") },
                "\(user.debugDescription) \(database.debugDescription)")
            #expect(found.rows.filter { $0[.userName] == "alice" }.count == 3)
            #expect(found.rows.allSatisfy { $0[.sqlState] == "28P01" && $0[.severity] == "FATAL" })
            #expect(found.unread.isEmpty, "\(user.debugDescription) \(database.debugDescription)")
        }
    }

    @Test("no statement and no application name does", arguments: PGAuditFormat.allCases)
    func statements(format: PGAuditFormat) {
        var numbers = SeededNumbers(seed: 815)
        let plain = PGAuditRandomTests.failure("alice", "webshop", role: true)
        for _ in 0..<300 {
            var entry = ServerRecord()
            (entry.user, entry.database) = (Array("a".utf8), Array("b".utf8))
            entry.host = Array("[local]".utf8)
            entry.tag = Array("SELECT".utf8)
            let app = PGAuditRandomTests.name(&numbers).replacing("\n", with: "?")
            entry.application = Array(app.utf8)
            let sql = (0..<3).map { _ in PGAuditRandomTests.name(&numbers) }.joined(separator: "\n")
            let audit = pgaudit(class: "READ", command: "SELECT", statement: Array(sql.utf8))
            var login = entry
            login.tag = Array("authentication".utf8)
            login.message = Array("connection authorized: user=a database=b application_name=\(app)\(app)".utf8)
            login.application = []
            let bytes = format.row(plain) + format.row(entry, audit: audit) + format.row(login) + format.row(plain)
            let reader = LogFormat.pgauditlogtofile.reader(ReadingFacts(timezone: nil, head: bytes))
            let found = PlainRows.read(bytes, with: reader)
            let note = "\(sql.debugDescription) \(app.debugDescription)"
            #expect(found.rows.map { $0[.userName] } == ["alice", "a", "a", "alice"], "\(note)")
            #expect(found.rows.map { $0[.severity] } == ["FATAL", "LOG", "LOG", "FATAL"], "\(note)")
            #expect(!found.rows.contains { $0[.connectionFrom].hasPrefix("9") }, "\(note)")
            #expect(found.unread.isEmpty, "\(note)")
        }
    }
}
