import Patterns
import Testing
import VigilModel

@testable import Detections

@Suite("Events of actors who are known, and of strangers")
struct StrangerTests {
    /// Draws events: attackers, hosts of the net within and sockets, with names that rules ask for among them.
    private struct Draw {
        var random: SplitMix

        private static let addresses: [String?] = [
            "203.0.113.5", "203.0.113.6", "2001:db8::1", "2001:db8::2", "10.0.0.7", "127.0.0.1", "[local]", nil,
        ]
        private static let users: [String?] = ["postgres", "admin", "bob", "app", "exporter", nil]
        private static let kinds: [EventKind] = [
            ("auth.failure", "bad_password"), ("auth.failure", "unknown_role"), ("auth.failure", "hba_reject"),
            ("auth.failure", "expired_password"), ("auth.success", nil), ("auth.refused", "no_such_database"),
        ].map { action, reason in
            EventKind(
                dataset: "postgresql.log", category: "authentication", action: action, outcome: .unknown,
                reason: reason, severity: .low, tags: [action])
        }

        mutating func events(_ count: Int, actors: Int) -> [DetectionEvent] {
            let known = (0..<actors).map { _ in
                (address: pick(Draw.addresses), user: pick(Draw.users), database: pick(["shop", "postgres", nil]))
            }
            let near = NearDetails(application: "psql", sqlState: "28P01", operation: nil)
            let people = known.map { one in
                DetectionActor(
                    ip: one.address.flatMap { IPAddress($0) }, address: one.address, user: one.user,
                    database: one.database)
            }
            var time: Int64 = 0
            return (0..<count).map { number in
                time += Int64(random.next() % 20_000)
                return DetectionEvent(
                    seq: Int64(number), time: LogTime(milliseconds: time), kind: pick(Draw.kinds),
                    actor: pick(people), count: 1, near: random.next() % 2 == 0 ? near : nil)
            }
        }

        private mutating func pick<Value>(_ values: [Value]) -> Value {
            values[Int(random.next() % UInt64(values.count))]
        }
    }

    private struct SplitMix {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    /// The same event, done by an actor whom nobody has met.
    private func stranger(_ event: DetectionEvent) -> DetectionEvent {
        DetectionEvent(
            seq: event.seq, time: event.time, kind: event.kind,
            actor: DetectionActor(ip: event.ip, address: event.address, user: event.user, database: event.database),
            count: event.count, near: event.near)
    }

    @Test("give the same alerts, whatever is remembered of them", arguments: 1...12)
    func alike(seed: Int) throws {
        var draw = Draw(random: SplitMix(state: UInt64(seed)))
        let events = draw.events(3000, actors: 3 + seed * 2)
        let rules = try Catalogue.embedded().rules
        let networks: Set<EventMatch.Network> = seed % 2 == 0 ? [] : [.private, .loopback]
        var (first, second) = (
            Detector(rules: rules, publicNetworks: networks), Detector(rules: rules, publicNetworks: networks)
        )
        let known = events.flatMap { first.take($0) { "event \($0)" } }
        // Held until the end, so that no two have one identity.
        let others = events.map(stranger)
        let strange = others.flatMap { second.take($0) { "event \($0)" } }
        #expect(known.map(\.alert) == strange.map(\.alert) && known.map(\.group) == strange.map(\.group))
        #expect(known.count > 10)
    }
}

@Suite("Groups")
struct GroupTests {
    private func event(ip: String?, user: String?, database: String? = "shop") -> DetectionEvent {
        DetectionEvent(
            seq: 1, time: LogTime(milliseconds: 0),
            kind: EventKind(
                dataset: "postgresql.log", category: "authentication", action: "auth.failure", outcome: .failure,
                severity: .low, tags: []), ip: ip.flatMap { IPAddress($0) }, user: user, database: database)
    }

    @Test(
        "are written part by part with their lengths",
        arguments: [
            ([EventKey.ip], "203.0.113.5", "bob", "11:203.0.113.5 - - -"),
            ([.user, .ip], "2001:db8::7", "bob", "10:2001:db8:: 3:bob - -"),
            (
                [.user, .database, .category, .action], nil, "ab 1:c",
                "- 6:ab 1:c 4:shop 14:authentication 12:auth.failure"
            ),
            ([], nil, nil, "- - - -"),
        ] as [([EventKey], String?, String?, String)])
    func text(keys: [EventKey], ip: String?, user: String?, text: String) {
        let grouping = Grouping(keys: keys, isPartly: false)
        #expect(grouping.text(of: event(ip: ip, user: user)) == text)
        let maker = GroupMaker()
        maker.next()
        #expect(maker.group(maker.number(of: grouping), of: event(ip: ip, user: user)) == Group(text: text))
    }

    @Test("are none where a key lacks, unless it may")
    func lacking() {
        #expect(Grouping(keys: [.ip], isPartly: false).text(of: event(ip: nil, user: "bob")) == nil)
        #expect(Grouping(keys: [.user], isPartly: false).text(of: event(ip: nil, user: nil)) == nil)
        #expect(Grouping(keys: [.user, .ip], isPartly: true).text(of: event(ip: nil, user: nil)) == "- - - -")
        #expect(Grouping(keys: [.cluster], isPartly: false).text(of: event(ip: nil, user: nil)) == "- - - -")
    }
}
