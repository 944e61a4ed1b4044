import Detections
import Patterns
import Testing
import VigilModel

@Suite("Exceptions")
struct AlertExceptionTests {
    private static let rule = AlertRule(
        id: "auth-bruteforce", name: "", family: "auth", version: "", techniques: [], soc2: [], mlps: [])

    private static let kind = EventKind(
        dataset: "postgresql.log", category: "authentication", action: "auth.failure", outcome: .failure,
        reason: "bad_password", severity: .low, tags: ["auth.failure"])

    private func event(
        _ time: String = "2026-03-02T12:00:00Z", ip: String? = "203.0.113.7", user: String? = "bob",
        database: String? = "shop", application: String? = nil
    ) throws -> DetectionEvent {
        var event = DetectionEvent(
            seq: 1, time: try #require(LogTime(parsing: time)), kind: AlertExceptionTests.kind,
            ip: ip.flatMap { IPAddress($0) }, user: user, database: database)
        event.details[.application] = application
        return event
    }

    private func holds(_ event: DetectionEvent, _ change: (inout AlertException) throws -> Void) rethrows -> Bool {
        var exception = AlertException(rules: .all, reason: "test")
        try change(&exception)
        return exception.holdsBack(event, from: AlertExceptionTests.rule)
    }

    @Test("is about rules by id, by family, or all")
    func rules() throws {
        let event = try event()
        #expect(holds(event) { $0.rules = .all })
        #expect(holds(event) { $0.rules = .some(ids: ["auth-bruteforce"], families: []) })
        #expect(holds(event) { $0.rules = .some(ids: ["x"], families: ["auth"]) })
        #expect(!holds(event) { $0.rules = .some(ids: ["auth-spray"], families: ["ddl"]) })
    }

    @Test(
        "names may hold stars; a name that is absent fits none",
        arguments: [
            (["bob"], "bob", true), (["bo"], "bob", false), (["b*"], "bob", true), (["*"], "bob", true),
            (["*b"], "bob", true), (["b*b*b"], "bbb", true), (["b*c"], "bob", false), (["*"], nil, false),
            (["eve", "bob"], "bob", true), (["b*"], "", false), (["*o*"], "bob", true), (["**"], "x", true),
        ] as [([String], String?, Bool)])
    func names(patterns: [String], name: String?, isHeld: Bool) throws {
        #expect(holds(try event(user: name)) { $0.users = patterns } == isHeld)
        #expect(holds(try event(database: name)) { $0.databases = patterns } == isHeld)
        #expect(holds(try event(application: name)) { $0.applications = patterns } == isHeld)
    }

    @Test("all that is given must hold")
    func all() throws {
        let block = try #require(CIDR("203.0.113.0/24"))
        #expect(holds(try event()) { $0.networks = [block] })
        #expect(!holds(try event(ip: "198.51.100.1")) { $0.networks = [block] })
        #expect(!holds(try event(ip: nil)) { $0.networks = [block] })
        #expect(
            !holds(try event(user: "eve")) {
                $0.networks = [block]; $0.users = ["bob"]
            })
    }

    @Test("ends in event time")
    func until() throws {
        let end = try #require(LogTime(parsing: "2026-03-02T12:00:00Z"))
        #expect(holds(try event("2026-03-02T11:59:59.999Z")) { $0.until = end })
        #expect(!holds(try event("2026-03-02T12:00:00Z")) { $0.until = end })
    }

    @Test(
        "a schedule is in its own zone, with daylight saving, and past midnight",
        arguments: [
            // 2026-03-02 is a Monday.
            ("2026-03-02T02:00:00Z", [0], 60, 330, "UTC", true), ("2026-03-02T05:30:00Z", [0], 60, 330, "UTC", false),
            ("2026-03-03T02:00:00Z", [0], 60, 330, "UTC", false),
            ("2026-03-02T23:00:00Z", [0], 22 * 60, 6 * 60, "UTC", true),
            ("2026-03-03T05:59:00Z", [0], 22 * 60, 6 * 60, "UTC", true),
            ("2026-03-03T06:00:00Z", [0], 22 * 60, 6 * 60, "UTC", false),
            ("2026-03-02T05:59:00Z", [0], 22 * 60, 6 * 60, "UTC", false),
            ("2026-03-02T00:30:00Z", [0], 60, 120, "Europe/Berlin", true),
            ("2026-06-01T00:30:00Z", [0], 60, 120, "Europe/Berlin", false),
            ("2026-06-01T00:00:00Z", [0], 120, 180, "Europe/Berlin", true),
            ("2026-03-01T23:30:00Z", [0], 0, 1440, "Europe/Berlin", true),
            ("1969-12-29T12:00:00Z", [0], 0, 1440, "UTC", true),
        ] as [(String, Set<Int>, Int, Int, String, Bool)])
    func schedule(time: String, days: Set<Int>, from: Int, to: Int, zone: String, isHeld: Bool) throws {
        let schedule = try #require(WeekSchedule(days: days, from: from, to: to, zone: zone))
        #expect(holds(try event(time)) { $0.schedule = schedule } == isHeld)
    }

    @Test("an event that is held back does not count; the alerts that would have been are told")
    func counted() throws {
        let rule = try #require(try Catalogue.embedded().rules.first { $0.about.id == "auth-bruteforce" })
        var exception = AlertException(rules: .some(ids: ["auth-bruteforce"], families: []), reason: "scanner")
        exception.networks = [try #require(CIDR("203.0.113.7"))]
        var detector = Detector(rules: [rule], publicNetworks: [], exceptions: [exception])
        var watch = try #require(ExceptionWatch(rules: [rule], publicNetworks: [], exceptions: [exception]))
        let start = try #require(LogTime(parsing: "2026-03-02T12:00:00Z"))
        var (alerts, held) = (0, [HeldBack]())
        for second in 0..<24 {
            var event = try event(ip: second % 2 == 0 ? "203.0.113.7" : "203.0.113.8")
            event.seq = Int64(second)
            event.time = start.adding(milliseconds: Int64(second) * 1000)
            alerts += detector.take(event) { "\($0)" }.count
            held += watch.take(event) { "\($0)" }
        }
        #expect(alerts == 1)
        #expect(
            held.count == 1 && held.first?.reason == "scanner"
                && held.first?.alert.sourceIP?.description == "203.0.113.7")
        #expect(ExceptionWatch(rules: [rule], publicNetworks: [], exceptions: []) == nil)
    }

    @Test("a rule about silence looks at every event; its alert is held back, and counted")
    func silence() throws {
        let rule = try #require(try Catalogue.embedded().rules.first { $0.about.id == "backup-overdue" })
        let kind = EventKind(
            dataset: "pgbackrest.log", category: "database", action: "backup.done", outcome: .success, severity: .info,
            tags: ["backup.done"])
        let start = try #require(LogTime(parsing: "2026-03-02T12:00:00Z"))
        func backup(_ stanza: String) -> DetectionEvent {
            DetectionEvent(seq: 1, time: start, kind: kind, ip: nil, user: nil, database: stanza)
        }
        var exception = AlertException(rules: .all, reason: "retired")
        exception.databases = ["old"]
        var detector = Detector(rules: [rule], publicNetworks: [], exceptions: [exception])
        var watch = try #require(ExceptionWatch(rules: [rule], publicNetworks: [], exceptions: [exception]))
        for stanza in ["old", "new"] {
            #expect(detector.take(backup(stanza)) { "\($0)" }.isEmpty)
            #expect(watch.take(backup(stanza)) { "\($0)" }.isEmpty)
        }
        let later = start.adding(milliseconds: 3 * 86_400_000)
        #expect(detector.advance(to: later) { "\($0)" }.map(\.alert.database) == ["new"])
        #expect(watch.advance(to: later) { "\($0)" }.map(\.alert.database) == ["old"])
    }
}
