import Patterns
import Testing
import VigilModel

@testable import Detections

@Suite("Detector")
struct DetectorTests {
    private static let rules = Result { try Catalogue.embedded().rules }

    private static func kind(_ action: String, _ reason: String?) -> EventKind {
        EventKind(
            dataset: "postgresql.log", category: "authentication", action: action, outcome: .unknown, reason: reason,
            severity: .low, tags: [action])
    }

    private func event(
        _ seq: Int64, at milliseconds: Int64, action: String = "auth.failure", reason: String? = "bad_password",
        ip: String? = "203.0.113.66", user: String? = "bob"
    ) -> DetectionEvent {
        DetectionEvent(
            seq: seq, time: LogTime(milliseconds: milliseconds), kind: DetectorTests.kind(action, reason),
            ip: ip.flatMap { IPAddress($0) }, user: user, database: "shop")
    }

    private func run(_ events: [DetectionEvent], _ networks: Set<EventMatch.Network> = []) throws -> [Finding] {
        var detector = Detector(rules: try DetectorTests.rules.get(), publicNetworks: networks)
        return events.flatMap { detector.take($0) { "event \($0)" } }
    }

    @Test("counts exactly the events of a window: the tenth at nine minutes 59.999 fires, at ten minutes not")
    func exactWindow() throws {
        for (last, fires) in [(599_999, true), (600_000, false)] as [(Int64, Bool)] {
            let events = [event(0, at: 0)] + (1..<9).map { event($0, at: $0 * 1000) } + [event(9, at: last)]
            #expect(try run(events).contains { $0.alert.rule.id == "auth-bruteforce" } == fires)
        }
    }

    @Test("says one thing once: what goes on is suppressed for the rule's time")
    func suppression() throws {
        let events = (0..<200).map { event($0, at: $0 * 60_000) }
        let alerts = try run((0..<400).map { event($0, at: $0 * 10_000) }).filter {
            $0.alert.rule.id == "auth-bruteforce"
        }
        #expect(alerts.map(\.alert.time.milliseconds) == [90_000, 3_690_000])
        #expect(try run(events).filter { $0.alert.rule.id == "auth-bruteforce" }.count == 4)
    }

    @Test("names the evidence, oldest first, at most a hundred")
    func evidence() throws {
        let alert = try #require(
            try run((0..<12).map { event($0, at: $0 * 1000) }).first { $0.alert.rule.id == "auth-bruteforce" })
        #expect(alert.alert.evidence == Array(0..<10))
        #expect(alert.alert.eventCount == 10)
        #expect(alert.alert.user == "bob")
    }

    @Test("gives an alert the same name wherever it is found")
    func identity() throws {
        let first = try run((0..<10).map { event($0, at: $0 * 1000) }).map(\.alert.id)
        let again = try run((0..<10).map { event($0, at: $0 * 1000) }).map(\.alert.id)
        #expect(first == again && !first.isEmpty)
    }

    @Test("goes on after a restart as if there had been none", arguments: [1, 5, 9, 10, 11, 40, 150])
    func restart(cut: Int) throws {
        let events = (0..<200).map { number -> DetectionEvent in
            let success = number % 37 == 36
            return event(
                Int64(number), at: Int64(number) * 25_000, action: success ? "auth.success" : "auth.failure",
                ip: "203.0.113.\(number % 3)", user: "user\(number % 7)")
        }
        let whole = try run(events)
        let rules = try DetectorTests.rules.get()
        var before = Detector(rules: rules, publicNetworks: [])
        let first = events[..<cut].flatMap { before.take($0) { "event \($0)" } }
        var after = Detector(rules: rules, publicNetworks: [])
        let now = events[cut - 1].time.milliseconds
        for event in events[..<cut] where now - event.time.milliseconds < after.lookback {
            _ = after.take(event, silently: true) { "event \($0)" }
        }
        for finding in first {
            after.restore(rule: finding.alert.rule.id, group: finding.group, time: finding.alert.time)
        }
        let second = events[cut...].flatMap { after.take($0) { "event \($0)" } }
        #expect((first + second).map(\.alert) == whole.map(\.alert))
    }

    @Test("treats loopback as public only when told so")
    func loopback() throws {
        let events = (0..<12).map { event($0, at: $0 * 1000, ip: "127.9.9.9") }
        #expect(try !run(events).contains { $0.alert.rule.id == "auth-bruteforce" })
        #expect(try run(events, [.loopback]).contains { $0.alert.rule.id == "auth-bruteforce" })
    }

    @Test("counts the second try of a client that prefers TLS once")
    func retries() throws {
        // Five typos, each tried with TLS and without.
        let typos = (0..<10).map { event($0, at: $0 / 2 * 5000 + $0 % 2 * 20) }
        #expect(try run(typos).isEmpty)
        let guesses = (0..<40).map { event($0, at: $0 / 2 * 5000 + $0 % 2 * 20) }
        #expect(try run(guesses).contains { $0.alert.rule.id == "auth-bruteforce" })
    }

    @Test("is not talked out of a botnet by noise from one address")
    func noise() throws {
        var events: [DetectionEvent] = []
        for bot in 0..<12 {
            let start = Int64(bot) * 600_000
            events.append(event(start, at: start, ip: "198.51.100.\(bot)"))
            events += (1..<1500).map { event(start + $0, at: start + $0 * 200, ip: "10.0.0.9") }
        }
        #expect(try run(events).contains { $0.alert.rule.id == "auth-distributed-slow" })
    }

    @Test("keeps its memory bounded under a flood of addresses")
    func flood() throws {
        var detector = Detector(rules: try DetectorTests.rules.get(), publicNetworks: [])
        let kind = DetectorTests.kind("auth.failure", "bad_password")
        for number in 0..<250_000 {
            let ip = IPAddress(v4: 0x0B00_0000 + UInt32(number))
            let input = DetectionEvent(
                seq: Int64(number), time: LogTime(milliseconds: Int64(number)), kind: kind, ip: ip, user: "u\(number)",
                database: nil)
            _ = detector.take(input) { String($0) }
        }
        #expect(detector.evictions > 0)
    }
}
