import Foundation
import Testing

@Suite("Lab: what is packaged for systemd")
struct PackagingTests {
    private let lab: Lab
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..")
        .standardizedFileURL
    private static let names = [
        "pgvigil.service", "pgvigil-enforce.service", "pgvigil-refresh.service", "pgvigil-refresh.timer",
    ]

    init() throws {
        lab = try Lab()
        // The program and its user are not installed here.
        for name in PackagingTests.names {
            let text = try PackagingTests.text("packaging/" + name)
            try lab.write(
                text.replacing("ExecStart=/usr/bin/pgvigil", with: "ExecStart=" + Vigil.binary.path)
                    .replacing("User=pgvigil", with: "User=postgres"), to: name)
        }
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    @Test("systemd finds nothing wrong with a unit", arguments: names)
    func verify(name: String) throws {
        let told = try Lab.run(
            [
                "sh", "-c", "cd \"$0\" && SYSTEMD_LOG_TARGET=console systemd-analyze verify \"./$1\" 2>&1",
                lab.folder.path, name,
            ])
        // Of units of the machine it complains as well.
        #expect(!told.contains("pgvigil"), "\(told)")
    }

    @Test(
        "what a unit may do is little, as systemd counts it", arguments: names.filter { $0.hasSuffix(".service") })
    func security(name: String) throws {
        let told = try Lab.run([
            "systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=25", lab.path(name),
        ])
        #expect(told.contains("Overall exposure level"), "\(told)")
    }

    @Test("every command of a unit is one that the program knows")
    func commands() throws {
        var seen = 0
        for name in PackagingTests.names {
            for line in try PackagingTests.text("packaging/" + name).split(separator: "\n") {
                guard let words = line.split(separator: "=", maxSplits: 1).last?.split(separator: " ").map(String.init),
                    line.hasPrefix("Exec"), words[0] == "/usr/bin/pgvigil"
                else { continue }
                seen += 1
                let help = try Lab.run([Vigil.binary.path] + words.dropFirst() + ["--help"])
                #expect(help.contains("USAGE: pgvigil " + words.dropFirst().joined(separator: " ")), "\(help)")
            }
        }
        #expect(seen == 3)
    }

    /// `ProtectSystem=strict` leaves nothing else to write to.
    @Test("what documentation lets watch write lies where its unit lets it write, or is a socket")
    func paths() throws {
        let unit = try PackagingTests.text("packaging/pgvigil.service")
        #expect(unit.contains("ProtectSystem=strict") && unit.contains("StateDirectory=pgvigil\n"))
        let texts = try [
            "README.md", "docs/blocklists.md", "docs/configuration.md", "docs/proxy.md", "packaging/pigsty/pigsty.yml",
            "packaging/postgresql/pg_hba.conf.snippet", "packaging/haproxy/pgvigil.cfg",
            "packaging/fail2ban/jail.d/pgvigil.local",
        ].map(PackagingTests.text)
        var seen = 0
        for match in texts.joined(separator: "\n").matches(of: #/format: [a-z_0-9]+, path: ([^,}\s]+)/#) {
            seen += 1
            #expect(match.1.hasPrefix("/var/lib/pgvigil/") || match.1.hasSuffix(".sock"), "\(match.1)")
        }
        #expect(seen >= 6)
        #expect(texts.joined().contains("pgvigil_list = /var/lib/pgvigil/fail2ban.log"))
    }
}
