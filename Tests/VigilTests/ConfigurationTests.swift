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

    @Test("two lists cannot share a file; several ACLs of HAProxy's can share its socket")
    func sharedFiles() throws {
        func lists(_ first: String, _ second: String) throws -> [String] {
            try load("blocklists: [\(first), \(second)]").blockLists.map(\.name)
        }
        #expect(throws: (any Error).self) {
            try lists("{format: plain, path: /a}", "{format: haproxy, path: /a}")
        }
        let socket = "format: haproxy_runtime, path: /run/s"
        #expect(throws: (any Error).self) { try lists("{\(socket)}", "{\(socket)}") }
        #expect(try lists("{\(socket)}", "{\(socket), acl: /b}") == ["/run/s", "/run/s /b"])
        let again = BlockListFile(format: .haproxyRuntime, name: "/run/s /b")
        #expect(again.path == "/run/s" && again.aclFile == "/b")
    }

    @Test("reads exceptions, and refuses those about rules that are not there")
    func exceptions() throws {
        let configuration = try load(
            """
            exceptions:
              - rule: [auth-spray, family:auth]
                user: backup_*
                cidr: [192.0.2.0/24, 2001:db8::/32]
                database: shop
                application: [pg_dump, pg_dumpall]
                schedule: {days: [sat-mon, wed], hours: '22:00-05:30', timezone: Europe/Berlin}
                until: 2026-04-01
                reason: the nightly backup
            """)
        let exception = try #require(configuration.exceptions.first)
        #expect(exception.rules == .some(ids: ["auth-spray"], families: ["auth"]))
        #expect(exception.users == ["backup_*"] && exception.applications == ["pg_dump", "pg_dumpall"])
        #expect(exception.networks.count == 2 && exception.reason == "the nightly backup")
        #expect(exception.schedule?.days == [5, 6, 0, 2] && exception.schedule?.to == 330)
        #expect(exception.until == LogTime(parsing: "2026-04-01") && !exception.restsOnText)
        _ = try configuration.catalogue()
        for rule in ["auth-spry", "family:atuh"] {
            let wrong = try load("exceptions: [{rule: '\(rule)', reason: x}]")
            #expect(throws: UnknownExceptionRule.self) { try wrong.catalogue() }
        }
    }

    @Test("keeps rows as long as it is told, and alerts never shorter than the events they rest on")
    func retention() throws {
        let day: Int64 = 86_400_000
        let usual = try load("").retention
        #expect(usual.events == 200 * day && usual.alerts == 400 * day && usual.size == 20_000_000_000)
        let told = try load("retention: {events: 30d, alerts: 90d, size: 1.5TB}").retention
        #expect(told.events == 30 * day && told.alerts == 90 * day && told.size == 1_500_000_000_000)
        #expect(try load("retention: {size: none}").retention.size == nil)
        #expect(try load("retention: {size: 2 GiB}").retention.size == 2 << 30)
        #expect(try load("retention: 7d").retention.events == 7 * day)
        #expect(try load("retention: {events: 500d}").retention.alerts == 500 * day)
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
            ("retention: {event: 3d}", "did you mean events?"),
            ("retention: {events: 12h}", "write a day or more"),
            ("retention: {events: 90d, alerts: 30d}", ":1:34: alerts would go before the events they rest on"),
            ("retention: {size: 20}", "write 500MB, 20GB, 1.5TB, or none"),
            ("retention: {size: -1GB}", "no size"),
            ("retention: {size: 1kB}", "too small"),
            ("bans: {mode: on}", "'on' is not one of observe, enforce"),
            ("allow: [10.0.0.5/24]", "write 10.0.0.0/24, or 10.0.0.5 alone"),
            ("allow: [example.org]", "no address or CIDR"),
            ("allow:\n  - {cird: 10.0.0.1}", ":2:6: unknown key 'cird'"),
            ("sources: [{path: /x, timezone: Mars/Olympus}]", "no such time zone"),
            ("sources: [{path: /x, format: cvslog}]", "csvlog"),
            ("bans: {ipv6_prefix: 8}", "48 to 128"),
            ("exceptions: [{rule: x}]", "the key 'reason' is missing"),
            ("exceptions: [{rule: x, reason: ' '}]", "a reason belongs here"),
            ("exceptions: [{reason: y}]", "the key 'rule' is missing"),
            ("exceptions: [{rule: ['*', x], reason: y}]", "'*' alone"),
            ("exceptions: [{rule: x, reason: y, cidr: home}]", "no address or CIDR"),
            ("exceptions: [{rule: x, reason: y, until: soon}]", "write 2026-04-01"),
            ("exceptions: [{rule: x, reason: y, usr: bob}]", "did you mean user?"),
            ("exceptions: [{rule: x, reason: y, schedule: {days: xmas}}]", "no day of the week"),
            ("exceptions: [{rule: x, reason: y, schedule: {hours: '9'}}]", "no hours"),
            ("exceptions: [{rule: x, reason: y, schedule: {hours: '25:00-26:00'}}]", "no hours"),
            ("exceptions: [{rule: x, reason: y, schedule: {timezone: Mars/Base}}]", "no such time zone"),
            ("store: [", ".yml:"), ("bans: yes", "keys and values belong here"),
        ])
    func refused(text: String, words: String) {
        do {
            _ = try load(text)
            Issue.record("taken: \(text)")
        } catch { #expect("\(error)".contains(words), "\(error)") }
    }
}
