import Foundation

/// A PostgreSQL of its own, 15 unless another is given, with a superuser `dba` and a user `app`, whose passwords are their names and `-secret`.
struct PostgresServer {
    static let programs = "/usr/lib/postgresql/15/bin/"
    let port: Int
    /// Its folder of logs: postgresql.csv, .json and .log.
    let logs: String

    /// `programs` is the folder of another version's programs, which has no pgaudit; `rules` come before its other ones.
    init(_ lab: Lab, port: Int, programs: String? = nil, rules: String = "") throws {
        let folder = programs ?? PostgresServer.programs
        self.port = port
        logs = lab.path("data/log")
        try lab.write("dba-secret\n", to: "password")
        _ = try Lab.run(
            Lab.asServer(
                [
                    folder + "initdb", "-D", lab.path("data"), "-U", "dba", "--no-sync", "-A",
                    "scram-sha-256", "--pwfile", lab.path("password"), "-E", "UTF8", "--no-locale",
                ]), in: lab.folder)
        let hba =
            rules + """
                host all refused 127.0.0.0/8 reject
                host all all 127.0.0.0/8 scram-sha-256

                """
        try lab.write(hba, to: "data/pg_hba.conf")
        var settings: [String: String] = [
            "port": "\(port)", "listen_addresses": "127.0.0.1",
            "unix_socket_directories": rules.isEmpty ? "" : lab.folder.path, "fsync": "off",
            "shared_buffers": "16MB", "max_connections": "20", "logging_collector": "on",
            "log_destination": "csvlog,jsonlog,stderr", "log_filename": "postgresql.log", "log_connections": "on",
            "log_disconnections": "on", "log_statement": "ddl", "log_line_prefix": "%m [%p] %q%u@%d %h ",
            "log_timezone": Child.zone, "shared_preload_libraries": "pgaudit", "pgaudit.log": "ddl,role,write,misc",
        ]
        if programs != nil {
            settings["shared_preload_libraries"] = ""
            settings["pgaudit.log"] = nil
        }
        for (name, value) in PostgresServer.quiet { settings[name] = value }
        let options = settings.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
        // SIGINT is a fast shutdown.
        _ = try lab.start(
            [folder + "postgres", "-D", lab.path("data")] + options, signal: "INT",
            output: "postgres.out")
        try Lab.until("PostgreSQL is ready: " + lab.read("postgres.out.errors")) {
            lab.read("data/log/postgresql.csv").contains("database system is ready to accept connections")
        }
        let setUp = Client.Session(user: "dba", port: port, queries: ["CREATE ROLE app LOGIN PASSWORD 'app-secret'"])
        guard try Client.play([setUp]).first?.results == ["00000"] else {
            throw Lab.Problem(description: "no role: " + lab.read("data/log/postgresql.log").suffix(2000))
        }
    }

    /// Keeps the server's own work out of the logs.
    private static let quiet = ["log_checkpoints": "off", "autovacuum": "off"]
}
