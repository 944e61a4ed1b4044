import VigilModel

/// Commands for `ipset restore` (ipset(8)): sets `pgvigil4` and `pgvigil6` are filled beside the old ones and swapped
/// in, each entry with its timeout. A rule of iptables that names a set keeps working all the while.
enum IpsetList {
    /// No timeout of ipset's is longer (ipset(8)), in seconds.
    private static let limit: Int64 = 2_147_483

    static func render(_ list: BlockList) -> String {
        [("pgvigil4", "inet", true), ("pgvigil6", "inet6", false)].map { name, family, isV4 in
            let make = "hash:net family \(family) hashsize 1024 maxelem 1048576 timeout 0 -exist\n"
            let entries = list.family(v4: isV4).map {
                "add \(name)-new \($0.cidr) timeout \(list.secondsLeft($0, limit: limit)) -exist\n"
            }
            return "create \(name) \(make)create \(name)-new \(make)flush \(name)-new\n" + entries.joined()
                + "swap \(name)-new \(name)\ndestroy \(name)-new\n"
        }.joined()
    }
}
