import LogRecords
import Testing

/// What a file is must not be for a client, or a child process, to say: one line of theirs may be a rotated file's first.
@Suite("Formats that others try to choose")
struct FormatForgingTests {
    private static let time = "2026-03-02 08:00:00.001 UTC"

    /// The lines of one failed login of a server with `log_connections`, from its second line on.
    private static func failure(_ user: String) -> String {
        """
        \(time) [7] \(user)@shop FATAL:  password authentication failed for user "\(user)"
        \(time) [7] \(user)@shop DETAIL:  Role "\(user)" does not exist.
        \(time) [8] [unknown]@[unknown] LOG:  connection received: host=192.0.2.66 port=40000

        """
    }

    /// The lines of one failed login of PgBouncer.
    private static func pooler(_ user: String) -> String {
        let client = "C-0x55d0: (nodb)/\(user)@192.0.2.66:40000"
        return """
            \(time) [17219] LOG C-0x55d0: (nodb)/(nouser)@192.0.2.66:40000 no such user: \(user)
            \(time) [17219] LOG \(client) login attempt: db=shop user=\(user) tls=no replication=no
            \(time) [17219] LOG \(client) closing because: SASL authentication failed (age=0s)
            \(time) [17219] WARNING \(client) pooler error: SASL authentication failed

            """
    }

    @Test(
        "a server's log stays one, whatever stands in its first lines",
        arguments: [
            // Names, each with what follows its line feed in the next line.
            failure("LOG x\n\(time) [1] LOG y"),
            failure("LOG C-0x55d0: shop/app@198.51.100.9:1 closing because: x"),
            failure("LOG C-0x1: a/b@198.51.100.9:1 password authentication failed\n"),
            failure("haproxy[1]: 198.51.100.9:1 [02/Mar/2026:08:00:00] a b 192.0.2.1:5 1\n"),
            failure("\n198.51.100.9:1 [02/Mar/2026:08:00:00.000] a b/c 192.0.2.1:5 1"),
            failure("P00   INFO: x\n\(time) P00   INFO: y"),
            // Child processes.
            "\(time.dropLast(4)) P00   INFO: archive-push command begin 2.50: [pg_wal/0001] --stanza=pg\n",
            "P00   WARN: unable to check pg\n", "sh: 1: foo: not found\n",
        ])
    func server(head: String) {
        let log = head + (0..<9).map { FormatForgingTests.failure("bob\($0)") }.joined()
        #expect(LogFormat.detect(Array(log.utf8), path: "postgresql.log") == .stderr)
    }

    @Test(
        "a pooler's log stays one",
        arguments: ["x LOG:  y", "x@192.0.2.9:1 FATAL:  y", "LOG:  ", "a,\"b,c\"", "x LOG:  \n\ty"])
    func pooler(name: String) {
        let hostile = String(repeating: FormatForgingTests.pooler(name), count: 9)
        #expect(LogFormat.detect(Array(hostile.utf8), path: "x.log") == .pgbouncer)
        let mixed = hostile + FormatForgingTests.pooler("bob")
        #expect(LogFormat.detect(Array(mixed.utf8), path: "x.log") == .pgbouncer)
    }
}
