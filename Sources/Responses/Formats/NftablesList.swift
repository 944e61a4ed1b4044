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
        // The widest first: what lies in a block follows it.
        let order = bans.sorted { $0.cidr != $1.cidr ? $0.cidr < $1.cidr : $1.end < $0.end }
        var parts: [Ban] = []
        var next = 0
        while next < order.count { next = part(order, from: next, heldUntil: .distantPast, into: &parts) }
        return parts.sorted { $0.cidr < $1.cidr }
    }

    /// Adds what a ban and those that lie in it are parted to; gives the first that lies beside it. `heldUntil` is when
    /// the block around lets go: who ends before that has nothing to add.
    private static func part(_ order: [Ban], from first: Int, heldUntil: LogTime, into parts: inout [Ban]) -> Int {
        let ban = order[first]
        let until = max(heldUntil, ban.end)
        var longer: [CIDR] = []
        var next = first + 1
        while next < order.count, ban.cidr.contains(order[next].cidr) {
            let before = parts.count
            next = part(order, from: next, heldUntil: until, into: &parts)
            longer += parts[before...].map(\.cidr)
        }
        guard ban.end > heldUntil else { return next }
        for rest in ban.cidr.subtracting(longer.sorted()[...]) {
            var left = ban
            left.cidr = rest
            parts.append(left)
        }
        return next
    }
}
