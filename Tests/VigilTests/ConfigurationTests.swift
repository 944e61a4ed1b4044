import Foundation
import Testing
import VigilModel

@testable import Vigil

@Suite("Configuration")
struct ConfigurationTests {
    private func load(_ text: String) throws -> Configuration {
        let path = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString).yml").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return try Configuration.load(path)
    }

    @Test("reads what an operator decides")
    func decisions() throws {
        let configuration = try load(
            """
            store: /var/lib/pgvigil/a.db
            allow:
              - 192.0.2.7
              - {cidr: 2001:db8::/32, reason: office}
            bans: {mode: enforce, loopback: true, ceiling: 3d}
            sources:
              - {path: /pg/log/postgres, cluster: pg-test, instance: pg-test-1, timezone: Europe/Berlin}
            rules: {auth-spray: {enabled: false}}
            """)
        #expect(configuration.store == "/var/lib/pgvigil/a.db")
        #expect(configuration.bans.mode == .enforce && configuration.bans.loopback && !configuration.bans.private)
        #expect(configuration.bans.ceiling == 3 * 86_400_000)
        #expect(configuration.bans.allow.map(\.cidr.description) == ["192.0.2.7/32", "2001:db8::/32"])
        #expect(configuration.source(for: "/pg/log/postgres/postgresql-Mon.csv")?.cluster == "pg-test")
        #expect(configuration.source(for: "/elsewhere/postgresql-Mon.csv") == nil)
        #expect(try configuration.catalogue().rules.first { $0.about.id == "auth-spray" }?.enabled == false)
    }

    @Test("observes, and bans no loopback and no private address, when nothing is decided")
    func defaults() throws {
        let configuration = try load("")
        #expect(configuration.bans.mode == .observe && !configuration.bans.loopback && !configuration.bans.private)
    }

    @Test(
        "refuses what it does not understand, with the place and what to do",
        arguments: [
            ("bans: {mdoe: enforce}", ":1:8: unknown key 'mdoe'"),
            ("bans: {mode: on}", "'on' is not one of observe, enforce"),
            ("allow: [10.0.0.5/24]", "write 10.0.0.0/24, or 10.0.0.5 alone"),
            ("allow: [example.org]", "no address or CIDR"),
            ("allow:\n  - {cird: 10.0.0.1}", ":2:6: unknown key 'cird'"),
            ("sources: [{path: /x, timezone: Mars/Olympus}]", "no such time zone"),
            ("sources: [{path: /x, format: cvslog}]", "csvlog"),
            ("bans: {ipv6_prefix: 8}", "48 to 128"),
            ("store: [", ".yml:"), ("bans: yes", "keys and values belong here"),
        ])
    func refused(text: String, words: String) {
        do {
            _ = try load(text)
            Issue.record("taken: \(text)")
        } catch { #expect("\(error)".contains(words), "\(error)") }
    }
}
