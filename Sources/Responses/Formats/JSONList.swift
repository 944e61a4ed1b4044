import VigilModel

/// Everything about each ban.
enum JSONList {
    static func render(_ bans: [Ban]) -> String { JSONLines.array(bans.map(object)) }

    private static func object(_ ban: Ban) -> String {
        func text(_ key: String, _ value: String) -> String { "\"\(key)\":\(JSONString.quoted(value))" }
        var parts = [
            text("cidr", "\(ban.cidr)"), text("source.ip", "\(ban.sourceIP)"), text("start", "\(ban.start)"),
            text("end", "\(ban.end)"), text("rule.id", ban.ruleID),
        ]
        if let alert = ban.alertID { parts.append(text("alert.id", alert)) }
        parts += [
            text("reason", ban.reason), "\"event.count\":\(ban.eventCount)", text("mode", ban.mode.rawValue),
            text("by", ban.by),
        ]
        return "{" + parts.joined(separator: ",") + "}"
    }
}
