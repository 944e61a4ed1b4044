import VigilModel

/// Decisions as CrowdSec has them, for `cscli decisions import`: `duration`, `scope`, `type`, `value`, and `reason`, which it
/// takes for the scenario. What else it has words for is there, too, and passed over.
enum CrowdSecList {
    static func render(_ list: BlockList) -> String {
        JSONLines.array(
            list.bans.map { ban in
                let scenario = JSONString.quoted("pgvigil/\(ban.ruleID)")
                let value = ban.cidr.isHost ? "\(ban.cidr.address)" : "\(ban.cidr)"
                return "{\"duration\":\"\(list.secondsLeft(ban))s\",\"origin\":\"pgvigil\",\"reason\":\(scenario),"
                    + "\"scenario\":\(scenario),\"scope\":\"\(ban.cidr.isHost ? "Ip" : "Range")\",\"type\":\"ban\","
                    + "\"value\":\"\(value)\"}"
            })
    }
}

/// A JSON array with an object a line.
enum JSONLines {
    static func array(_ objects: [String]) -> String {
        objects.isEmpty ? "[]\n" : "[\n" + objects.joined(separator: ",\n") + "\n]\n"
    }
}
