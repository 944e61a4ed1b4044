import EventStore
import Foundation
import Responses
import Testing
import VigilModel

@testable import Vigil

@Suite("Who is banned")
struct BanDecisionTests {
    private let place: Workplace

    init() throws { place = try Workplace() }

    /// Twelve wrong passwords in two minutes.
    private func attack(_ from: String, at minute: Int, session: Int = 100) -> [String] {
        (0..<12).map { number in
            let second = number * 10
            let time = String(format: "10:%02d:%02d.%03d", minute + second / 60, second % 60, session % 1000)
            return row(time, session: session + number, line: 1, from: "\(from):\(40_000 + number)")
        }
    }

    private func login(_ from: String, at time: String, session: Int) -> [String] {
        [
            authorized(time + ".000", session: session, from: "\(from):50000"),
            authorized(time + ".900", session: session, line: 3, from: "\(from):50000"),
        ]
    }

    private func configuration(_ change: (inout Configuration) -> Void = { _ in }) -> Configuration {
        var configuration = Configuration()
        configuration.topology.detects = false
        configuration.bans.topology = []
        change(&configuration)
        return configuration
    }

    private func alerts(_ rule: String, in store: String = "a.db") throws -> [String] {
        var filter = EventFilter()
        filter.values = [("rule.id", rule)]
        var messages: [String] = []
        try Store(existing: place.path(store)).query(.alerts, filter) { row in
            if case .text(let text)? = row.last?.value { messages.append(text) }
        }
        return messages
    }

    private func bans(in store: String = "a.db") throws -> [String] {
        try Store(existing: place.path(store)).allBans().map { "\($0.cidr) \($0.start)" }.sorted()
    }

    @Test("an address with good sessions before the attack is not banned; the alert has the numbers")
    func acquainted() throws {
        let rows =
            login("203.0.113.66", at: "09:50:00", session: 1) + login("203.0.113.66", at: "09:51:00", session: 2)
            + attack("203.0.113.66", at: 0) + attack("203.0.113.7", at: 3, session: 200)
        _ = try place.replay([try place.write("a.csv", rows)], configuration: configuration())
        #expect(try bans().map { $0.prefix(15) } == ["203.0.113.7/32 "])
        #expect(
            try alerts("ban-spared") == [
                "203.0.113.66/32 is not banned: 2 good sessions of 1 users in the 30 days before (\"bob\")"
            ])
        let strict = configuration { $0.bans.priorSessions = .ban }
        _ = try place.replay([place.path("a.csv")], into: "b.db", configuration: strict)
        #expect(try bans(in: "b.db").count == 2)
        #expect(try alerts("ban-spared", in: "b.db").isEmpty)
    }

    @Test("a session that the attack itself won is no good one")
    func won() throws {
        let rows =
            attack("203.0.113.66", at: 0).prefix(9) + login("203.0.113.66", at: "10:01:25", session: 1)
            + attack("203.0.113.66", at: 2, session: 200)
        _ = try place.replay([try place.write("a.csv", Array(rows))], configuration: configuration())
        #expect(try bans().count == 1)
    }

    @Test("a private address is banned only where it would show had it good sessions", arguments: [true, false])
    func unknown(logsLogins: Bool) throws {
        let rows = (logsLogins ? login("203.0.113.1", at: "09:50:00", session: 1) : []) + attack("10.1.2.3", at: 0)
        let file = try place.write("a.csv", rows)
        _ = try place.replay([file], configuration: configuration { $0.bans.private = true })
        #expect(try bans().count == (logsLogins ? 1 : 0))
        #expect(try alerts("ban-spared").count == (logsLogins ? 0 : 1))
    }

    @Test("no more are banned than the caps allow, and one alert says so, in one reading as in several")
    func capped() throws {
        let attackers = (0..<30).map { attack("203.0.113.\(100 + $0)", at: 0, session: 100 + $0 * 20) }
        let rows = attackers.flatMap { $0 }.sorted()
        let later = attack("203.0.113.200", at: 20, session: 900)
        let whole = try place.write("a.csv", rows + later)
        _ = try place.replay([whole], configuration: configuration())
        #expect(try bans().count == 21)
        #expect(try alerts("bans-capped").count == 1)
        for (number, part) in [rows[..<250], rows[250...] + later].enumerated() {
            _ = try place.replay(
                [try place.write("part\(number).csv", Array(part))], into: "b.db", configuration: configuration())
        }
        #expect(try bans(in: "b.db") == bans())
        #expect(try alerts("bans-capped", in: "b.db") == alerts("bans-capped"))
        let few = configuration { $0.bans.total = 5 }
        _ = try place.replay([whole], into: "c.db", configuration: few)
        #expect(try bans(in: "c.db").count == 5)
    }

    @Test("who replicates, or monitors, is the fleet's: never banned from then on, and no longer listed")
    func fleet() throws {
        let command = "START_REPLICATION 0/3000000 TIMELINE 1"
        let replication = row(
            "09:50:00.000", session: 1, line: 3, user: "replicator", from: "203.0.113.7:5000", tag: "idle",
            severity: "LOG", state: "00000", message: "received replication command: \(command)", detail: "",
            query: command
        ).replacing("client backend", with: "walsender")
        let file = try place.write(
            "a.csv",
            [replication] + login("203.0.113.8", at: "09:55:00", session: 2)
                + attack("203.0.113.7", at: 0) + attack("203.0.113.8", at: 3, session: 200)
                + attack("203.0.113.9", at: 6, session: 300))
        _ = try place.replay(
            [file],
            configuration: configuration {
                $0.topology.monitors = ["bob"]
                $0.bans.priorSessions = .ban
            })
        #expect(try bans().map { $0.prefix(15) } == ["203.0.113.9/32 "])
        let store = try Store(existing: place.path("a.db"))
        let members = try KnownAddresses(store, monitors: ["bob"]).fleet()
        #expect(members.map(\.address.description) == ["203.0.113.7", "203.0.113.8"])
        // One who turns out to be of the fleet later is freed.
        var none = configuration()
        none.topology.monitors = []
        none.bans.priorSessions = .ban
        _ = try place.replay([file], into: "b.db", configuration: none)
        #expect(try bans(in: "b.db").count == 2)
        let moment = try #require(try store.lastEventTime())
        none.topology.monitors = ["bob"]
        let list = try BanBook(try Store(existing: place.path("b.db")), none).list(at: moment)
        #expect(list.bans.map(\.cidr.description) == ["203.0.113.9/32"])
    }
}
