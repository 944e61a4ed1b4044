import Foundation
import Testing

@Suite("Lab: the list in the hands of CrowdSec")
struct CrowdSecTests {
    private let lab: Lab
    private let bans: HandBans
    private let port = Port.free(1)[0]
    private let programs: String

    init() throws {
        lab = try Lab()
        bans = try HandBans(lab)
        programs = try Beside.unpack("crowdsec", for: lab) + "/usr/bin/"
        try bans.ban("203.0.113.66", for: "4h")
        try bans.ban("192.0.2.0/24")
        try bans.ban("2001:db8:1:2::7")
        try start()
    }

    /// Its local API alone: no logs are read, and no other server is known.
    private func start() throws {
        for name in ["data", "hub", "conf", "notifications", "plugins"] { try lab.makeFolder("cs/" + name) }
        let folder = lab.path("cs")
        try lab.write("simulation: false\n", to: "cs/simulation.yaml")
        try lab.write("{}\n", to: "cs/hub/.index.json")
        try lab.write("", to: "cs/credentials.yaml")
        try lab.write(
            """
            name: default
            filters: [Alert.Remediation == true]
            decisions: [{type: ban, duration: 4h}]
            on_success: break

            """, to: "cs/profiles.yaml")
        try lab.write(
            """
            common: {daemonize: false, log_media: stdout, log_level: info, working_dir: .}
            config_paths: {config_dir: \(folder)/conf/, data_dir: \(folder)/data/, hub_dir: \(folder)/hub/,
              simulation_path: \(folder)/simulation.yaml, index_path: \(folder)/hub/.index.json,
              notification_dir: \(folder)/notifications/, plugin_dir: \(folder)/plugins/}
            db_config: {log_level: info, type: sqlite, db_path: \(folder)/data/crowdsec.db, use_wal: true}
            api:
              client: {credentials_path: \(folder)/credentials.yaml}
              server: {log_level: info, listen_uri: '127.0.0.1:\(port)', profiles_path: \(folder)/profiles.yaml,
                console_path: \(folder)/console.yaml, trusted_ips: [127.0.0.1]}
            prometheus: {enabled: false}

            """, to: "cs/config.yaml")
        _ = try cscli(
            "machines", "add", "lab", "--password", "lab", "--force", "-f", lab.path("cs/credentials.yaml"), "-u",
            "http://127.0.0.1:\(port)")
        if Lab.isRoot { _ = try Lab.run(["chown", "-R", "postgres:postgres", folder]) }
        _ = try lab.start(
            [programs + "crowdsec", "-c", lab.path("cs/config.yaml"), "-no-cs"], output: "crowdsec.out")
        try Lab.until("CrowdSec listens: " + lab.read("crowdsec.out") + lab.read("crowdsec.out.errors")) {
            Port.isOpen(port)
        }
    }

    private func cscli(_ words: String...) throws -> String {
        try Lab.run([programs + "cscli", "-c", lab.path("cs/config.yaml")] + words)
    }

    /// What a bouncer is told about an address: the values of decisions.
    private func decisions(_ address: String, key: String) throws -> [String] {
        let script = """
            import json, sys, urllib.request
            url = f"http://127.0.0.1:{sys.argv[1]}/v1/decisions?ip={sys.argv[3]}"
            request = urllib.request.Request(url, headers={"X-Api-Key": sys.argv[2]})
            for found in json.load(urllib.request.urlopen(request, timeout=30)) or []:
                print(found["type"], found["value"], found["scenario"])
            """
        return try Lab.run(["python3", "-c", script, "\(port)", key, address]).split(separator: "\n").map(String.init)
    }

    @Test("cscli imports every decision with its time; a bouncer is told of who is banned, and of nobody else")
    func decisions() throws {
        let list = try bans.list("crowdsec", as: "bans.json")
        _ = try cscli("decisions", "import", "-i", list)
        let rows = try cscli("decisions", "list", "-a", "-o", "raw").split(separator: "\n").dropFirst()
        let fields = rows.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        // CrowdSec 1.4 takes the scope of every line for Ip, and goes by the value all the same.
        func value(_ row: [String]) -> String { String(row[2].split(separator: ":", maxSplits: 1)[1]) }
        #expect(Set(fields.map(value)) == ["203.0.113.66", "192.0.2.0/24", "2001:db8:1:2::/64"], "\(rows)")
        #expect(fields.allSatisfy { $0[3] == "pgvigil/manual" && $0[4] == "ban" })
        let hours = fields.first { value($0) == "203.0.113.66" }?[8] ?? ""
        #expect(hours.hasPrefix("3h59m") || hours.hasPrefix("4h"), "\(hours)")
        let key = try cscli("bouncers", "add", "lab", "-o", "raw").trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(try decisions("203.0.113.66", key: key) == ["ban 203.0.113.66 pgvigil/manual"])
        #expect(try decisions("192.0.2.77", key: key) == ["ban 192.0.2.0/24 pgvigil/manual"])
        #expect(try decisions("2001:db8:1:2::99", key: key) == ["ban 2001:db8:1:2::/64 pgvigil/manual"])
        for free in ["203.0.113.67", "192.0.3.1", "2001:db8:1:3::1"] { #expect(try decisions(free, key: key) == []) }
        // As docs/blocklists.md says, of whom was freed CrowdSec must be told.
        try bans.unban("203.0.113.66")
        try bans.unban("192.0.2.0/24")
        _ = try cscli("decisions", "delete", "--ip", "203.0.113.66")
        _ = try cscli("decisions", "delete", "--value", "192.0.2.0/24")
        #expect(try decisions("203.0.113.66", key: key) == [] && decisions("192.0.2.77", key: key) == [])
        #expect(try !decisions("2001:db8:1:2::99", key: key).isEmpty)
    }

    @Test("an empty list is taken, and no list is not")
    func empty() throws {
        for address in ["203.0.113.66", "192.0.2.0/24", "2001:db8:1:2::7"] { try bans.unban(address) }
        let list = try bans.list("crowdsec", as: "none.json")
        _ = try cscli("decisions", "import", "-i", list)
        #expect(try !cscli("decisions", "list", "-a", "-o", "raw").contains("pgvigil"))
        try lab.write("203.0.113.66/32\n", to: "wrong.json")
        #expect(throws: Lab.Problem.self) { try cscli("decisions", "import", "-i", lab.path("wrong.json")) }
    }
}
