import VigilModel

/// What events share that are counted together.
struct Group: Hashable {
    private var ip: IPAddress?
    // Three values beside the address suffice and cost no allocation; more become one text.
    private var first, second, rest: String?

    /// Nil when the event lacks one of the keys other than those of its server, unless `partly` lets it. IPv6 counts by its /64: one customer has as
    /// many addresses as there are.
    init?(_ event: DetectionEvent, by keys: [EventKey], partly: Bool = false) {
        var number = 0
        for key in keys {
            if key == .ip {
                guard let address = event.ip else {
                    if partly { continue } else { return nil }
                }
                ip = address.isV4 ? address : address.masked(64)
                continue
            }
            let value = event.value(of: key)
            if value == nil && !partly && !Group.mayLack(key) { return nil }
            switch number {
            case 0: first = value
            case 1: second = value
            default: rest = (rest.map { "\($0) " } ?? "") + Group.part(value)
            }
            number += 1
        }
    }

    /// What a bare file does not tell of where it comes from: events of such a file belong together all the same.
    private static func mayLack(_ key: EventKey) -> Bool { [.cluster, .instance, .path].contains(key) }

    /// The parts one behind the other, each with its length, so that no name can look like two parts.
    var text: String {
        [ip.map { Group.part($0.description) } ?? "-", Group.part(first), Group.part(second), rest ?? "-"]
            .joined(separator: " ")
    }

    private static func part(_ value: String?) -> String { value.map { "\($0.utf8.count):\($0)" } ?? "-" }
}
