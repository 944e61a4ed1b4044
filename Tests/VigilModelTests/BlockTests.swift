import Testing
import VigilModel

@Suite("Blocks")
struct BlockTests {
    @Test(
        "a block without another is the rest, in the fewest blocks",
        arguments: [
            ("192.0.2.0/30", "192.0.2.1/32", ["192.0.2.0/32", "192.0.2.2/31"]),
            ("192.0.2.0/24", "192.0.0.0/16", []), ("192.0.2.0/24", "198.51.100.0/24", ["192.0.2.0/24"]),
            ("2001:db8::/126", "2001:db8::3/128", ["2001:db8::/127", "2001:db8::2/128"]),
            ("2001:db8::/63", "2001:db8::/64", ["2001:db8:0:1::/64"]), ("0.0.0.0/0", "128.0.0.0/1", ["0.0.0.0/1"]),
        ])
    func subtracting(whole: String, part: String, rest: [String]) throws {
        let result = try #require(CIDR(whole)).subtracting(try #require(CIDR(part)))
        #expect(result.map(\.description) == rest)
    }

    @Test(
        "a range is held by the fewest blocks",
        arguments: [
            ("192.0.2.7", "192.0.2.9", ["192.0.2.7/32", "192.0.2.8/31"]),
            ("192.0.2.0", "192.0.2.255", ["192.0.2.0/24"]),
            ("0.0.0.0", "255.255.255.255", ["0.0.0.0/0"]), ("2001:db8::", "2001:db8::1:ffff", ["2001:db8::/111"]),
            ("192.0.2.9", "192.0.2.7", []), ("192.0.2.7", "2001:db8::", []),
        ])
    func ranges(first: String, last: String, blocks: [String]) throws {
        let result = CIDR.blocks(from: try #require(IPAddress(first)), through: try #require(IPAddress(last)))
        #expect(result.map(\.description) == blocks)
    }
}
