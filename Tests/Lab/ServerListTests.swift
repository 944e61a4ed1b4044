import Foundation
import Testing

@Suite("Lab: lists in the hands of HAProxy, PostgreSQL and PgBouncer")
struct ServerListTests {
    private let lab: Lab
    private let bans: HandBans

    init() throws {
        lab = try Lab()
        bans = try HandBans(lab)
        try bans.ban("127.9.9.1")
        try bans.ban("127.9.10.0/24")
        try bans.ban("2001:db8:1:2::7")
    }

    @Test("HAProxy refuses who is in its file, and after a swap at run time who is then")
    func haproxy() throws {
        let acl = try bans.list("haproxy", as: "pgvigil.acl")
        let ports = Port.free(2)
        // The packaged rule, with the lab's file.
        let rule =
            try String(
                contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                    .appending(path: "../../packaging/haproxy/pgvigil.cfg").standardizedFileURL, encoding: .utf8
            ).split(separator: "\n").first { $0.contains("tcp-request connection reject") } ?? ""
        try lab.write(
            """
            global
                stats socket \(lab.path("haproxy.sock")) mode 600 level admin
            defaults
                timeout connect 10s
                timeout client 10s
                timeout server 10s
            listen service
                mode tcp
                bind 127.0.0.1:\(ports[0])
            \(rule.replacing("/etc/haproxy/pgvigil.acl", with: acl))
                server s 127.0.0.1:\(ports[1])
            listen server
                mode http
                bind 127.0.0.1:\(ports[1])
                http-request return status 200

            """, to: "haproxy.cfg")
        _ = try Lab.run(["haproxy", "-c", "-f", lab.path("haproxy.cfg")])
        _ = try lab.start(["haproxy", "-db", "-f", lab.path("haproxy.cfg")], output: "haproxy.out")
        try Lab.until("HAProxy listens: " + lab.read("haproxy.out.errors")) { Port.isOpen(ports[0]) }
        try bans.unban("127.9.9.1")
        try bans.ban("127.9.9.2")
        let commands = try bans.list("haproxy_runtime", "--acl", acl, as: "swap.txt")
        let again = try bans.list("haproxy_runtime", "--acl", acl, "--acl-version", "2", as: "again.txt")
        var steps = Steps()
        let from = ["127.9.9.1", "127.9.9.2", "127.9.10.9", "127.9.9.3"]
        for address in from { steps.add("talk", address, "\(ports[0])") }
        steps.add("socket", lab.path("haproxy.sock"), commands)
        for address in from { steps.add("talk", address, "\(ports[0])") }
        // Another version than HAProxy's next is refused, and changes nothing.
        steps.add("socket", lab.path("haproxy.sock"), commands)
        steps.add("socket", lab.path("haproxy.sock"), again)
        for address in from { steps.add("talk", address, "\(ports[0])") }
        let came = try steps.play(apart: false)
        #expect(Array(came[0..<4]) == ["closed", "answered", "closed", "answered"])
        #expect(came[4].contains("New version created: 1"), "\(came[4])")
        #expect(Array(came[5..<9]) == ["answered", "closed", "closed", "answered"])
        #expect(Array(came[11...]) == ["answered", "closed", "closed", "answered"])
    }

    @Test("PostgreSQL reads the lines without an error, and refuses who is banned")
    func postgres() throws {
        let server = try PostgresServer(lab, port: Port.free(1)[0])
        _ = try bans.list("pg_hba", as: "list.hba")
        let rules = lab.read("data/pg_hba.conf")
        try lab.write(lab.read("list.hba") + rules, to: "data/pg_hba.conf")
        func play(_ from: String) throws -> String? {
            try Client.play([.init(from, user: "app", port: server.port)]).first?.login
        }
        let reload = ["SELECT pg_reload_conf()", "SELECT pg_sleep(1)"]
        // A division by zero when there is an error, or fewer lines than there are bans.
        let check =
            "SELECT 1 / (count(*) FILTER (WHERE error IS NOT NULL) = 0 AND count(*) = 8)::int FROM pg_hba_file_rules"
        let answer = try Client.play([.init(user: "dba", port: server.port, queries: reload + [check])]).first
        #expect(answer?.results == ["00000", "00000", "00000"])
        #expect(try play("127.9.9.1") == "28000")
        #expect(try play("127.9.10.77") == "28000")
        #expect(try play("127.9.9.3") == "ok")
    }

    @Test("PgBouncer reads the lines, and refuses who is banned")
    func pgbouncer() throws {
        let server = try PostgresServer(lab, port: Port.free(1)[0])
        let port = Port.free(1)[0]
        _ = try bans.list("pgbouncer_hba", as: "list.hba")
        try lab.write(lab.read("list.hba") + "host all all 127.0.0.0/8 scram-sha-256\n", to: "pooler.hba")
        let pooler = try PgBouncer(
            lab, port: port, server: server.port, users: ["app": "app-secret"], rules: lab.path("pooler.hba"))
        func play(_ from: String) throws -> String? {
            try Client.play([.init(from, user: "app", port: pooler.port)]).first?.login
        }
        #expect(try play("127.9.9.3") == "ok", "\(lab.read("pgbouncer/pgbouncer.log"))")
        #expect(try play("127.9.9.1") != "ok")
        #expect(try play("127.9.10.77") != "ok")
        #expect(lab.read("pgbouncer/pgbouncer.log").contains("login rejected"))
        // Before 1.23 there is no replication through PgBouncer, and it passes over such lines.
        let log = lab.read("pgbouncer/pgbouncer.log")
        let complaints = log.split(separator: "\n").filter { $0.contains("could not parse") }
        #expect(
            complaints.count == log.split(separator: "\n").filter { $0.contains("replication is not supported") }.count)
    }
}
