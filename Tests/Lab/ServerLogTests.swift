import Foundation
import Testing

@Suite("Lab: a server's logs")
struct ServerLogTests {
    @Test("dump")
    func dump() throws {
        let lab = try Lab()
        let vigil = try Vigil(lab)
        let server = try PostgresServer(lab, port: Port.free(1)[0])
        let port = server.port
        let traffic = Traffic(port: port)
        let sessions = traffic.sessions
        let answers = try Client.play(sessions)
        for (session, answer) in zip(sessions, answers) {
            print("ANSWER", session.from, Array((session.user ?? "-").utf8).count < 12 ? session.user ?? "-" : "name", answer.login, answer.results)
        }
        lab.stop()
        _ = try? Lab.run(["rm", "-rf", "/tmp/lab-dump"])
        _ = try Lab.run(["cp", "-r", server.logs, "/tmp/lab-dump"])
        for form in ["csv", "json", "log"] {
            try vigil.run("replay", [server.logs + "/postgresql." + form], store: form + ".db")
            try vigil.run("events", ["--format", "jsonl"], store: form + ".db").write(
                toFile: "/tmp/lab-dump/events.\(form)", atomically: true, encoding: .utf8)
        }
    }
}
