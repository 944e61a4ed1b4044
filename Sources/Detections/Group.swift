import VigilModel

/// What events share that are counted together, by two hashes: a flood has a new one with each event, of which no text is
/// made. One is keyed by a number that each process draws, so that nobody can make two that meet.
struct Group: PlacedKey, Hashable, Sendable {
    private let high, low: UInt64

    init(text: String) {
        var text = text
        self = text.withUTF8 { Group($0) }
    }

    fileprivate init(_ bytes: UnsafeBufferPointer<UInt8>) {
        var (keyed, plain) = (Hasher(), PlaceHash())
        keyed.combine(bytes: UnsafeRawBufferPointer(bytes))
        plain.combine(bytes)
        high = UInt64(truncatingIfNeeded: keyed.finalize())
        low = plain.place
    }

    var place: UInt64 { high }

    func hash(into hasher: inout Hasher) { hasher.combine(high) }
}

/// How events are grouped: their keys, and whether one may lack some of them.
struct Grouping: Hashable, Sendable {
    let keys: [EventKey]
    let isPartly: Bool

    /// The text of an event's group, as the store keeps it; nil when the event lacks one of the keys other than those of
    /// its server, unless it may.
    func text(of event: DetectionEvent) -> String? {
        var bytes: [UInt8] = []
        return write(event, to: &bytes) ? String(decoding: bytes, as: UTF8.self) : nil
    }

    /// The parts one behind the other, each with its length, so that no name can look like two parts: the address, two
    /// values, and the rest in one. False when the event has no group.
    fileprivate func write(_ event: DetectionEvent, to bytes: inout [UInt8]) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        var ip: String?
        if keys.contains(.ip) {
            ip = event.actor.groupIP
            if ip == nil && !isPartly { return false }
        }
        Grouping.add(ip, to: &bytes)
        var count = 0
        for key in keys where key != .ip {
            let value = event.value(of: key)
            if value == nil && !isPartly && !Grouping.mayLack(key) { return false }
            bytes.append(32)
            Grouping.add(value, to: &bytes)
            count += 1
        }
        while count < 3 {
            bytes.append(contentsOf: [32, 45])
            count += 1
        }
        return true
    }

    /// What a bare file does not tell of where it comes from: events of such a file belong together all the same.
    private static func mayLack(_ key: EventKey) -> Bool { [.cluster, .instance, .path].contains(key) }

    private static func add(_ value: String?, to bytes: inout [UInt8]) {
        guard var value else { return bytes.append(45) }
        value.withUTF8 { text in
            if text.count >= 10 {
                bytes.append(contentsOf: String(text.count).utf8)
            } else {
                bytes.append(48 + UInt8(text.count))
            }
            bytes.append(58)
            bytes.append(contentsOf: text)
        }
    }
}

/// Makes the groups of events, each of an event once for all rules that group alike.
final class GroupMaker {
    private var groupings: [(grouping: Grouping, event: Int, group: Group?)] = []
    private var numbers: [Grouping: Int] = [:]
    /// Events that came so far.
    private var event = 0
    private var bytes: [UInt8] = []

    /// The number of a way to group.
    func number(of grouping: Grouping) -> Int {
        if let known = numbers[grouping] { return known }
        groupings.append((grouping, -1, nil))
        numbers[grouping] = groupings.count - 1
        return groupings.count - 1
    }

    /// Says that another event is looked at.
    func next() { event += 1 }

    /// The group of the event that is looked at; nil when it has none.
    func group(_ number: Int, of event: DetectionEvent) -> Group? {
        if groupings[number].event == self.event { return groupings[number].group }
        let isGrouped = groupings[number].grouping.write(event, to: &bytes)
        let group = isGrouped ? bytes.withUnsafeBufferPointer { Group($0) } : nil
        groupings[number].event = self.event
        groupings[number].group = group
        return group
    }
}
