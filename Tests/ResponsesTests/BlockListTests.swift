import Foundation
import Responses
import Testing
import VigilModel

/// Bans as rules and a person made them, with the worst words that can stand in them.
enum Sample {
    static let noon = LogTime(parsing: "2026-03-02T12:00:00Z") ?? .distantPast

    static func ban(_ cidr: String, by ip: String, minutes: Int64, rule: String = "auth-bruteforce") throws -> Ban {
        Ban(
            cidr: try #require(CIDR(cidr)), sourceIP: try #require(IPAddress(ip)), start: noon,
            end: noon.adding(milliseconds: minutes * 60_000), ruleID: rule,
            alertID: rule == Ban.manual ? nil : "0123456789abcdef0123456789abcdef", reason: "Many failed logins",
            eventCount: 10, mode: .enforce, by: "rule")
    }

    static func list() throws -> BlockList {
        var manual = try ban("192.0.2.0/24", by: "192.0.2.0", minutes: 1440, rule: Ban.manual)
        manual.reason = "\"\n</entry>; DROP $(x) \u{1B}[1m <b> \\ é"
        manual.by = "anna"
        manual.eventCount = 0
        return BlockList(
            bans: [
                try ban("2001:db8:bad::/64", by: "2001:db8:bad::17", minutes: 60),
                try ban("203.0.113.66/32", by: "203.0.113.66", minutes: 60), manual,
                // One who was banned alone before, and for longer than the block around.
                try ban("192.0.2.130/32", by: "192.0.2.130", minutes: 2880, rule: "auth-spray"),
                try ban("198.51.100.7/32", by: "198.51.100.7", minutes: 10),
            ],
            freed: [
                .init(
                    ban: try ban("203.0.113.9/32", by: "203.0.113.9", minutes: 5),
                    time: noon.adding(milliseconds: 120_000)),
                .init(ban: try ban("2001:db8:900d::/64", by: "2001:db8:900d::1", minutes: 60), time: nil),
            ], moment: noon.adding(milliseconds: 9 * 60_000 + 1))
    }

    static let empty = BlockList(bans: [], moment: noon)
}

@Suite("Block lists")
struct BlockListTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    private func golden(_ name: String) throws -> String {
        try String(contentsOf: BlockListTests.folder.appending(path: name), encoding: .utf8)
    }

    @Test("each form is as it was, byte by byte", arguments: BlockListFormat.allCases)
    func forms(format: BlockListFormat) throws {
        let list = try Sample.list()
        #expect(format.render(list) == (try golden("\(format.rawValue).txt")))
        let other = BlockList(bans: list.bans.reversed(), freed: list.freed.reversed(), moment: list.moment)
        #expect(format.render(other) == format.render(list))
    }

    @Test("nobody banned is a file that its reader takes", arguments: BlockListFormat.allCases)
    func empty(format: BlockListFormat) throws {
        #expect(format.render(Sample.empty) == (try golden("\(format.rawValue)-empty.txt")))
        #expect(format.blocks(in: format.render(Sample.empty)).isEmpty)
    }

    @Test("words of people stand in JSON only, escaped", arguments: BlockListFormat.allCases)
    func words(format: BlockListFormat) throws {
        let text = format.render(try Sample.list())
        #expect(text.contains("anna") == (format == .json))
        #expect(!text.unicodeScalars.contains { $0.value < 32 && $0 != "\n" && $0 != "\t" })
    }

    @Test("what a file bans is read back, and compared", arguments: BlockListFormat.allCases)
    func differences(format: BlockListFormat) throws {
        let list = try Sample.list()
        let fewer = BlockList(bans: Array(list.bans.dropLast(2)), freed: list.freed, moment: list.moment)
        let old = format.render(fewer)
        let gone = format.blocks(in: format.render(list)).subtracting(format.blocks(in: old))
        #expect(BlockListChange(from: old, to: fewer, format: format).text.isEmpty)
        let change = BlockListChange(from: old, to: list, format: format)
        #expect(Set(change.added) == gone && change.removed.isEmpty)
        let back = BlockListChange(from: format.render(list), to: fewer, format: format)
        #expect(Set(back.removed) == gone && back.added.isEmpty)
    }

    @Test(
        "fail2ban's clock, an hour from a line's time, ends bans when ours does",
        arguments: [(5, 1, -55), (60, 1, 0), (240, 1, 0), (240, 31, 30), (240, 119, 90), (240, 239, 180)])
    func clock(length: Int64, now: Int64, shown: Int64) throws {
        let ban = try Sample.ban("203.0.113.66/32", by: "203.0.113.66", minutes: length)
        let list = BlockList(bans: [ban], moment: Sample.noon.adding(milliseconds: now * 60_000))
        let line = BlockListFormat.fail2ban.render(list)
        let time = Sample.noon.adding(milliseconds: shown * 60_000)
        #expect(
            line
                == "\(time) pgvigil[1]: NOTICE [pgvigil] Ban 203.0.113.66 rule=auth-bruteforce n=10 ttl=\(length * 60)\n"
        )
    }

    @Test("a difference is a line for each block")
    func difference() throws {
        let list = BlockList(
            bans: [try Sample.ban("203.0.113.66/32", by: "203.0.113.66", minutes: 1)], moment: Sample.noon)
        let change = BlockListChange(from: "198.51.100.7\n# none\n\n2001:db8::/64\n", to: list, format: .plain)
        #expect(change.text == "-198.51.100.7/32\n+203.0.113.66/32\n-2001:db8::/64\n")
    }

    @Test("of two blocks that meet, nftables gets each address once, for the longer time")
    func disjoint() throws {
        let lines = BlockListFormat.nft.render(try Sample.list()).split(separator: "\n")
        let blocks = lines.filter { $0.contains("timeout ") && $0.contains("192.0.2.") }.compactMap {
            CIDR(String($0.split(separator: " ")[0].filter { $0 != "\t" }))
        }
        #expect(blocks.count == 9)
        #expect(blocks.reduce(0) { $0 + (1 << (32 - $1.prefix)) } == 256)
        #expect(lines.contains { $0.contains("192.0.2.130/32 timeout 172260s") })
    }
}
