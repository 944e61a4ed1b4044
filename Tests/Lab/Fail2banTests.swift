import Foundation
import Testing

@Suite("Lab: the list in the hands of fail2ban")
struct Fail2banTests {
    private let lab: Lab
    private let bans: HandBans
    private static let packaged = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../packaging/fail2ban").standardizedFileURL.path

    init() throws {
        lab = try Lab()
        bans = try HandBans(lab)
        try bans.ban("203.0.113.66", for: "4h")
        try bans.ban("198.51.100.7", for: "90s")
        try bans.ban("2001:db8:1:2::7")
        try bans.ban("192.0.2.0/24")
    }

    @Test(
        "fail2ban-regex knows every line: bans by the one filter, who is freed by the other",
        arguments: [("pgvigil", true), ("pgvigil-unban", false)])
    func lines(filter: String, isBan: Bool) throws {
        func matched() throws -> Int {
            let list = try bans.list("fail2ban", as: "list.log")
            let told = try Lab.run([
                "fail2ban-regex", list, Fail2banTests.packaged + "/filter.d/\(filter).conf",
            ])
            let line = told.split(separator: "\n").last { $0.hasPrefix("Lines:") } ?? ""
            let numbers = line.split { !$0.isNumber }.compactMap { Int($0) }
            #expect(numbers.count == 4 && numbers[2] + numbers[3] == 4, "\(told)")
            return numbers.count == 4 ? numbers[2] : -1
        }
        #expect(try matched() == (isBan ? 4 : 0))
        for address in ["203.0.113.66", "198.51.100.7", "2001:db8:1:2::7", "192.0.2.0/24"] { try bans.unban(address) }
        #expect(try matched() == (isBan ? 0 : 4))
    }

    /// fail2ban's own files, ours beside them, everything of it in the lab's folder.
    private func configure() throws -> String {
        _ = try Lab.run(["cp", "-r", "/etc/fail2ban", lab.path("fail2ban")])
        _ = try Lab.run(["sh", "-c", "rm -f \"$0\"/jail.d/*", lab.path("fail2ban")])
        _ = try Lab.run(["cp", "-r", Fail2banTests.packaged + "/.", lab.path("fail2ban")])
        try lab.write(
            """
            [Definition]
            logtarget = \(lab.path("fail2ban.log"))
            socket = \(lab.path("f2b.sock"))
            pidfile = \(lab.path("f2b.pid"))
            dbfile = None

            """, to: "fail2ban/fail2ban.local")
        try lab.write(
            """
            [DEFAULT]
            pgvigil_list = \(lab.path("list.log"))
            [pgvigil-unban]
            action = pgvigil-unban[name=%(__name__)s, client="fail2ban-client -s \(lab.path("f2b.sock"))"]

            """, to: "fail2ban/jail.d/zz-lab.local")
        return lab.path("fail2ban")
    }

    @Test("the packaged jail bans from the list, blocks too, and frees at once who is freed")
    func server() throws {
        let folder = try configure()
        _ = try bans.list("fail2ban", as: "list.log")
        try bans.unban("203.0.113.66")
        try bans.unban("2001:db8:1:2::7")
        let later = try bans.list("fail2ban", as: "later.log")
        let client = ["fail2ban-client", "-s", lab.path("f2b.sock")]
        func ask(_ text: String, _ words: [String]) -> [String] { ["until", text] + client + words }
        var steps = Steps()
        steps.add("stage", "fail2ban-server", "-c", folder, "-f", "start")
        steps.append(ask("Currently banned:\t4", ["status", "pgvigil"]))
        steps.append(["run", ""] + client + ["get", "pgvigil", "banip"])
        // It bans one after the other, in any order.
        for address in ["203.0.113.66", "192.0.2.0/24", "2001:db8:1:2::/64"] {
            steps.add("until", address, "nft", "list", "table", "inet", "f2b-table")
        }
        steps.add("run", "", "mv", later, lab.path("list.log"))
        steps.append(ask("Currently banned:\t2", ["status", "pgvigil"]))
        steps.append(["run", ""] + client + ["get", "pgvigil", "banip"])
        // It is ready for the next one.
        steps.append(ask("Currently banned:\t0", ["status", "pgvigil-unban"]))
        let came = try steps.play(apart: true)
        let words = { (text: String) in Set(text.split { $0 == " " || $0 == "\n" }.map(String.init)) }
        #expect(words(came[2]) == ["203.0.113.66", "198.51.100.7", "2001:db8:1:2::/64", "192.0.2.0/24"])
        #expect(words(came[8]) == ["198.51.100.7", "192.0.2.0/24"])
        let asked = [1, 3, 4, 5, 7, 9].map { came[$0] }
        #expect(asked.allSatisfy { $0 == "yes" }, "\(asked) \(lab.read("fail2ban.log"))")
    }

    @Test("a host and the networks around it are banned side by side, and each is freed alone")
    func nested() throws {
        let folder = try configure()
        try bans.ban("192.0.2.130", for: "2h")
        try bans.ban("192.0.2.128/26", for: "2h")
        try bans.ban("2001:db8:1::/48", for: "2h")
        let first = try bans.list("fail2ban", as: "list.log")
        #expect(first == lab.path("list.log"))
        // The network ends, the host in it and the longer one around stay.
        try lab.write(
            lab.read("list.log").split(separator: "\n").filter { $0.contains("192.0.2.128/26") }
                .map { $0.replacing(#/ Ban .*/#, with: " Unban 192.0.2.128 net=192.0.2.128/26") + "\n" }.joined(),
            to: "later.log")
        let client = ["fail2ban-client", "-s", lab.path("f2b.sock")]
        let table = ["nft", "list", "table", "inet", "f2b-table"]
        var steps = Steps()
        steps.add("stage", "fail2ban-server", "-c", folder, "-f", "start")
        steps.append(["until", "Currently banned:\t7"] + client + ["status", "pgvigil"])
        for text in [
            "192.0.2.130", "192.0.2.0/24", "192.0.2.128/26", "203.0.113.66", "2001:db8:1:2::/64", "2001:db8:1::/48",
        ] {
            steps.append(["until", text] + table)
        }
        steps.add("run", "", "sh", "-c", "cat \"$0\" >> \"$1\"", lab.path("later.log"), lab.path("list.log"))
        steps.append(["until", "Currently banned:\t6"] + client + ["status", "pgvigil"])
        steps.append(["run", ""] + table)
        // Stopping takes away its sets and rules, and nothing else.
        steps.append(["run", ""] + client + ["stop", "pgvigil"])
        steps.append(["run", ""] + table)
        let came = try steps.play(apart: true)
        #expect(came[1...7].allSatisfy { $0 == "yes" }, "\(came) \(lab.read("fail2ban.log"))")
        #expect(came[9] == "yes", "\(came[9]) \(lab.read("fail2ban.log"))")
        for text in ["192.0.2.130", "192.0.2.0/24", "2001:db8:1::/48"] { #expect(came[10].contains(text)) }
        #expect(!came[10].contains("192.0.2.128/26"))
        #expect(!came[12].contains("set addr"), "\(came[12])")
    }
}
