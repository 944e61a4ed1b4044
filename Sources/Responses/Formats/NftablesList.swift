import VigilModel

/// A table of its own for `nft -f`, which takes the file whole or not at all (nft(8)). The first two lines make it the
/// same whether the table is there or not. Bans end by themselves: each element has its timeout.
///
/// Only the first packet of a connection is dropped (SYN alone), so sessions that are open stay; that needs no
/// connection tracking.
enum NftablesList {
    static let table = "inet pgvigil"

    static func render(_ list: BlockList, _ options: BlockListOptions) -> String {
        let ports = options.ports.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
        let first = options.established ? "" : "tcp flags & (fin | syn | rst | ack) == syn "
        let rule = "tcp dport { \(ports.joined(separator: ", ")) } \(first)"
        return """
            table \(table)
            delete table \(table)
            table \(table) {
            \(set("block4", type: "ipv4_addr", list.family(v4: true), list))
            \(set("block6", type: "ipv6_addr", list.family(v4: false), list))
            \tchain input {
            \t\ttype filter hook input priority -10; policy accept;
            \t\t\(rule)ip saddr @block4 counter drop
            \t\t\(rule)ip6 saddr @block6 counter drop
            \t}
            }

            """
    }

    private static func set(_ name: String, type: String, _ bans: [Ban], _ list: BlockList) -> String {
        let elements = disjoint(bans).map { "\t\t\t\($0.cidr) timeout \(list.secondsLeft($0))s" }
        let filled = elements.isEmpty ? "" : "\t\telements = {\n" + elements.joined(separator: ",\n") + "\n\t\t}\n"
        return "\tset \(name) {\n\t\ttype \(type)\n\t\tflags interval, timeout\n\(filled)\t}"
    }

    /// A set of intervals takes no element that lies in another: of two bans the shorter gives way where they meet.
    static func disjoint(_ bans: [Ban]) -> [Ban] {
        // The longest first; a later one keeps what those before it leave.
        let order = bans.sorted { ($1.end, $0.cidr) < ($0.end, $1.cidr) }
        var taken: [Ban] = []
        for ban in order {
            var parts = [ban.cidr]
            for other in taken where other.cidr.overlaps(ban.cidr) {
                parts = parts.flatMap { $0.subtracting(other.cidr) }
            }
            for part in parts {
                var left = ban
                left.cidr = part
                taken.append(left)
            }
        }
        return taken.sorted { $0.cidr < $1.cidr }
    }
}
