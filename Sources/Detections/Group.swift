import VigilModel

/// What events share that are counted together. A class with its hash: most events are of groups that were seen before.
final class Group: Hashable, Sendable {
    /// The parts one behind the other, each with its length, so that no name can look like two parts.
    let text: String
    private let hash: Int

    init(text: String) {
        self.text = text
        hash = text.hashValue
    }

    /// Nil when the event lacks one of the keys other than those of its server, unless `partly` lets it. IPv6 counts by
    /// its /64: one customer has as many addresses as there are.
    convenience init?(_ event: DetectionEvent, by keys: [EventKey], partly: Bool = false) {
        // The address, two values, and the rest in one.
        var ip: String?
        var parts: [String] = []
        for key in keys {
            if key == .ip {
                guard let address = event.ip else {
                    if partly { continue } else { return nil }
                }
                ip = Group.part((address.isV4 ? address : address.masked(64)).description)
                continue
            }
            let value = event.value(of: key)
            if value == nil && !partly && !Group.mayLack(key) { return nil }
            parts.append(Group.part(value))
        }
        let first = parts.first ?? "-"
        let second = parts.count > 1 ? parts[1] : "-"
        let rest = parts.count > 2 ? parts[2...].joined(separator: " ") : "-"
        self.init(text: [ip ?? "-", first, second, rest].joined(separator: " "))
    }

    /// What a bare file does not tell of where it comes from: events of such a file belong together all the same.
    private static func mayLack(_ key: EventKey) -> Bool { [.cluster, .instance, .path].contains(key) }

    private static func part(_ value: String?) -> String { value.map { "\($0.utf8.count):\($0)" } ?? "-" }

    static func == (left: Group, right: Group) -> Bool {
        left === right || (left.hash == right.hash && left.text == right.text)
    }

    func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}
