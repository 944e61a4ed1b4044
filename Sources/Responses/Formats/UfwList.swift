import VigilModel

/// A command of ufw (ufw(8)) for each ban, put before all other rules.
enum UfwList {
    static func render(_ bans: [Ban], _ options: BlockListOptions) -> String {
        let ports = options.ports.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound):\($0.upperBound)" }
            .joined(separator: ",")
        return bans.map {
            "ufw prepend deny proto tcp from \($0.cidr) to any port \(ports) comment 'pgvigil'\n"
        }.joined()
    }
}
