import Foundation
import Testing

@Suite("Lab: bans applied to the kernel and to HAProxy")
struct EnforceTests {
    private let lab: Lab

    init() throws { lab = try Lab() }

    private func configure(_ more: String = "") throws -> [String] {
        try lab.write("bans: {mode: enforce, loopback: true}\ntopology: {detect: false}\n\(more)", to: "pgvigil.yml")
        return ["--config", lab.path("pgvigil.yml"), "--store", lab.path("bans.db")]
    }

    @Test("enforce keeps the table as the store says, also when somebody flushes it, and verify shows what differs")
    func enforce() throws {
        let bans = try HandBans(lab)
        let common = try configure()
        try bans.ban("127.9.9.1")
        func pgvigil(_ words: String...) -> [String] { ["run", "", Vigil.binary.path] + words }
        let reason = ["--reason", "a test"] + common
        var steps = Steps()
        steps.add("listen", "5432")
        // The lab belongs to PostgreSQL's user, whom nobody trusts here.
        steps.append(pgvigil("enforce", "--once") + common)
        steps.append(["stage", Vigil.binary.path, "enforce", "--trust", "postgres"] + common)
        let verify = ["sh", "-c", "\"$0\" bans list --verify \"$@\"; echo code $?", Vigil.binary.path] + common
        steps.append(["until", "code 0"] + verify)
        steps.add("connect", "127.9.9.1", "5432")
        steps.append(pgvigil("ban", "127.9.10.0/24") + reason)
        steps.append(pgvigil("unban", "127.9.9.1") + reason)
        steps.append(["until", "code 0"] + verify)
        steps.add("connect", "127.9.9.1", "5432")
        steps.add("connect", "127.9.10.77", "5432")
        steps.add("run", "", "nft", "add", "element", "inet", "pgvigil", "block4", "{ 127.9.9.5 }")
        steps.add("run", "", "nft", "delete", "element", "inet", "pgvigil", "block4", "{ 127.9.10.0/24 }")
        steps.append(["run", ""] + verify)
        steps.add("run", "", "nft", "flush", "ruleset")
        steps.add("connect", "127.9.10.77", "5432")
        steps.append(["until", "code 0"] + verify)
        steps.add("connect", "127.9.10.77", "5432")
        // With observe what it left in the kernel goes, also while the program runs.
        let observe = "echo 'bans: {mode: observe, loopback: true}' > \"$0\""
        steps.add("run", "", "sh", "-c", observe, lab.path("pgvigil.yml"))
        let again = [Vigil.binary.path, "enforce", "--trust", "postgres"] + common
        steps.append(["run", "", "sh", "-c", "\"$0\" \"$@\" 2>&1; echo code $?"] + again)
        steps.add("connect", "127.9.10.77", "5432")
        steps.append(["run", "", "sh", "-c", "\"$0\" \"$@\" 2>&1; echo code $?"] + again)
        let came = try steps.play(apart: true)
        if Lab.isRoot { #expect(came[1].contains("belongs to postgres, who could have anybody banned"), "\(came[1])") }
        #expect(
            [3, 4, 7, 8, 9].map { came[$0] } == ["yes", "dropped", "yes", "open", "dropped"], "\(came)")
        #expect(came[12].contains("code 1"), "\(came[10...12])")
        let rows = came[12].split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(rows == ["list state cidr", "nft missing 127.9.10.0/24", "nft extra 127.9.9.5/32", "code 1"])
        #expect(Array(came[14...16]) == ["open", "yes", "dropped"], "\(came)")
        #expect(came[18].contains("the table was emptied") && came[18].hasSuffix("code 2\n"), "\(came[18])")
        #expect(came[19] == "open" && !came[20].contains("emptied") && came[20].hasSuffix("code 2\n"), "\(came[20])")
    }

    @Test("watch replaces what HAProxy has at run time, through its socket")
    func haproxy() throws {
        let ports = Port.free(2)
        try lab.write("", to: "pgvigil.acl")
        try lab.write(
            """
            global
                stats socket \(lab.path("haproxy.sock")) mode 666 level admin
            defaults
                timeout connect 10s
                timeout client 10s
                timeout server 10s
            listen service
                mode tcp
                bind 127.0.0.1:\(ports[0])
                tcp-request connection reject if { src -f \(lab.path("pgvigil.acl")) }
                server s 127.0.0.1:\(ports[1])
            listen server
                mode http
                bind 127.0.0.1:\(ports[1])
                http-request return status 200

            """, to: "haproxy.cfg")
        _ = try lab.start(["haproxy", "-db", "-f", lab.path("haproxy.cfg")], output: "haproxy.out")
        try Lab.until("HAProxy listens: " + lab.read("haproxy.out.errors")) { Port.isOpen(ports[0]) }
        let vigil = try Vigil(lab)
        _ = try configure(
            """
            blocklists:
              - {format: haproxy, path: \(lab.path("pgvigil.acl"))}
              - {format: haproxy_runtime, path: \(lab.path("haproxy.sock")), acl: \(lab.path("pgvigil.acl"))}

            """)
        try lab.makeFolder("live")
        let watch = try vigil.watch([lab.path("live")], store: "bans.db")
        defer { watch.stop() }
        func talk(_ address: String) throws -> String {
            var steps = Steps()
            steps.add("talk", address, "\(ports[0])")
            return try steps.play(apart: false).first ?? ""
        }
        #expect(try talk("127.9.9.1") == "answered")
        try vigil.run("ban", ["127.9.9.1", "--reason", "a test"], store: "bans.db")
        try Lab.until("refused: " + lab.read("bans.db.talk"), seconds: 20) { try talk("127.9.9.1") == "closed" }
        #expect(try talk("127.9.9.2") == "answered")
        try vigil.run("unban", ["127.9.9.1", "--reason", "a test"], store: "bans.db")
        try vigil.run("ban", ["127.9.9.2", "--reason", "a test"], store: "bans.db")
        try Lab.until("refused: " + lab.read("bans.db.talk"), seconds: 20) { try talk("127.9.9.2") == "closed" }
        #expect(try talk("127.9.9.1") == "answered")
        #expect(lab.read("pgvigil.acl") == "127.9.9.2/32\n")
        // Of a long list, too, it gets every line, though it answers each before it reads the next.
        let many = """
            WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < 30000)
            INSERT INTO bans (cidr, ip, start, "end", rule, reason, events, mode, by)
            SELECT printf('127.8.%d.%d/32', n / 256, n % 256), printf('127.8.%d.%d', n / 256, n % 256),
                (unixepoch() - 9) * 1000, (unixepoch() + 3600) * 1000, 'manual', 'x', 0, 'enforce', 'test' FROM x
            """
        _ = try Lab.run(["sqlite3", "-cmd", ".timeout 9000", lab.path("bans.db"), many])
        try Lab.until("a long list: " + lab.read("bans.db.talk"), seconds: 60) {
            try verify().contains("no difference")
        }
        #expect(try talk("127.8.1.1") == "closed" && talk("127.8.200.1") == "answered")
        // What somebody else tells HAProxy shows, and is mended while a watch runs.
        func verify() throws -> String {
            let command = "\"$0\" bans list --verify \"$@\" 2>&1; echo code $?"
            let text = try Lab.run(
                [
                    "sh", "-c", command, Vigil.binary.path, "--config", lab.path("pgvigil.yml"), "--store",
                    lab.path("bans.db"),
                ])
            return text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
                .joined(separator: "\n")
        }
        let none = try verify()
        #expect(none.contains("no difference") && none.contains("haproxy.sock"), "\(none)")
        watch.stop()
        let acl = lab.path("pgvigil.acl")
        try lab.write("add acl \(acl) 127.9.9.77\n", to: "add.txt")
        try lab.write("del acl \(acl) 127.9.9.2/32\n", to: "delete.txt")
        var steps = Steps()
        steps.add("socket", lab.path("haproxy.sock"), lab.path("add.txt"))
        steps.add("socket", lab.path("haproxy.sock"), lab.path("delete.txt"))
        _ = try steps.play(apart: false)
        let drift = try verify()
        #expect(drift.contains("haproxy.sock missing 127.9.9.2/32"), "\(drift)")
        #expect(drift.contains("haproxy.sock extra 127.9.9.77/32") && drift.hasSuffix("code 1"), "\(drift)")
        let next = try vigil.watch([lab.path("live")], store: "bans.db")
        defer { next.stop() }
        try Lab.until("mended: " + lab.read("bans.db.talk"), seconds: 20) { try verify().contains("no difference") }
        // Also while it runs and bans stay the same.
        _ = try steps.play(apart: false)
        try Lab.until("mended again: " + lab.read("bans.db.talk"), seconds: 20) {
            try verify().contains("no difference")
        }
    }
}
