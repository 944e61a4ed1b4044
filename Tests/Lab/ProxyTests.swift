import Foundation
import Testing

@Suite("Lab: servers behind HAProxy and PgBouncer")
struct ProxyTests {
    private let lab: Lab
    private let vigil: Vigil
    private let server: PostgresServer
    private let pooler: PgBouncer
    private let proxy: Haproxy

    init() throws {
        lab = try Lab()
        vigil = try Vigil(lab)
        let ports = Port.free(6)
        server = try PostgresServer(lab, port: ports[0])
        pooler = try PgBouncer(
            lab, port: ports[1], server: ports[0], users: ["app": "app-secret", "stale": "old-secret"])
        proxy = try Haproxy(lab, ports: Array(ports[2...4]), postgres: ports[0], pooler: ports[1], nobody: ports[5])
    }

    private static let postgresGuesser = "127.9.8.20"
    private static let poolerGuesser = "127.9.8.21"
    private static let sprayer = "127.9.8.22"
    private static let stale = "127.9.8.23"
    private static let person = "127.9.8.24"

    private var sessions: [Client.Session] {
        func guesses(_ from: String, _ port: Int) -> [Client.Session] {
            (0..<22).map { .init(from, user: "app", password: "Wrong-\($0)", port: port) }
        }
        return [.init(user: "dba", port: server.port, queries: ["CREATE ROLE stale LOGIN PASSWORD 'stale-secret'"])]
            + guesses(ProxyTests.postgresGuesser, proxy.postgres)
            + guesses(ProxyTests.poolerGuesser, proxy.pooler)
            + (0..<11).map { .init(ProxyTests.sprayer, user: "nobody\($0)", port: proxy.pooler) }
            + Traffic.forgeries.flatMap { name -> [Client.Session] in
                [
                    .init(Traffic.forgers, user: name, port: proxy.pooler),
                    .init(Traffic.forgers, user: "app", password: "Wrong-1", database: name, port: proxy.pooler),
                    .init(Traffic.forgers, user: "app", password: "Wrong-1", application: name, port: proxy.pooler),
                ]
            }
            // PgBouncer takes a password that PostgreSQL no longer knows.
            + (0..<25).map { _ in .init(ProxyTests.stale, user: "stale", password: "old-secret", port: proxy.pooler) }
            + [
                .init(ProxyTests.person, user: "app", password: "Wrong-typo", port: proxy.postgres),
                .init(ProxyTests.person, user: "app", port: proxy.postgres, queries: ["CREATE TABLE t1 (i int)"]),
                .init("127.9.8.25", user: "app", port: proxy.pooler, queries: ["SELECT 1"]),
                .init("127.9.8.26", user: "app", port: proxy.dead),
                .init("127.9.8.27", user: "app", password: "Wrong-direct", port: pooler.port),
                .init("127.9.8.28", user: "app", password: "Wrong-direct", port: server.port),
            ]
    }

    @Test("the client behind the proxies is who an event is of, and who is banned, live as afterwards")
    func clients() throws {
        let logs = [server.logs, pooler.log, proxy.log]
        let watch = try Watch(vigil, logs, store: "live.db")
        let answers = try Client.play(sessions)
        #expect(answers.filter { $0.login == "ok" }.count == 3)
        lab.stop()
        try vigil.run("replay", logs, store: "all.db")
        try checkEvents(try vigil.rows("events", "all.db"))
        try checkBans("all.db")
        try watch.stop(when: "all.db")
        try checkBans("live.db")
        try checkSyslog()
        try checkSetup(logs)
        try checkExplanation()
    }

    private func checkEvents(_ rows: [Row]) throws {
        let failures = rows.filter { $0["event.action"] == "auth.failure" }
        let keys = { (row: Row) in row.values("event.dataset", "source.address", "source.nat.ip") }
        #expect(
            counts(failures.map(keys)) == [
                "postgresql.log|127.9.8.20|127.8.8.8": 22, "pgbouncer.log|127.9.8.21|127.8.8.8": 22,
                "pgbouncer.log|127.9.8.22|127.8.8.8": 11, "pgbouncer.log|127.9.8.4|127.8.8.8": 30,
                "postgresql.log|127.9.8.23|127.0.0.1": 25,
                "postgresql.log|127.9.8.24|127.8.8.8": 1, "pgbouncer.log|127.9.8.27|": 1,
                "postgresql.log|127.9.8.28|": 1,
            ])
        for row in failures {
            let isGuessed = row["source.address"] == ProxyTests.stale
            #expect(row["tags"].contains("proxy.candidate") == isGuessed, "\(row.text)")
        }
        let successes = rows.filter { $0["event.action"] == "auth.success" && $0["user.name"] == "app" }
        #expect(counts(successes.map { $0["source.address"] }) == [ProxyTests.person: 1, "127.9.8.25": 1])
        #expect(rows.filter { $0["event.action"] == "ddl" }.map { $0["source.address"] } == [ProxyTests.person])
        let probes = rows.filter { $0["event.action"] == "probe.connect" }
        #expect(probes.map { $0.values("event.reason", "source.address") } == ["server_refused|127.9.8.26"])
    }

    private func checkBans(_ store: String) throws {
        let banned = try vigil.run("blocklist", ["--format", "plain"], store: store)
        #expect(banned == "127.9.8.4/32\n127.9.8.20/32\n127.9.8.21/32\n127.9.8.22/32\n", "\(store)")
        // The roles of the lab are made from 127.0.0.1, and that is told, too.
        for alert in try vigil.rows("alerts", store) where alert["rule.family"] == "auth" {
            #expect(!["127.0.0.1", Haproxy.address, ProxyTests.stale].contains(alert["source.ip"]), "\(alert.text)")
        }
    }

    /// The same lines with a header of syslog.
    private func checkSyslog() throws {
        try vigil.run("replay", [server.logs, pooler.log, proxy.syslog], store: "syslog.db")
        let shown = { (row: Row) in row.values("event.action", "source.address", "source.nat.ip", "user.name") }
        let wanted = counts(try vigil.rows("events", "all.db").map(shown))
        #expect(counts(try vigil.rows("events", "syslog.db").map(shown)) == wanted)
        try checkBans("syslog.db")
    }

    private func checkSetup(_ logs: [String]) throws {
        let whole = try vigil.run("check", logs, store: "all.db")
        #expect(!whole.contains("fail ") && !whole.contains("proxy:"), "\(whole)")
        try vigil.run("replay", [server.logs, pooler.log], store: "some.db")
        let some = try vigil.run("check", Array(logs.prefix(2)), store: "some.db")
        // All but two.
        #expect(some.contains("98 % of the failed logins come from 127.8.8.8, which looks like a proxy"), "\(some)")
    }

    private func checkExplanation() throws {
        let line = lab.read("haproxy/haproxy.log").split(separator: "\n").first {
            $0.contains(" pg-primary/pg-primary-1 ")
        }
        let talk = try vigil.run("explain", input: Data("\(try #require(line))\n".utf8))
        #expect(
            talk.contains("format: haproxy") && talk.contains("connection_from") && !talk.contains("unread"), "\(talk)")
        let failure = lab.read("pgbouncer/pgbouncer.log").split(separator: "\n").filter { $0.contains("no such user") }
        let said = try vigil.run("explain", input: Data((failure.joined(separator: "\n") + "\n").utf8))
        #expect(said.contains("event: auth.failure (unknown_role)"), "\(said)")
    }
}
