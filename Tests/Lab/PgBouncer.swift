import Foundation

/// PgBouncer before a PostgreSQL, with its own list of passwords.
struct PgBouncer {
    let port: Int
    let log: String

    /// - Parameters:
    ///   - users: names and passwords as PgBouncer knows them.
    ///   - rules: its auth_hba_file.
    init(_ lab: Lab, port: Int, server: Int, users: [String: String], rules: String? = nil) throws {
        self.port = port
        log = lab.path("pgbouncer/pgbouncer.log")
        try lab.makeFolder("pgbouncer")
        try lab.write(users.map { "\"\($0.key)\" \"\($0.value)\"\n" }.sorted().joined(), to: "users.txt")
        try lab.write(
            """
            [databases]
            * = host=127.0.0.1 port=\(server)
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            \(rules.map { "auth_type = hba\nauth_hba_file = \($0)" } ?? "auth_type = scram-sha-256")
            auth_file = \(lab.path("users.txt"))
            pool_mode = session
            server_login_retry = 0

            """, to: "pgbouncer.ini")
        // Without a log file it writes to standard error.
        _ = try lab.start(
            ["pgbouncer", lab.path("pgbouncer.ini")], output: "pgbouncer.out", errors: "pgbouncer/pgbouncer.log")
        try Lab.until("PgBouncer listens: " + lab.read("pgbouncer/pgbouncer.log")) { Port.isOpen(port) }
    }
}
