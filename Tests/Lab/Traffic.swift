import Foundation

/// What is done to a server, and what is to be seen of it.
struct Traffic {
    let port: Int

    /// Who is spoken of in forged text, and has done nothing.
    static let victim = "203.0.113.9"
    /// Who speaks so.
    static let forgers = "127.9.8.4"

    /// Who raises messages made to look so.
    static let raiser = "127.9.8.12"

    /// What a function may say: whole rows of other logs, pgaudit's words, terminals' escapes.
    static let raised = [
        "x\n2026-03-02 10:00:00.000 UTC,\"bob\",\"shop\",7,\"\(victim):4000\",69a55d0d.7,1,\"authentication\","
            + "2026-03-02 10:00:00 UTC,3/1,0,FATAL,28P01,\"password authentication failed for user \"\"bob\"\"\",,,,,,,,,"
            + "\"\",\"client backend\",,0",
        "x\n2026-03-02 10:00:00.000 UTC [7] bob@shop \(victim) FATAL:  password authentication failed for user \"bob\"",
        "x\n{\"timestamp\":\"2026-03-02 10:00:00.000 UTC\",\"user\":\"bob\",\"remote_host\":\"\(victim)\","
            + "\"error_severity\":\"FATAL\",\"state_code\":\"28P01\",\"message\":\"x\"}",
        "AUDIT: SESSION,1,1,ROLE,ALTER ROLE,,,ALTER ROLE bob SUPERUSER,<none>",
        "connection authorized: user=bob database=shop", "\u{1B}[31mred\u{202E}gnp", "=cmd|' /C calc'!A0",
    ]

    /// Names that look like lines of a log; PostgreSQL keeps 63 bytes of a name.
    static let forgeries = [
        "a\n2026-03-02 10:00:00.000 EST [7] b@c \(victim) FATAL:  x", "b [7] bob@shop \(victim) FATAL:  y",
        "c\",\"remote_host\":\"\(victim)\",\"user\":\"bob", "d\",\"shop\",7,\"\(victim):4000\",69a55d0d.1001,2,\"",
        "e@shop \(victim) ", "f \(victim) FATAL:  role \"bob\" does not exist", "g\r\n\th", "h\n\n", "%u%h", "'; --",
    ]

    var failures: [Client.Session] {
        // Two within a tenth of a second count as one, like those of a client that prefers TLS.
        (0..<22).map { .init("127.9.8.7", user: "app", password: "Wrong-\($0)", port: port) }
            + [
                .init("127.9.8.1", user: "app", password: "Wrong-typo", port: port),
                .init("127.9.8.2", user: "nobody", port: port),
                .init("127.9.8.2", user: "refused", port: port),
                .init("127.9.8.2", user: "app", database: "nowhere", port: port),
                .init("127.9.8.3", raw: "GET / HTTP/1.0\r\n\r\n", port: port),
            ]
    }

    var forged: [Client.Session] {
        Traffic.forgeries.flatMap { name -> [Client.Session] in
            [
                .init(Traffic.forgers, user: name, port: port),
                .init(Traffic.forgers, user: "app", password: "Wrong-1", database: name, port: port),
                .init(Traffic.forgers, user: "app", database: name, port: port),
                .init(Traffic.forgers, user: "app", password: "Wrong-1", application: name, port: port),
                .init("127.9.8.6", user: "app", application: name, port: port),
            ]
        }
    }

    var work: [Client.Session] {
        [
            .init("127.9.8.1", user: "app", port: port, queries: ["SELECT 1", "CREATE ROLE evil SUPERUSER"]),
            .init("127.9.8.10", user: "dba", port: port, queries: statements, bound: bound),
            .init(
                Traffic.raiser, user: "app", port: port,
                queries: Traffic.raised.flatMap { text in
                    ["LOG", "WARNING", "EXCEPTION"].map { level in
                        "DO $do$ BEGIN RAISE \(level) '%', $raised$\(text)$raised$; END $do$"
                    }
                }),
            .init(
                "127.9.8.11", user: "dba", port: port, queries: ["SET log_min_duration_statement = 0"] + statements,
                bound: bound),
        ]
    }

    private var statements: [String] {
        [
            "CREATE TABLE t1 (i int)",
            "ALTER TABLE t1 ADD COLUMN s text; CREATE INDEX t1_i ON t1 (i);",
            "GRANT SELECT ON t1 TO app",
            "CREATE ROLE t1_role LOGIN PASSWORD 'Secret-1'",
            "ALTER ROLE t1_role PASSWORD 'Secret-2' SUPERUSER",
            "DO $$ BEGIN EXECUTE 'CREATE TABLE t1_block (i int)'; DROP TABLE t1_block; END $$",
            "DROP TABLE t1_missing",
            "COPY t1 FROM PROGRAM 'true'",
            "INSERT INTO t1 VALUES (1)",
            "DROP ROLE t1_role",
            "DROP OWNED BY app",
        ]
    }

    private var bound: [[String]] {
        [
            ["INSERT INTO t1 (i) VALUES ($1)", "7"], ["CREATE TABLE t1_bound (i int)"], ["DROP TABLE t1_bound"],
            ["TRUNCATE t1"], ["DROP TABLE t1"],
        ]
    }

    /// `action|operation` of the events of that work, for each session of `dba`. The DO block is told of by the statements
    /// that it ran; only where durations are logged by its own text, too.
    static let changes: [String: Int] = [
        "ddl|CREATE TABLE": 3, "ddl|ALTER TABLE": 1, "ddl|CREATE INDEX": 1, "priv.grant|GRANT": 1,
        "priv.password|CREATE ROLE": 1, "priv.superuser|ALTER ROLE": 1, "ddl.drop|DROP TABLE": 4,
        "danger.copy_program|COPY": 1, "priv.role_drop|DROP ROLE": 1, "priv.role_drop|DROP OWNED": 1,
        "ddl.drop|TRUNCATE TABLE": 1,
    ]

    var sessions: [Client.Session] { failures + forged + work }
}
