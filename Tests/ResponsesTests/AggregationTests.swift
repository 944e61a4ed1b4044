import Responses
import Testing
import VigilModel

@Suite("Neighbours put together")
struct AggregationTests {
    private static let hour: Int64 = 3_600_000
    private let policy: BanPolicy

    init() {
        var policy = BanPolicy()
        policy.aggregate = 3
        self.policy = policy
    }

    private func bans(_ addresses: String..., minutes: Int64 = 60) throws -> [Ban] {
        try addresses.map { text in
            let ip = try #require(IPAddress(text))
            return try Sample.ban("\(policy.block(of: ip))", by: text, minutes: minutes)
        }
    }

    private func texts(_ bans: [Ban]) -> [String] { bans.map(\.cidr.description) }

    private func unban(_ text: String, minute: Int64) throws -> BanAct {
        BanAct(
            kind: .unban, time: Sample.noon.adding(milliseconds: minute * 60_000), cidr: CIDR(text),
            by: "anna", reason: "x")
    }

    private static let soon = Sample.noon.adding(milliseconds: 600_000)

    @Test("enough of them stand as one block, and as themselves where each has a clock")
    func block() throws {
        let bans = try bans("203.0.113.1", "203.0.113.2", "203.0.113.3", "198.51.100.7")
        let list = BanLedger(bans: bans).list(under: policy, at: AggregationTests.soon)
        #expect(texts(list.bans) == ["198.51.100.7/32", "203.0.113.0/24"])
        #expect(list.bans[1].ruleID == Ban.aggregate && list.bans[1].alertID == nil)
        #expect(list.single.count == 4 && !BlockListFormat.fail2ban.render(list).contains("net="))
        let six = try self.bans("2001:db8:1:1::1", "2001:db8:1:2::1", "2001:db8:1:3::1")
        #expect(texts(BanLedger(bans: six).list(under: policy, at: AggregationTests.soon).bans) == ["2001:db8:1::/48"])
        #expect(
            texts(BanLedger(bans: bans).aggregates(under: policy, at: AggregationTests.soon) { _ in [] }) == [
                "203.0.113.0/24"
            ])
    }

    @Test("never over who was freed, also one who was never banned, until that one is banned again")
    func freed() throws {
        let bans = try bans("203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4")
        func list(_ acts: BanAct...) -> BlockList {
            BanLedger(bans: bans, acts: acts).list(under: policy, at: AggregationTests.soon)
        }
        #expect(texts(list(try unban("203.0.113.77", minute: 5)).bans).count == 4)
        #expect(texts(list(try unban("203.0.113.4", minute: 5)).bans) == texts(Array(bans.prefix(3))))
        #expect(texts(list(try unban("203.0.113.77", minute: 11)).bans) == ["203.0.113.0/24"])
        #expect(list(try unban("203.0.113.0/24", minute: 5)).bans.isEmpty)
        #expect(texts(list(try unban("198.51.100.1", minute: 5)).bans) == ["203.0.113.0/24"])
        // Freed before it attacked: its own ban counts.
        let early = BanAct(
            kind: .unban, time: Sample.noon.adding(milliseconds: -1), cidr: bans[0].cidr, by: "anna", reason: "")
        #expect(texts(list(early).bans) == ["203.0.113.0/24"])
        let month = Sample.noon.adding(milliseconds: -31 * 24 * AggregationTests.hour)
        let old = BanAct(kind: .unban, time: month, cidr: CIDR("203.0.113.77"), by: "anna", reason: "")
        #expect(texts(list(old).bans) == ["203.0.113.0/24"])
    }

    @Test("whoever is freed is free in fail2ban's list by a line of his own, and the others stay")
    func fail2ban() throws {
        let bans = try bans("203.0.113.1", "203.0.113.2", "203.0.113.3")
        let list = BanLedger(bans: bans, acts: [try unban("203.0.113.3", minute: 5)])
            .list(under: policy, at: AggregationTests.soon)
        let lines = BlockListFormat.fail2ban.render(list).split(separator: "\n")
        #expect(lines.filter { $0.contains("] Ban ") }.count == 2)
        #expect(lines.filter { $0.hasSuffix("Unban 203.0.113.3") }.count == 1)
    }

    @Test("never over who is allowed, of the fleet, or known to be a good one, unless that one is banned itself")
    func innocent() throws {
        let bans = try bans("203.0.113.1", "203.0.113.2", "203.0.113.3")
        let (good, own) = (try #require(IPAddress("203.0.113.77")), try #require(IPAddress("203.0.113.2")))
        let ledger = BanLedger(bans: bans)
        #expect(ledger.list(under: policy, at: AggregationTests.soon) { _ in [good] }.bans.count == 3)
        #expect(ledger.list(under: policy, at: AggregationTests.soon) { _ in [own] }.bans.count == 1)
        for isAllowed in [true, false] {
            var policy = policy
            let entry = AllowEntry(cidr: try #require(CIDR("203.0.113.200")), reason: "")
            if isAllowed { policy.allow = [entry] } else { policy.topology = [entry] }
            #expect(ledger.list(under: policy, at: AggregationTests.soon).bans.count == 3)
        }
    }

    @Test("a pause empties everything, and the block is known all the while")
    func pause() throws {
        let bans = try bans("203.0.113.1", "203.0.113.2", "203.0.113.3")
        let pause = BanAct(kind: .pause, time: Sample.noon, cidr: nil, by: "anna", reason: "")
        let ledger = BanLedger(bans: bans, acts: [pause])
        let list = ledger.list(under: policy, at: AggregationTests.soon)
        #expect(list.bans.isEmpty && list.single.isEmpty && list.freed.count == 3)
        #expect(texts(ledger.aggregates(under: policy, at: AggregationTests.soon) { _ in [] }) == ["203.0.113.0/24"])
    }
}

@Suite("Blocks found fast")
struct BlockIndexTests {
    /// Blocks in a small room, so that many meet.
    private func blocks(_ count: Int, seed: UInt64, from prefix: Int = 26) -> [CIDR] {
        var state = seed
        func next(_ limit: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % limit
        }
        return (0..<count).map { _ in
            let length = prefix + Int(next(UInt64(33 - prefix)))
            return CIDR(IPAddress(v4: 0xCB00_7100 + UInt32(next(256))), prefix: length)
        }
    }

    @Test("what holds a block and what meets it, as by going over all", arguments: [1, 2, 3] as [UInt64])
    func index(seed: UInt64) {
        let entries = blocks(80, seed: seed)
        let index = BlockIndex(entries.enumerated().map { ($1, $0) })
        for block in blocks(200, seed: seed + 100, from: 24) {
            #expect(Set(index.holding(block)) == Set(entries.indices.filter { entries[$0].contains(block) }))
            #expect(Set(index.meeting(block)) == Set(entries.indices.filter { entries[$0].overlaps(block) }))
        }
    }

    @Test("of bans that meet, each address gets the longest, once", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func parted(seed: UInt64) throws {
        let bans = try blocks(60, seed: seed).enumerated().map { number, block in
            try Sample.ban("\(block)", by: "\(block.address)", minutes: Int64(1 + number * 7 % 13))
        }
        let list = BlockList(bans: bans, moment: Sample.noon)
        var seconds: [UInt64: String] = [:]
        for line in BlockListFormat.nft.render(list).split(separator: "\n") where line.contains("timeout ") {
            let words = line.split { " ,\t".contains($0) }
            guard words.count == 3, let block = CIDR(String(words[0])) else { continue }
            for low in block.address.low...block.last.low {
                #expect(seconds[low] == nil)
                seconds[low] = String(words[2])
            }
        }
        for low in UInt64(0xCB00_7100)...0xCB00_71FF {
            let address = IPAddress(v4: UInt32(low))
            let longest = bans.filter { $0.cidr.contains(address) }.map(\.end).max()
            let left = longest.map { "\(($0.milliseconds - Sample.noon.milliseconds) / 1000)s" }
            #expect(seconds[low] == left)
        }
    }

    @Test("a hundred thousand bans with as many that have just ended are listed in every form")
    func many() throws {
        let noon = Sample.noon
        let bans = (0..<200_000).map { number -> Ban in
            let ip = IPAddress(v4: 0x2D00_0000 + UInt32(number) * 3)
            var ban = Ban(
                cidr: CIDR(ip, prefix: 32), sourceIP: ip, start: noon, end: noon.adding(milliseconds: 3_600_000),
                ruleID: "auth-bruteforce", alertID: "a", reason: "", eventCount: 10, mode: .enforce, by: "rule")
            if number % 2 == 0 { ban.end = noon.adding(milliseconds: 60_000) }
            return ban
        }
        let acts = (0..<5000).map { number in
            BanAct(
                kind: .unban, time: noon, cidr: CIDR(IPAddress(v4: 0x3000_0000 + UInt32(number)), prefix: 32), by: "a",
                reason: "")
        }
        let started = ContinuousClock.now
        let list = BanLedger(bans: bans, acts: acts).list(
            under: BanPolicy(), at: noon.adding(milliseconds: 120_000))
        #expect(list.bans.count == 100_000 && list.freed.count == 100_000)
        for format in BlockListFormat.allCases { #expect(format.render(list).isEmpty == (format == .plain6)) }
        // What goes over all for each takes hours.
        #expect(ContinuousClock.now - started < .seconds(300))
    }
}
