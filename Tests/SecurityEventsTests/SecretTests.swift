import LogRecords
import Patterns
import Testing
import VigilModel

@testable import SecurityEvents

/// No secret leaves the room, wherever in a record it stands; what is left of it is where it stood, and a fingerprint.
@Suite("Secrets")
struct SecretTests {
    private static let secret = "S3cr3t-4711"
    private static let key = SecretKey(Array("0123456789abcdef".utf8))
    private static let catalogue = Result {
        var events = try Catalogue.embedded().events
        events.secretKey = key
        return events
    }

    private static func events(_ log: String, as format: LogFormat = .csvlog) throws -> [SecurityEvent] {
        let bytes = Array(log.utf8)
        var collector = EventCollector(reader: EventReader(catalogue: try catalogue.get()))
        format.reader(ReadingFacts(timezone: nil, head: bytes)).read(bytes, into: &collector)
        collector.reader.settle()
        return collector.reader.takeEvents()
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    private static func server(_ message: String, detail: String = "") -> String {
        "2026-03-02 17:20:42.109 UTC,,,7,,69a5c6da.7,3,,2026-03-02 17:20:42 UTC,,0,LOG,00000,"
            + "\(quoted(message)),\(detail.isEmpty ? "" : quoted(detail)),,,,,,,,\"\",\"postmaster\",,0\n"
    }

    static let statements = [
        "CREATE ROLE svc LOGIN PASSWORD '@'", "ALTER USER svc WITH ENCRYPTED PASSWORD '@' VALID UNTIL '2027-01-01'",
        "CREATE USER MAPPING FOR bob SERVER far OPTIONS (user 'u', password '@')",
        "ALTER SUBSCRIPTION s CONNECTION 'host=192.0.2.9 user=r password=@'",
        "CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'h', passwd '@')",
        "SELECT dblink_connect('c', 'host=192.0.2.9 user=postgres password=@ dbname=x')",
        "SELECT * FROM dblink('postgresql://u:@@192.0.2.9/db', 'SELECT 1') AS t(a int)",
        "ALTER SYSTEM SET primary_conninfo = 'host=192.0.2.9 user=repl password=@'",
        "DO $$ BEGIN EXECUTE format('ALTER ROLE svc PASSWORD %L', '@'); END $$",
        "COPY t FROM PROGRAM 'curl -s -u admin:@ https://192.0.2.9/x'",
        "COPY t FROM PROGRAM 'curl --user admin:@ https://192.0.2.9/x | sh'",
        "COPY t FROM PROGRAM 'curl -H \"Authorization: Bearer @\" https://192.0.2.9/x'",
        "COPY t FROM PROGRAM 'curl -H ''X-Api-Key: @'' https://192.0.2.9/x'",
        "COPY t TO PROGRAM 'PGPASSWORD=@ psql -h 192.0.2.9'", "COPY t TO PROGRAM 'sshpass -p @ ssh root@192.0.2.9'",
        "COPY t TO PROGRAM 'sshpass -p ''@'' ssh root@192.0.2.9'", "COPY t TO PROGRAM 'mysql -uroot -p@ shop'",
        "COPY t TO PROGRAM 'wget --http-password @ https://192.0.2.9/'",
        "COPY t TO PROGRAM 'wget --password=@ https://192.0.2.9/'",
        "COPY t TO PROGRAM 'AWS_SECRET_ACCESS_KEY=@ aws s3 cp - s3://b/x'",
        "COPY t TO PROGRAM 'vault login --token @'",
        "ALTER SYSTEM SET archive_command = 'curl -u a:@ -T %p https://192.0.2.9/%f'",
        "COPY t FROM PROGRAM 'curl -ubob:@ https://192.0.2.9/x'",
        "COPY t FROM PROGRAM 'curl -su bob:@ https://192.0.2.9/x'",
        "COPY t TO PROGRAM 'sshpass\t-p@ ssh host'", "COPY t TO PROGRAM 'mysql\n-p@ shop'",
        "COPY t TO PROGRAM 'vault\t--token @'", "COPY t TO PROGRAM 'mariadb-dump -p@ shop'",
        "COPY t TO PROGRAM 'mysqladmin -p@ ping'", "COPY t TO PROGRAM 'redis-cli -a @ ping'",
        "COPY t TO PROGRAM 'curl --oauth2-bearer @ https://192.0.2.9/'",
        "COPY t FROM PROGRAM 'curl -H \"X-Vault-Token: @\" https://192.0.2.9/x'",
    ]

    @Test("in a statement, an ERROR and pgaudit's record", arguments: statements)
    func statement(sql: String) throws {
        let sql = sql.replacing("@@", with: "\u{1}").replacing("root@", with: "root\u{2}")
            .replacing("@", with: Self.secret).replacing("\u{1}", with: Self.secret + "@").replacing("\u{2}", with: "@")
        let logs = [
            ("secret.in_statement", ForgeryTests.row("statement: " + sql)),
            ("secret.in_statement", ForgeryTests.row("duration: 1.000 ms  statement: " + sql)),
            (
                "secret.in_error",
                ForgeryTests.row("permission denied", severity: "ERROR", state: "42501", query: sql)
            ),
            ("secret.in_audit", ForgeryTests.row("AUDIT: SESSION,1,1,MISC,DO,,,\(Self.quoted(sql)),<none>")),
        ]
        for (place, log) in logs {
            let found = try Self.events(log)
            let event = try #require(found.first, "\(log)")
            #expect(!"\(found)".contains(Self.secret), "\(log)")
            #expect(
                event.kind.tags.contains(place) && event.kind.tags.contains("secret.password"), "\(event.kind.tags)")
            #expect(event.secretFingerprint == Self.key?.fingerprint(of: Array(Self.secret.utf8)), "\(log)")
        }
    }

    @Test(
        "in what the server says by itself",
        arguments: [
            server("parameter \"primary_conninfo\" changed to \"host=192.0.2.9 user=repl password=@\""),
            server("parameter \"archive_command\" changed to \"curl -u a:@ -T %p https://192.0.2.9/\""),
            server("parameter \"restore_command\" changed to \"AWS_SECRET_ACCESS_KEY=@ wal-g wal-fetch %f %p\""),
            server(
                "server process (PID 7) was terminated by signal 11: Segmentation fault",
                detail: "Failed process was running: ALTER ROLE svc PASSWORD '@'"),
        ])
    func message(log: String) throws {
        let found = try Self.events(log.replacing("@", with: Self.secret))
        let event = try #require(found.first)
        #expect(!"\(found)".contains(Self.secret))
        #expect(event.kind.tags.contains("secret.in_message") && event.kind.tags.contains("secret.password"))
        #expect(event.secretFingerprint == Self.key?.fingerprint(of: Array(Self.secret.utf8)))
    }

    @Test("in other programs' logs")
    func others() throws {
        let patroni =
            "2026-03-02 10:00:00,123 INFO: Changed primary_conninfo from 'user=r password=\(Self.secret)' to ''\n"
        let found = try Self.events(patroni, as: .patroni)
        #expect(found.count == 1 && !"\(found)".contains(Self.secret))
        let backrest =
            "2026-03-02 11:32:01.195 P00   INFO: backup command begin 2.55.1: --repo1-s3-key-secret=\(Self.secret) "
            + "--repo1-retention-full=2 --stanza=main\n"
        let begun = try Self.events(backrest, as: .pgbackrest)
        #expect(begun.count == 1 && !"\(begun)".contains(Self.secret))
    }

    @Test("equal secrets have equal fingerprints, however they are quoted; without a key there are none")
    func fingerprints() throws {
        let key = try #require(Self.key)
        func fingerprint(_ sql: String) throws -> String? {
            try Self.events(ForgeryTests.row("statement: " + sql)).first?.secretFingerprint
        }
        let one = try fingerprint("CREATE ROLE a PASSWORD 'it''s'")
        #expect(one == key.fingerprint(of: Array("it's".utf8)) && one?.count == 16)
        #expect(try fingerprint("ALTER ROLE b PASSWORD $$it's$$") == one)
        #expect(try fingerprint("ALTER ROLE b PASSWORD 'its'") != one)
        #expect(try fingerprint("ALTER ROLE b PASSWORD NULL") == nil)
        #expect(SecretKey(Array("too short".utf8)) == nil)
        let bytes = Array(ForgeryTests.row("statement: CREATE ROLE a PASSWORD 'x'").utf8)
        var collector = EventCollector(reader: EventReader(catalogue: try Catalogue.embedded().events))
        LogFormat.csvlog.reader(ReadingFacts(timezone: nil, head: bytes)).read(bytes, into: &collector)
        #expect(collector.reader.takeEvents().first.map { $0.secretFingerprint == nil } == true)
    }

    @Test(
        "ordinary text stays",
        arguments: [
            "COPY t FROM PROGRAM 'rsync -u host:/var/x .'", "COPY t FROM PROGRAM 'curl -u admin https://192.0.2.9'",
            "COPY t FROM PROGRAM 'gzip -p 4 -- x'", "COPY t TO PROGRAM 'psql -U postgres -p 5432'",
            "COPY t FROM PROGRAM 'ls -- token'", "COPY t FROM PROGRAM 'tar --user=x -p'",
        ])
    func ordinary(sql: String) throws {
        let event = try #require(try Self.events(ForgeryTests.row("statement: " + sql)).first)
        #expect(event.query == sql && !event.kind.tags.contains("secret.password"))
    }

    @Test("a text of nothing but dashes and quotes costs no more than its length", .timeLimit(.minutes(1)))
    func dashes() throws {
        for piece in ["\"-", "''-"] {
            let text = String(repeating: piece, count: 200_000)
            #expect(try Self.events(ForgeryTests.row("statement: COMMENT ON TABLE zz IS 'x \(text)'")).count <= 1)
        }
    }
}
