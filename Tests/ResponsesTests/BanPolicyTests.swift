import Responses
import Testing
import VigilModel

/// An alert about an address at a minute of 2026-03-02.
func alert(_ ip: String, minute: Int64 = 0, rule: String = "auth-bruteforce") -> Alert {
    let time = (LogTime(parsing: "2026-03-02T12:00:00Z") ?? .distantPast).adding(milliseconds: minute * 60_000)
    return Alert(
        id: "a\(minute)", time: time,
        rule: AlertRule(
            id: rule, name: "Many failed logins", family: "auth", version: "1", techniques: [], soc2: [], mlps: []),
        severity: .high, sourceIP: IPAddress(ip), user: nil, database: nil, eventCount: 10, firstSeen: time,
        lastSeen: time, evidence: [], message: "")
}

let hour: Int64 = 3_600_000

@Suite("Ban policy")
struct BanPolicyTests {
    private func banned(_ verdict: BanPolicy.Verdict) -> Ban? {
        if case .banned(let ban) = verdict { return ban }
        return nil
    }

    private func inForce(_ bans: [Ban], _ policy: BanPolicy, at moment: LogTime) -> [Ban] {
        BanLedger(bans: bans).list(under: policy, at: moment).bans
    }

    @Test("bans an address for the rule's time, IPv6 by its /64")
    func blocks() throws {
        let policy = BanPolicy()
        let four = try #require(banned(policy.decide(alert("203.0.113.66"), time: hour, history: BanLedger(bans: []))))
        #expect(four.cidr.description == "203.0.113.66/32")
        #expect(four.end.milliseconds - four.start.milliseconds == hour)
        let six = try #require(
            banned(policy.decide(alert("2001:db8:1:2::7"), time: hour, history: BanLedger(bans: []))))
        #expect(six.cidr.description == "2001:db8:1:2::/64")
    }

    @Test(
        "never bans",
        arguments: ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.1", "fd00::1", "0.0.0.0", "224.0.0.1", "ff02::1"])
    func never(address: String) {
        #expect(banned(BanPolicy().decide(alert(address), time: hour, history: BanLedger(bans: []))) == nil)
    }

    @Test("bans loopback and private addresses when the configuration says so")
    func configured() {
        var policy = BanPolicy()
        policy.loopback = true
        #expect(banned(policy.decide(alert("127.9.9.9"), time: hour, history: BanLedger(bans: []))) != nil)
        #expect(
            banned(policy.decide(alert("::1"), time: hour, history: BanLedger(bans: [])))?.cidr.description == "::1/128"
        )
        #expect(banned(policy.decide(alert("10.1.2.3"), time: hour, history: BanLedger(bans: []))) == nil)
        policy.private = true
        #expect(banned(policy.decide(alert("10.1.2.3"), time: hour, history: BanLedger(bans: []))) != nil)
    }

    @Test(
        "lets the allow list win, in both families, also over a wider ban",
        arguments: ["203.0.113.0/24", "203.0.113.66"])
    func allowed(entry: String) throws {
        var policy = BanPolicy()
        policy.allow = [
            AllowEntry(cidr: try #require(CIDR(entry)), reason: "office"),
            AllowEntry(cidr: try #require(CIDR("2001:db8:1:2::1")), reason: "bastion"),
        ]
        #expect(
            policy.decide(alert("203.0.113.66"), time: hour, history: BanLedger(bans: []))
                == .spared("allowed by \(try #require(CIDR(entry))): office"))
        // The /64 of the attacker holds the bastion.
        #expect(banned(policy.decide(alert("2001:db8:1:2::7"), time: hour, history: BanLedger(bans: []))) == nil)
    }

    @Test("bans those who come back four times as long, up to seven days, and forgets after thirty")
    func ladder() throws {
        let policy = BanPolicy()
        var history: [Ban] = []
        var lengths: [Int64] = []
        var minute: Int64 = 0
        for _ in 0..<6 {
            let ban = try #require(
                banned(
                    policy.decide(alert("203.0.113.66", minute: minute), time: hour, history: BanLedger(bans: history)))
            )
            history.append(ban)
            lengths.append((ban.end.milliseconds - ban.start.milliseconds) / hour)
            minute += lengths[lengths.count - 1] * 60 + 1
        }
        #expect(lengths == [1, 4, 16, 64, 168, 168])
        let late = try #require(
            banned(
                policy.decide(
                    alert("203.0.113.66", minute: minute + 40 * 24 * 60), time: hour, history: BanLedger(bans: history))
            ))
        #expect(late.end.milliseconds - late.start.milliseconds == hour)
    }

    @Test("does not shorten a ban in force, and lengthens it when a rule asks for more")
    func inForce() throws {
        let policy = BanPolicy()
        let long = try #require(
            banned(policy.decide(alert("203.0.113.99"), time: 6 * hour, history: BanLedger(bans: []))))
        #expect(
            policy.decide(alert("203.0.113.99", minute: 5), time: hour, history: BanLedger(bans: [long]))
                == .spared("a longer ban is in force"))
        let short = try #require(banned(policy.decide(alert("203.0.113.99"), time: hour, history: BanLedger(bans: []))))
        let longer = try #require(
            banned(policy.decide(alert("203.0.113.99", minute: 5), time: 6 * hour, history: BanLedger(bans: [short]))))
        #expect(inForce([short, longer], policy, at: longer.start) == [longer])
    }

    @Test("knows who is banned at a moment: from the start, not at the end, and nobody who is allowed by now")
    func moments() throws {
        var policy = BanPolicy()
        let ban = try #require(banned(policy.decide(alert("203.0.113.66"), time: hour, history: BanLedger(bans: []))))
        #expect(inForce([ban], policy, at: ban.start.adding(milliseconds: -1)).isEmpty)
        #expect(inForce([ban], policy, at: ban.start) == [ban])
        #expect(inForce([ban], policy, at: ban.end.adding(milliseconds: -1)) == [ban])
        #expect(inForce([ban], policy, at: ban.end).isEmpty)
        policy.allow = [AllowEntry(cidr: ban.cidr, reason: "")]
        #expect(inForce([ban], policy, at: ban.start).isEmpty)
    }
}

@Suite("Ban ladder")
struct BanLadderTests {
    @Test("bans of several rules about one attack are one step")
    func overlap() throws {
        let policy = BanPolicy()
        var history: [Ban] = []
        for (minute, time) in [(0, hour), (1, 6 * hour)] as [(Int64, Int64)] {
            guard
                case .banned(let ban) = policy.decide(
                    alert("203.0.113.66", minute: minute), time: time, history: BanLedger(bans: history))
            else {
                Issue.record("spared")
                return
            }
            history.append(ban)
        }
        guard
            case .banned(let back) = policy.decide(
                alert("203.0.113.66", minute: 600), time: hour, history: BanLedger(bans: history))
        else {
            Issue.record("spared")
            return
        }
        #expect(back.end.milliseconds - back.start.milliseconds == 4 * hour)
    }

    @Test(
        "a block is one customer's and no more",
        arguments: [
            ("203.0.113.66", "203.0.113.66/32"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("::1", "::1/128"),
            // All of IPv4 behind a translator has this /64 (RFC 6052).
            ("64:ff9b::c000:201", "64:ff9b::c000:201/128"),
        ])
    func blocks(address: String, block: String) throws {
        #expect(BanPolicy().block(of: try #require(IPAddress(address))).description == block)
    }
}
