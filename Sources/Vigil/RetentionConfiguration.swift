import EventStore
import LocatedYAML

/// The key `retention`: `{events: 200d, alerts: 400d, size: 20GB}`, or `200d`. Alerts are kept at least as long as events.
extension RetentionLimits {
    private static let day: Int64 = 86_400_000
    private static let units: [(name: String, bytes: Int64)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("kB", 1_000), ("KB", 1_000),
        ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ]
    /// A store that is smaller holds little more than its own tables.
    private static let smallest: Int64 = 1_000_000

    init(_ value: YAMLValue) throws(YAMLProblem) {
        self.init()
        let keys = value.isMapping ? try value.mapping(["events", "alerts", "size"]) : ["events": value]
        if let key = keys["events"] { events = try RetentionLimits.age(key) }
        alerts = max(alerts, events)
        if let key = keys["alerts"] {
            alerts = try RetentionLimits.age(key)
            if alerts < events {
                throw key.problem(
                    "alerts would go before the events they rest on", hint: "keep them at least as long as events")
            }
        }
        if let key = keys["size"] { size = try RetentionLimits.size(key) }
    }

    private static func age(_ value: YAMLValue) throws(YAMLProblem) -> Int64 {
        let age = try value.duration()
        guard age >= day else { throw value.problem("too short", hint: "write a day or more, such as 200d") }
        return age
    }

    private static func size(_ value: YAMLValue) throws(YAMLProblem) -> Int64? {
        let text = try value.text()
        if text == "none" { return nil }
        guard let unit = units.first(where: { text.hasSuffix($0.name) }),
            let number = Double(text.dropLast(unit.name.count).filter { $0 != " " }), number > 0, number < 1_000_000
        else { throw value.problem("no size", hint: "write 500MB, 20GB, 1.5TB, or none") }
        let bytes = Int64(number * Double(unit.bytes))
        guard bytes >= smallest else { throw value.problem("too small", hint: "write 1MB or more") }
        return bytes
    }
}
