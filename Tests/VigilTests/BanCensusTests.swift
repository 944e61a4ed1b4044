import EventStore
import Foundation
import Responses
import Testing
import VigilModel

@testable import Detections
@testable import Vigil

@Suite("Bans counted")
struct BanCensusTests {
    private static let noon = LogTime(milliseconds: 1_772_452_800_000)

    private func ban(_ number: Int, at second: Int, for seconds: Int) -> Ban {
        let ip = IPAddress(v4: 0x2D00_0000 + UInt32(number % 50))
        let start = BanCensusTests.noon.adding(milliseconds: Int64(second) * 1000)
        return Ban(
            cidr: CIDR(ip, prefix: 32), sourceIP: ip, start: start,
            end: start.adding(milliseconds: Int64(seconds) * 1000), ruleID: "r", alertID: "\(number)", reason: "",
            eventCount: 1, mode: .observe, by: "rule")
    }

    @Test("as many as going over all of them at each moment finds")
    func counts() {
        let stored = (0..<300).map { ban($0, at: $0 * 7 % 900, for: 5 + $0 * 31 % 200) }.sorted { $0.start < $1.start }
        var all = stored
        var census = BanCensus(stored)
        for second in 0..<900 {
            let now = BanCensusTests.noon.adding(milliseconds: Int64(second) * 1000)
            census.advance(to: now)
            if second % 9 == 0 {
                let new = ban(1000 + second, at: second, for: 20 + second % 100)
                census.add(new)
                all.append(new)
            }
            let inForce = all.filter { $0.start <= now && now < $0.end }
            let own = inForce.first
            let minute = now.adding(milliseconds: -60_000)
            func expected(_ bans: [Ban]) -> [Int] {
                [bans.filter { $0.start > minute }.count, Set(bans.map(\.cidr)).count]
            }
            let counted = census.counts(without: nil)
            #expect([counted.recent, counted.blocks] == expected(inForce))
            let others = census.counts(without: own)
            #expect([others.recent, others.blocks] == expected(inForce.filter { $0.alertID != own?.alertID }))
        }
        #expect(census.looks <= 2 * all.count)
    }

    /// How often bans are looked at for so many alerts about as many addresses, in one pass.
    private func looks(_ count: Int) throws -> Int {
        let place = try Workplace()
        let store = try Store(path: place.path("a.db"))
        var configuration = Configuration()
        configuration.topology.detects = false
        configuration.bans.topology = []
        configuration.bans.perMinute = 10_000
        configuration.bans.total = 60_000
        let rule = AlertRule(
            id: "r", name: "r", family: "auth", version: "1", techniques: [], soc2: [], mlps: [])
        let findings = (0..<count).map { number -> Finding in
            let time = BanCensusTests.noon.adding(milliseconds: Int64(number) * 100)
            let alert = Alert(
                id: "\(number)", time: time, rule: rule, severity: .high,
                sourceIP: IPAddress(v4: 0x2D00_0000 + UInt32(number)), user: nil, database: nil, eventCount: 10,
                firstSeen: time, lastSeen: time, evidence: [], message: "")
            return Finding(alert: alert, group: "", ban: 600_000)
        }
        let known = KnownAddresses(store, monitors: [])
        let decisions = try BanDecisions(findings, store: store, configuration: configuration, known: known)
        #expect(decisions.bans.count == count)
        return decisions.looks
    }

    @Test("twice as many alerts in one pass cost twice as much, not four times")
    func linear() throws {
        let (one, two) = (try looks(1000), try looks(2000))
        #expect(one >= 1000 && two <= one * 5 / 2, "\(one), \(two)")
    }
}
