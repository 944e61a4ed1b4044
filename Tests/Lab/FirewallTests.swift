import Foundation
import Testing

@Suite("Lab: lists in the hands of firewalls")
struct FirewallTests {
    private let lab: Lab
    private let bans: HandBans

    init() throws {
        lab = try Lab()
        bans = try HandBans(lab)
    }

    @Test("nftables drops who is banned, for as long as that holds, and nobody else")
    func nftables() throws {
        try bans.ban("127.9.9.2")
        try bans.ban("127.9.10.0/24")
        try bans.ban("127.9.10.7", for: "2h")
        try bans.ban("2001:db8::1")
        try bans.ban("127.9.9.1", for: "4s")
        let list = try bans.list("nft", as: "list.nft")
        // What is packaged for /etc/nftables.d: nobody is banned.
        let empty = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../packaging/nftables/pgvigil.nft").standardizedFileURL.path
        var steps = Steps()
        steps.add("listen", "5432")
        steps.add("listen", "5500")
        steps.add("hold", "127.9.9.2", "5432")
        steps.add("run", "", "nft", "-c", "-f", list)
        steps.add("run", "", "nft", "-f", list)
        for address in ["127.9.9.1", "127.9.9.2", "127.9.10.7", "127.9.10.200", "127.9.9.3"] {
            steps.add("connect", address, "5432")
        }
        steps.add("again")
        steps.add("connect", "127.9.9.2", "5500")
        steps.add("wait", "4")
        steps.add("connect", "127.9.9.1", "5432")
        // Again is no error, and changes nothing.
        steps.add("run", "", "nft", "-f", list)
        steps.add("connect", "127.9.9.2", "5432")
        steps.add("run", "", "nft", "-f", empty)
        steps.add("connect", "127.9.9.2", "5432")
        #expect(
            try steps.play(apart: true) == [
                "yes", "yes", "answered", "", "", "dropped", "dropped", "dropped", "dropped", "open", "answered",
                "open",
                "", "open", "", "dropped", "", "open",
            ])
    }

    @Test("with bans.established open sessions are cut, too")
    func established() throws {
        try bans.ban("127.9.9.2")
        try lab.write(
            "bans: {loopback: true, established: true, ports: [5500]}\ntopology: {detect: false}\n", to: "pgvigil.yml")
        let list = try bans.list("nft", as: "list.nft")
        var steps = Steps()
        steps.add("listen", "5432")
        steps.add("listen", "5500")
        steps.add("hold", "127.9.9.2", "5500")
        steps.add("run", "", "nft", "-f", list)
        steps.add("again")
        steps.add("connect", "127.9.9.2", "5432")
        #expect(try steps.play(apart: true) == ["yes", "yes", "answered", "", "closed", "open"])
    }

    @Test("ipset swaps sets under a rule that names them")
    func ipset() throws {
        try bans.ban("127.9.9.1")
        try bans.ban("2001:db8::1")
        let first = try bans.list("ipset", as: "first.ipset")
        try bans.unban("127.9.9.1")
        try bans.ban("127.9.9.2", for: "3s")
        try bans.ban("127.9.10.0/24")
        let second = try bans.list("ipset", as: "second.ipset")
        var steps = Steps()
        steps.add("listen", "5432")
        steps.add("run", first, "ipset", "restore")
        steps.add("run", "", "iptables", "-A", "INPUT", "-m", "set", "--match-set", "pgvigil4", "src", "-j", "DROP")
        steps.add("connect", "127.9.9.1", "5432")
        steps.add("connect", "127.9.9.2", "5432")
        steps.add("run", second, "ipset", "restore")
        for address in ["127.9.9.1", "127.9.9.2", "127.9.10.9"] { steps.add("connect", address, "5432") }
        steps.add("run", "", "ipset", "list", "-name")
        steps.add("wait", "3")
        steps.add("connect", "127.9.9.2", "5432")
        #expect(
            try steps.play(apart: true) == [
                "yes", "", "", "dropped", "open", "", "open", "dropped", "dropped", "pgvigil4\npgvigil6\n", "", "open",
            ])
    }

    @Test("ipset and nftables take more bans than their sets usually hold")
    func many() throws {
        try bans.ban("127.9.9.1")
        let more = """
            WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < 70000)
            INSERT INTO bans (cidr, ip, start, "end", rule, reason, events, mode, by)
            SELECT printf('126.%d.%d.%d/32', n / 65536, n / 256 % 256, n % 256), '126.1.1.1',
                (unixepoch() - 9) * 1000, (unixepoch() + 3600) * 1000, 'manual', 'x', 0, 'enforce', 'test' FROM x
            """
        _ = try Lab.run(["sqlite3", lab.path("bans.db"), more])
        let (sets, table) = (try bans.list("ipset", as: "many.ipset"), try bans.list("nft", as: "many.nft"))
        var steps = Steps()
        steps.add("listen", "5432")
        steps.add("run", sets, "ipset", "restore")
        steps.add("run", "", "sh", "-c", "ipset list pgvigil4 | wc -l")
        steps.add("run", "", "nft", "-f", table)
        steps.add("connect", "127.9.9.1", "5432")
        let came = try steps.play(apart: true)
        #expect(came[1] == "" && came[3] == "" && came[4] == "dropped", "\(came)")
        #expect((Int(came[2].filter(\.isNumber)) ?? 0) > 70_000)
    }

    @Test("firewalld's own checker takes the sets, and no others", arguments: ["firewalld4", "firewalld6"])
    func firewalld(format: String) throws {
        try bans.ban("203.0.113.66")
        try bans.ban("198.51.100.0/24")
        try bans.ban("2001:db8:1:2::7")
        let set = format == "firewalld4" ? "pgvigil4" : "pgvigil6"
        for name in ["", "/ipsets", "/zones", "/services", "/icmptypes", "/helpers", "/policies"] {
            try lab.makeFolder("firewalld" + name)
        }
        _ = try Lab.run(["cp", "/etc/firewalld/firewalld.conf", lab.path("firewalld")])
        _ = try bans.list(format, as: "firewalld/ipsets/\(set).xml")
        func ask(_ words: String...) throws -> String {
            try Lab.run(
                Steps.apart + ["firewall-offline-cmd", "--system-config", lab.path("firewalld")] + words)
        }
        _ = try ask("--check-config")
        let entries = try ask("--ipset=\(set)", "--get-entries").split(separator: "\n").map(String.init)
        #expect(
            Set(entries)
                == (format == "firewalld4" ? ["203.0.113.66/32", "198.51.100.0/24"] : ["2001:db8:1:2::/64"]))
        try lab.write(
            lab.read("firewalld/ipsets/\(set).xml").replacing("/ipset", with: "/ipsets"),
            to: "firewalld/ipsets/\(set).xml")
        #expect(throws: Lab.Problem.self) { try ask("--check-config") }
    }

    @Test("ufw takes every command, and would deny before all else")
    func ufw() throws {
        try bans.ban("203.0.113.66")
        try bans.ban("198.51.100.0/24")
        try bans.ban("2001:db8:1:2::7")
        let commands = try bans.list("ufw", as: "list.ufw")
        let lines = lab.read("list.ufw").split(separator: "\n")
        #expect(lines.count == 3 && commands.hasSuffix("list.ufw"))
        for (line, source) in zip(lines, ["198.51.100.0/24", "203.0.113.66", "2001:db8:1:2::/64"]) {
            // As a shell would part it, but for running it.
            let words = line.split(separator: " ").map { $0.filter { $0 != "'" } }
            let told = try Lab.run(Steps.apart + ["ufw", "--dry-run"] + words.dropFirst())
            #expect(told.contains("--dports 5432,5433:5438,6432 -s \(source) -j DROP"), "\(told)")
        }
    }
}
