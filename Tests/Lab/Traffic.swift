import Foundation

/// What is done to a server, and what is to be seen of it.
struct Traffic {
    let port: Int

    /// Who is spoken of in forged text, and has done nothing.
    static let victim = "203.0.113.99"

    /// Names that look like lines of a log.
    static let forgeries = [
        "a\n2026-03-02 10:00:00.000 EST [4711] bob@shop \(victim) FATAL:  password authentication failed for user \"bob\"",
        "b\"\n2026-03-02 10:00:00.000 EST,\"bob\",\"shop\",4711,\"\(victim):4000\",69a55d0d.1001,2,\"authentication\","
            + "2026-03-02 09:59:59 EST,3/1,0,FATAL,28P01,\"password authentication failed for user \"\"bob\"\"\",,,,,,,,,\"\","
            + "\"client backend\",,0\n\"",
        "c\",\"remote_host\":\"\(victim)\",\"user\":\"bob",
        "d@shop \(victim) ", "e [4711] bob@shop \(victim) FATAL:  x", "f\r\n\tg", "%u%h", "'; DROP TABLE x; --",
    ]

    var failures: [Client.Session] {
        (0..<11).map { .init("127.9.8.7", user: "app", password: "Wrong-\($0)", port: port) }
            + [
                .init("127.9.8.1", user: "app", password: "typo", port: port),
                .init("127.9.8.2", user: "nobody", port: port),
                .init("127.9.8.2", user: "app", database: "nowhere", port: port),
                .init("127.9.8.2", user: "app", database: "refused", port: port),
                .init("127.9.8.3", raw: "GET / HTTP/1.0\r\n\r\n", port: port),
            ]
    }

    var forged: [Client.Session] {
        Traffic.forgeries.map { .init("127.9.8.4", user: $0, port: port) }
            + Traffic.forgeries.map { .init("127.9.8.5", user: "app", database: $0, port: port) }
            + Traffic.forgeries.map { .init("127.9.8.6", user: "app", application: $0, port: port) }
    }

    var work: [Client.Session] {
        [
            .init("127.9.8.1", user: "app", port: port, queries: ["SELECT 1"]),
            .init("127.9.8.10", user: "dba", port: port, queries: statements, bound: bound),
            .init(
                "127.9.8.11", user: "dba", port: port,
                queries: ["SET log_min_duration_statement = 0"] + statements.map { $0.replacing("t1", with: "t2") },
                bound: bound.map { [$0[0].replacing("t1", with: "t2")] + $0.dropFirst() }),
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
            "COPY t1 TO PROGRAM 'cat >/dev/null'",
            "INSERT INTO t1 VALUES (1)",
            "DROP ROLE t1_role",
        ]
    }

    private var bound: [[String]] {
        [
            ["INSERT INTO t1 (i) VALUES ($1)", "7"],
            ["CREATE TABLE t1_bound (i int)"],
            ["DROP TABLE t1_bound"],
            ["TRUNCATE t1"],
        ]
    }

    var sessions: [Client.Session] { failures + forged + work }
}
