import EventStore
import Foundation
import Testing

@testable import Vigil

@Suite("What rules need")
struct RuleCoverageTests {
    /// Files below a folder that stands for the root.
    private final class Node {
        let root: String
        init(_ files: [String: String]) throws {
            root = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)").path
            for (name, text) in files {
                let url = URL(fileURLWithPath: root + name)
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: url)
            }
        }
        deinit { try? FileManager.default.removeItem(atPath: root) }
        var servers: [ServerSettings] { SettingsFinder(root: root).found }
    }

    private func server(_ text: String, version: Int? = 17) throws -> ServerSettings {
        let node = try Node([
            "/etc/postgresql/\(version ?? 0)/main/postgresql.conf": text + "\ndata_directory = '/data'\n"
        ])
        return try #require(node.servers.first)
    }

    @Test(
        "a line of postgresql.conf is read as the server reads it",
        arguments: [
            ("log_statement = 'ddl'", "ddl"), ("log_statement ddl # all", "ddl"), ("Log_Statement='it''s'", "it's"),
            ("  log_statement\t=\tmod", "mod"), (#"log_statement = 'a\'b' "#, "a'b"), ("#log_statement = 'ddl'", nil),
            ("", nil), ("log_statement =", nil), ("log_statement = '' # x", ""),
        ] as [(String, String?)])
    func lines(line: String, value: String?) {
        let found = ConfigFile.setting(line[...])
        #expect(found?.value == value)
        #expect(found == nil || found?.name == "log_statement")
    }

    @Test(
        "settings decide what is logged",
        arguments: [
            ("log_connections", "", 17, false), ("log_connections", "log_connections = on", 17, true),
            ("log_connections", "log_connections = 'receipt'", 18, false),
            ("log_connections", "log_connections = 'receipt,authorization'", 18, true),
            ("log_authentication", "log_connections = 'authorization'", 18, false),
            ("log_authentication", "log_connections = all", 18, true),
            ("log_authentication", "log_connections = on", 13, false),
            ("log_authentication", "log_connections = on", 14, true),
            ("receipt", "log_connections = 'receipt'", 18, true), ("log_connections:receipt", "", 18, false),
            ("log_disconnections", "log_disconnections = yes", 17, true),
            ("log_replication_commands", "log_replication_commands = on", 15, true),
            ("log_replication_commands", "", 15, false),
            ("log_statement=ddl", "log_statement = mod", 17, true),
            ("log_statement=all", "log_statement = mod", 17, false), ("log_statement=ddl", "", 17, false),
            ("pgaudit=ddl", "pgaudit.log = 'ddl'", 17, false),
            (
                "pgaudit=ddl", "shared_preload_libraries = 'pg_stat_statements, pgaudit'\npgaudit.log = 'DDL, role'",
                17, true
            ),
            ("pgaudit=read", "shared_preload_libraries = pgaudit\npgaudit.log = 'all, -read'", 17, false),
            ("pgaudit:write", "shared_preload_libraries = '$libdir/pgaudit'\npgaudit.log = all", 17, true),
            ("statements", "log_min_duration_statement = 0", 17, true),
            ("statements", "log_min_duration_statement = -1", 17, false),
            ("log_min_duration_statement", "log_min_duration_statement = '1s'", 17, true),
        ])
    func settings(need: String, text: String, version: Int, isMet: Bool) throws {
        let state = LoggingFacts(servers: [try server(text, version: version)]).state(LoggingNeed(need))
        #expect(state.isMet == isMet && state.isUnmet == !isMet, "\(state)")
    }

    @Test("what is included, set by ALTER SYSTEM, and written for Patroni is read; the last one wins")
    func files() throws {
        let node = try Node([
            "/etc/postgresql/17/main/postgresql.conf":
                "log_connections = on\ndata_directory = '/var/lib/pg'\ninclude_dir = 'conf.d'\ninclude_if_exists 'none.conf'",
            "/etc/postgresql/17/main/conf.d/a.conf": "log_statement = ddl",
            "/etc/postgresql/17/main/conf.d/b.conf": "log_statement = mod",
            "/etc/postgresql/17/main/conf.d/c.txt": "log_statement = all",
            "/var/lib/pg/postgresql.auto.conf": "log_connections = 'off'", "/var/lib/pg/PG_VERSION": "16\n",
            "/etc/patroni/patroni.yml": """
            scope: pg-test
            bootstrap: {dcs: {postgresql: {parameters: {log_statement: ddl, log_connections: 'on'}}}}
            postgresql:
              data_dir: /pg/data
              parameters: {log_statement: all}
            """,
        ])
        let servers = node.servers
        #expect(servers.count == 2)
        let patroni = try #require(servers.first)
        #expect(patroni["log_statement"]?.value == "all" && patroni["log_connections"]?.value == "on")
        #expect(patroni["log_connections"]?.place == "/etc/patroni/patroni.yml:2")
        let debian = try #require(servers.last)
        #expect(debian["log_statement"]?.value == "mod" && debian.version == 16)
        #expect(debian["log_connections"]?.place == "/var/lib/pg/postgresql.auto.conf:1")
        #expect(debian.isOf([node.root + "/var/log/postgresql"]) && !debian.isOf(["/elsewhere"]))
    }

    @Test("rules are told apart: those that cannot fire, those of which nobody knows, those that can")
    func rules() throws {
        let rules: [(id: String, needs: [String])] = [
            ("a", ["log_connections"]), ("b", ["log_statement=ddl|pgaudit=ddl"]), ("c", []),
            ("d", ["log_statement=all|pgaudit=read"]), ("e", ["patroni"]), ("f", ["log_connections", "patroni"]),
            ("g", ["log_connections|patroni"]), ("h", ["something.new"]),
        ]
        let facts = LoggingFacts(
            servers: [try server("log_connections = on\nlog_statement = ddl")], formats: ["csvlog"])
        let coverage = RuleCoverage(rules, facts)
        #expect(coverage.unmet.map(\.need) == ["patroni", "log_statement=all|pgaudit=read"])
        #expect(coverage.unmet[0].rules == ["e", "f"] && coverage.unmet[0].isOfNobody)
        #expect(coverage.unmet[1].hint.contains("pgaudit.log = 'ddl,role,write,misc,read'"))
        #expect(coverage.unmet[1].hint.contains("Pigsty: pg_parameters: {log_statement: 'all'}"))
        #expect(coverage.unknown.map(\.need) == ["something.new"])
        #expect(coverage.able == 5 && coverage.rules == 8)
    }

    @Test("without settings the logs themselves tell; what was never seen is not known")
    func seen() {
        var seen = Coverage()
        #expect(LoggingFacts(seen: seen).state(.connections) == .unknown("no log was read yet"))
        seen.records = 100
        #expect(LoggingFacts(seen: seen).state(.connections) == .unknown("not seen in the logs yet"))
        seen.failures = 3
        #expect(LoggingFacts(seen: seen).state(.connections).isUnmet)
        seen.connections = ["connection.authorized": 7]
        seen.auditClasses = ["ddl"]
        let facts = LoggingFacts(seen: seen, formats: ["csvlog"], programs: [.pgbouncer])
        #expect(facts.state(.connections).isMet && facts.state(.audit("ddl")).isMet && facts.state(.columns).isMet)
        #expect(!facts.state(.audit("read")).isMet && !facts.state(.audit("read")).isUnmet)
        #expect(facts.state(.program(.pgbouncer)) == .unmet("it runs here, and its log is not read"))
    }
}
