import Foundation
import Testing

@Suite("Lab: proxies")
struct ProxyTests {
    @Test("dump")
    func dump() throws {
        let lab = try Lab()
        let vigil = try Vigil(lab)
        let ports = Port.free(6)
        let server = try PostgresServer(lab, port: ports[0])
        let pooler = try PgBouncer(
            lab, port: ports[1], server: ports[0], users: ["app": "app-secret", "stale": "old-secret"])
        let proxy = try Haproxy(
            lab, ports: Array(ports[2...4]), postgres: ports[0], pooler: ports[1], nobody: ports[5])
        let sessions: [Client.Session] =
            [.init(user: "dba", port: ports[0], queries: ["CREATE ROLE stale LOGIN PASSWORD 'stale-secret'"])]
            + (0..<11).map { .init("127.9.8.20", user: "app", password: "Wrong-\($0)", port: proxy.postgres) }
            + (0..<11).map { .init("127.9.8.21", user: "app", password: "Wrong-\($0)", port: proxy.pooler) }
            + (0..<11).map { .init("127.9.8.22", user: "nobody\($0)", port: proxy.pooler) }
            + (0..<2).map { _ in .init("127.9.8.23", user: "stale", password: "old-secret", port: proxy.pooler) }
            + [
                .init("127.9.8.24", user: "app", password: "typo", port: proxy.postgres),
                .init("127.9.8.24", user: "app", port: proxy.postgres, queries: ["SELECT 1"]),
                .init("127.9.8.25", user: "app", port: proxy.pooler, queries: ["SELECT 1"]),
                .init("127.9.8.26", user: "app", port: proxy.dead),
                .init("127.9.8.27", user: "app", password: "direct", port: ports[1]),
                .init("127.9.8.28", user: "app", password: "direct", port: ports[0]),
            ]
        let answers = try Client.play(sessions)
        for (session, answer) in zip(sessions, answers) {
            print("ANSWER", session.from, session.user ?? "-", answer.login, answer.results)
        }
        lab.stop()
        _ = try? Lab.run(["rm", "-rf", "/tmp/lab-dump2"])
        _ = try Lab.run(["cp", "-r", lab.folder.path, "/tmp/lab-dump2"])
        _ = try Lab.run(["chmod", "755", "/tmp/lab-dump2"])
        _ = server
        _ = pooler
        try Data().write(to: URL(fileURLWithPath: "/tmp/lab-dump2/x"))
        print(try vigil.run("replay", [server.logs, pooler.log, proxy.log], store: "a.db"))
        print(try vigil.run("events", [], store: "a.db"))
        print(try vigil.run("alerts", [], store: "a.db"))
        print(try vigil.run("check", [server.logs, pooler.log, proxy.log], store: "a.db"))
        print(try vigil.run("replay", [server.logs, pooler.log], store: "b.db"))
        print(try vigil.run("check", [server.logs, pooler.log], store: "b.db"))
    }
}
