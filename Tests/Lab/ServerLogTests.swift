import Foundation
import Testing

@Suite("Lab: the logs of a server")
struct ServerLogTests {
    /// How a login ended, as the server told the client.
    private static func outcome(_ answer: Client.Answer) -> String? {
        switch answer.login {
        case "ok": "auth.success"
        case "28P01", "28000": "auth.failure"
        case "3D000": "auth.refused"
        default: nil
        }
    }

    @Test("csvlog, jsonlog and stderr tell what was done, each action once, live as afterwards")
    func forms() throws {
        let lab = try Lab()
        let vigil = try Vigil(lab)
        let server = try PostgresServer(lab, port: Port.free(1)[0])
        let watches = [
            try Watch(vigil, [server.logs], store: "live-csv.db"),
            try Watch(vigil, [server.logs + "/postgresql.log"], store: "live-log.db"),
        ]
        let traffic = Traffic(port: server.port)
        let sessions = traffic.sessions
        let answers = try Client.play(sessions)
        lab.stop()
        var found: [String: [Row]] = [:]
        for form in ["csv", "json", "log"] {
            try vigil.run("replay", [server.logs + "/postgresql." + form], store: form + ".db")
            let rows = try vigil.rows("events", form + ".db")
            found[form] = rows
            checkLogins(rows, sessions, answers, isLossy: form == "log")
            checkWork(rows)
            checkForgeries(rows)
            checkSecrets(lab, form + ".db", rows)
        }
        let (csv, json, text) = (found["csv"] ?? [], found["json"] ?? [], found["log"] ?? [])
        let shown = { (row: Row) in
            row.values(
                "event.action", "event.reason", "event.outcome", "event.severity", "tags", "user.name", "db.namespace",
                "source.address", "db.operation.name", "db.query.text")
        }
        #expect(counts(csv.map(shown)) == counts(json.map(shown)))
        // Of a database's made-up name in the prefix it cannot always be told where it ends.
        let isPlain = { (row: Row) in row["event.action"] != "auth.refused" || row["source.address"] != Traffic.forgers
        }
        #expect(counts(csv.filter(isPlain).map(shown)) == counts(text.filter(isPlain).map(shown)))
        for watch in watches { try watch.stop(when: watch.store == "live-csv.db" ? "csv.db" : "log.db") }
    }

    private func checkLogins(_ rows: [Row], _ sessions: [Client.Session], _ answers: [Client.Answer], isLossy: Bool) {
        var wanted = counts(
            zip(sessions, answers).compactMap { session, answer in
                ServerLogTests.outcome(answer).map { "\($0)|\(session.from)" }
            })
        // Who made the role `app`.
        wanted["auth.success|127.0.0.1"] = 1
        var seen = counts(
            rows.filter { $0["event.action"].hasPrefix("auth.") }.map { $0.values("event.action", "source.address") })
        if isLossy {
            let lossy = "auth.refused|" + Traffic.forgers
            #expect(seen[lossy, default: 0] >= 8)
            wanted[lossy] = nil
            seen[lossy] = nil
        }
        #expect(seen == wanted)
        let reasons = counts(rows.filter { $0["source.address"] == "127.9.8.2" }.map { $0["event.reason"] })
        #expect(reasons == ["unknown_role": 1, "hba_reject": 1, "no_such_database": 1])
        #expect(rows.filter { $0["source.address"] == "127.9.8.3" }.map { $0["event.action"] } == ["probe.protocol"])
    }

    /// Each session of the work logs in its own way; a statement is one event in all of them.
    private func checkWork(_ rows: [Row]) {
        for address in ["127.9.8.10", "127.9.8.11"] {
            let work = rows.filter { $0["source.address"] == address && $0["event.category"] != "authentication" }
            var wanted = Traffic.changes
            if address == "127.9.8.11" {
                wanted["tamper.log_setting|SET"] = 1
                wanted["ddl.drop|DO"] = 1
            }
            #expect(counts(work.map { $0.values("event.action", "db.operation.name") }) == wanted, "\(address)")
            #expect(
                work.filter { $0["event.outcome"] == "failure" }.map { $0["db.query.text"] } == [
                    "DROP TABLE t1_missing"
                ])
        }
        let evil = rows.filter { $0["db.query.text"].contains("evil") }
        #expect(
            evil.map { $0.values("event.action", "event.outcome", "source.address") }
                == ["priv.superuser|failure|127.9.8.1"])
    }

    private func checkForgeries(_ rows: [Row]) {
        for row in rows {
            #expect(!row["source.address"].contains(Traffic.victim) && row["user.name"] != "bob", "\(row.text)")
        }
        let raised = rows.filter { $0["source.address"] == Traffic.raiser && $0["tags"].contains("forgery.attempt") }
        #expect(raised.count >= 3 && raised.allSatisfy { $0["user.name"] == "app" }, "\(raised.count)")
        let names = Set(rows.filter { $0["event.reason"] == "unknown_role" }.map { $0["user.name"] })
        #expect(names.isSuperset(of: Traffic.forgeries))
    }

    private func checkSecrets(_ lab: Lab, _ store: String, _ rows: [Row]) {
        let bytes = [store, store + "-wal"].compactMap { FileManager.default.contents(atPath: lab.path($0)) }
        #expect(!bytes.isEmpty)
        for secret in ["Secret-1", "Secret-2", "app-secret", "dba-secret", "Wrong-"] {
            #expect(bytes.allSatisfy { $0.firstRange(of: Data(secret.utf8)) == nil }, "\(secret)")
        }
        #expect(rows.contains { $0["db.query.text"].contains("<redacted>") })
    }
}
