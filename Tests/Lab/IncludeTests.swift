import Foundation
import Testing

@Suite("Lab: PostgreSQL 17 includes the list that watch keeps")
struct IncludeTests {
    private let lab: Lab

    init() throws { lab = try Lab() }

    @Test(
        "include_if_exists: no error with the file or without, who is banned is refused at once, who is freed gets in")
    func include() throws {
        let programs = try Beside.unpack("postgresql", for: lab) + "/usr/lib/postgresql/17/bin/"
        try lab.makeFolder("lists")
        // As packaged, with the lab's file.
        let line =
            try String(
                contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                    .appending(path: "../../packaging/postgresql/pg_hba.conf.snippet").standardizedFileURL,
                encoding: .utf8
            ).split(separator: "\n").last.map(String.init) ?? ""
        #expect(line == "include_if_exists /var/lib/pgvigil/pgvigil_hba.conf")
        let list = lab.path("lists/pgvigil_hba.conf")
        let port = Port.free(1)[0]
        let server = try PostgresServer(
            lab, port: port, programs: programs,
            rules: line.replacing("/var/lib/pgvigil/pgvigil_hba.conf", with: list) + "\nlocal all dba,pgvigil trust\n")
        func play(_ from: String) throws -> String? {
            try Client.play([.init(from, user: "app", port: server.port)]).first?.login
        }
        func count(_ lines: Int) throws -> [String]? {
            let check = """
                SELECT 1 / (count(*) FILTER (WHERE error IS NOT NULL) = 0
                    AND count(*) FILTER (WHERE file_name = '\(list)') = \(lines))::int FROM pg_hba_file_rules
                """
            return try Client.play([.init(user: "dba", port: server.port, queries: [check])]).first?.results
        }
        // The role of docs/blocklists.md: it may reload, and nothing else.
        let role = ["CREATE ROLE pgvigil LOGIN", "GRANT EXECUTE ON FUNCTION pg_reload_conf() TO pgvigil"]
        let made = try Client.play([.init(user: "dba", port: server.port, queries: role)]).first?.results
        #expect(made == ["00000", "00000"])
        // It started without the file.
        #expect(try count(0) == ["00000"] && play("127.9.9.1") == "ok")
        let vigil = try Vigil(lab)
        let psql = "[/usr/bin/psql, -h, \(lab.folder.path), -p, '\(port)', -U, pgvigil, -qAtc"
        try lab.write(
            """
            bans: {mode: enforce, loopback: true}
            topology: {detect: false}
            blocklists: [{format: pg_hba, path: \(list), reload: \(psql), SELECT pg_reload_conf(), postgres]}]

            """, to: "pgvigil.yml")
        let watch = try vigil.watch([lab.path("data/log")], store: "bans.db")
        defer { watch.stop() }
        try Lab.until("the list is there: " + lab.read("bans.db.talk")) {
            FileManager.default.fileExists(atPath: list)
        }
        for address in ["127.9.9.1", "127.9.10.0/24", "2001:db8:1:2::7"] {
            try vigil.run("ban", [address, "--reason", "a test"], store: "bans.db")
        }
        try Lab.until("refused: " + lab.read("bans.db.talk"), seconds: 20) { try play("127.9.10.77") == "28000" }
        try Lab.until("refused: " + lab.read("bans.db.talk"), seconds: 20) { try play("127.9.9.1") == "28000" }
        #expect(try play("127.9.9.3") == "ok")
        try Lab.until("six lines", seconds: 20) { try count(6) == ["00000"] }
        try vigil.run("unban", ["127.9.9.1", "--reason", "a test"], store: "bans.db")
        try Lab.until("free: " + lab.read("bans.db.talk"), seconds: 20) { try play("127.9.9.1") == "ok" }
        #expect(try play("127.9.10.77") == "28000" && count(4) == ["00000"])
        let status = try vigil.run("status", store: "bans.db")
        #expect(status.contains("(pg_hba): 2 bans, written") && status.contains("its reader told"), "\(status)")
    }
}
